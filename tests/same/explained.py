"""The differences that docs/differences.md explains. Nothing else may differ."""

from dataclasses import dataclass


@dataclass
class Entry:
    """Lines of a trace that differ for a reason.

    `quote` stands in docs/differences.md word for word. `real` and `ours` are patterns that each of the differing lines
    must match; None means that there is no such line. An entry that `stops` is about a conversation that goes another way
    from here on: the patterns are for the first line of each ("" for whatever it is, "?" before a pattern for no line or one
    that matches), and the rest is not compared.
    `scenarios` is a pattern for the names of those that it is about, `after` one for the last thing that a user did.
    `follows` is for consequences: an entry with the same quote must have explained something before. `when` names a
    condition of compare.py: both have a DH-commit under way (crossed), that DH-commit is older than a minute (aged),
    a fragment came twice (repeated), any message did (again), there was more than one session (refreshed), the same messages publish other MAC keys (regrouped), a reveal signature message came out of place before (spoiled), a context is in
    another state already (apart). An entry by `chance` need not explain something in every run.
    Those of explained3.py have a `name` of their own.
    """

    quote: str
    real: str | None
    ours: str | None
    scenarios: str = ""
    after: str = ""
    when: str = ""
    stops: bool = False
    follows: bool = False
    chance: bool = False
    name: str = ""
    used: int = 0


RECENT = "`OTRL_INSTAG_RECENT*` for a correspondent without a session"
FRAGMENTED = "Heartbeats, goodbyes, error messages, queries after an error"
FREED = "The texts of `otr_error_message` and `resent_msg_prefix` are freed as soon as they are copied"
WIPED = "A private DH key that nobody answered, in clients that never poll"
DH_KEY = "A DH-key arrives for an instance that has a session, while our DH-commit waits"
CROSSING = "Two sides start at once, version 3"
CROSSING_2 = "The same, version 2"
FORGOTTEN = "A forgotten instance is nobody's `recent_*` any more"
COMMIT = "A DH-commit that cannot be parsed"
RESENT = "A text waits, and the session is one that we began ourselves"
OLDER = "A session of an older version goes on while an exchange of a newer one begins"
EMPTY = "An empty internal message (heartbeat, SMP) was the last one sent when the session was lost"
TAGLESS = "No `create_instag` callback, or it makes no tag"
REVEAL = "A reveal signature message comes while our own DH-commit waits"
FALSE_SMP = "A first SMP message that cannot be parsed"
NO_KEY = "An SMP begun or answered when our own key is gone"
UNASKED = "`otrl_message_respond_smp` when nobody asked"
KEYLESS = "A DH-key arrives while there is no private key yet"
# No line that is not there as well, or the end of the answer.
IGNORED = "?ret recv hidden|cb add_app_data"
BESIDE = "An instance begins an exchange of version 3 beside a session of version 2"
# A damaged message may be one too.
DH_KEY_COMES = r"recv from \w+ (\[v.*dh-key|\[cut off|like |fragment |'\?OTR:AAMK)"
WIPED_LINES = r"/0 (authstate [01] -> [012]|initiated [01] -> [01]|auth_version \d -> \d)$"
KEYLESS_LINES = r"/[1-9]\w+ (authstate|initiated|auth_version|version) \d? ?-> \d$"

MAC_KEYS = "| Goodbye | reveals the MAC keys of older keys | those of the last keys as well"
NO_SESSION = "| A data message without a session |"
TWICE = "| A data message that was read, once more |"
UNDER_WAY = "| A data message of the session before, after a refresh |"
LOST = "| An error message in version 3 |"
HELD = "| Texts that wait for a session |"
QUERY = "| A query (or whitespace tag) arrives while an exchange of the same version is under way"
VERSION_1 = "| An exchange of version 1 inside a session |"
SMP_SESSION = "| Answer to an SMP after the session was refreshed |"

EXPLAINED = [
    Entry(MAC_KEYS, r"data .*revealed=", r"data .*revealed=", when="regrouped"),
    # A message that was damaged on its way: of another length, since it publishes other keys.
    Entry(MAC_KEYS, r"> recv from \w+ (like|\[cut off|fragment)", r"> recv from \w+ (like|\[cut off|fragment)", scenarios="schedule.*",
          when="refreshed", stops=True, chance=True),
    Entry(NO_SESSION, "", r"cb otr_error_message \S+ 2", stops=True),
    Entry(NO_SESSION, "", r"cb add_app_data \d+ \w+ [0-9a-f]{3,}$|cb update_context_list|handle_msg_event \S+ (7|15) ",
          after=r"recv from \w+ (\[v3 .*data|fragment |like )", stops=True),
    Entry(TWICE, r"handle_msg_event \S+ 8 ", None, after=r"recv from \w+ (\[v\d .*data|fragment |like )", when="again", stops=True),
    Entry(TWICE, r"handle_msg_event \S+ 8 ", None, after=r"recv from \w+ (\[v\d .*data|fragment |like )", 
          scenarios="schedule.*|data_replayed|fragments_for_other_instances", stops=True, chance=True),
    Entry(UNDER_WAY, r"handle_msg_event \S+ 8 ", "?cb convert_msg|ret recv|handle_smp|cb max_message|handle_msg",
          after=r"recv from \w+ (\[v\d .*data|fragment |like )", when="refreshed", stops=True),
    Entry(LOST, "", r"cb resent_msg_prefix", after=r"recv from \w+ (\[v\d .*(reveal-sig|signature|key-exchange)|fragment |like )", stops=True),
    Entry(HELD, "", r"cb max_message_size|inject \w+ (\[v\d .*data flags=0|fragment )",
          after=r"recv from \w+ (\[v\d .*(reveal-sig|signature|key-exchange)|fragment |like )", stops=True),
    Entry(QUERY, r"inject \w+ (\[v[23] .*dh-commit|fragment )", r"inject \w+ (\[v[23] .*dh-(commit|key)|\[v[23] .*reveal-sig|fragment )",
          stops=True),
    Entry(QUERY, r"half -1 -> [01]", r"half -1 -> [01]", scenarios="required|schedule.*", stops=True),
    Entry(VERSION_1, r"inject \w+ \[v1 key-exchange", r"inject \w+ \[v1 key-exchange", stops=True),
    Entry("| Our own DH-commit or DH-key comes back |", r"cb (add_app_data|max_message_size)|inject", "?cb add_app_data|ret recv",
          after=r"recv from \w+ \[v[23] .*dh-(commit|key)", scenarios="reflected|schedule.*", stops=True),
    Entry("`OTRL_INSTAG_RECENT*` when the last one heard has no session", r"cb policy \w+/", r"cb policy \w+/",
          after=r"> (send|query|fragsend) \w+ [234] ", stops=True),
    Entry(SMP_SESSION, r"cb write_fingerprints|handle_smp_event|inject \w+ \[v\d .*data",
          "?handle_smp_event|cb max_message_size|inject", scenarios="smp_and_trust|schedule.*", when="refreshed", stops=True),
    Entry("| An SMP that goes on with somebody who has another key | goes on", r"cb max_message_size|inject|> recv from",
          r"cb handle_smp_event \S+ 1 0 |> recv from", scenarios="smp_and_trust|schedule.*", when="refreshed", stops=True),
    # Only the members of the master context; they are NULL in libotr until something happens.
    Entry(RECENT, r"/0 (rcvd|sent|recent) ( -> NULL|NULL -> )", r"/0 (rcvd|sent|recent) "),
    Entry(RECENT, r"process ended", "", scenarios="to_the_recent_without_any", stops=True),
    Entry("`their_instance` and `our_instance` are set before `add_app_data` runs",
          r"cb add_app_data \d+ \w+ 0$", r"cb add_app_data \d+ \w+ [0-9a-f]{3,}$"),
    Entry(FRAGMENTED, None, r"cb max_message_size "),
    Entry(FRAGMENTED, r"inject .*( data flags=1|OTR Error|OTRv)", r"cb max_message_size|inject .* fragment ",
          scenarios="internal_messages_in_fragments|schedule.*", stops=True),
    Entry("The empty message of a finished session under `OTRL_FRAGMENT_SEND_ALL`", r"inject \w+ ''$", None, after="fragments=1$"),
    # The message itself changes its place among the callbacks; that it goes out shows where it arrives.
    Entry(FREED, r"cb (otr_error_message_free|resent_msg_prefix_free)|inject \w+ '\?OTR Error",
          r"cb (otr_error_message_free|resent_msg_prefix_free|max_message_size)|inject \w+ '\?OTR Error"),
    Entry(WIPED, WIPED_LINES, WIPED_LINES, when="aged"),
    Entry(WIPED, r"cb add_app_data|cb max_message_size|inject .*reveal-sig", IGNORED,
          scenarios="late_answer_without_polling|schedule.*", after=DH_KEY_COMES, when="aged", stops=True),
    Entry(OLDER, r"(message|inject \w+) (\[v[23] .*data|fragment \|)",
          r"(message|inject \w+) (\[v[12] .*data|fragment  )|max_message",
          scenarios="schedule.*", stops=True),
    Entry(COMMIT, r"(auth_)?version \d -> \d$", r"(auth_)?version \d -> \d$", after=r"recv from \w+ .*(dh-commit|cut off|like )"),
    Entry(COMMIT, r"(auth_)?version \d -> \d$", r"(auth_)?version \d -> \d$", scenarios="schedule.*", follows=True),
    Entry(DH_KEY, r"msgstate [012] -> [02]$", None, after=DH_KEY_COMES),
    Entry(DH_KEY, r"cb gone_secure |msgstate [02] -> 1$", r"cb still_secure |msgstate 2 -> 1$"),
    Entry(DH_KEY, r"cb still_secure \w+/[1-9a-f]\w+ ", r"cb gone_secure \w+/[1-9a-f]\w+ "),
    Entry(DH_KEY, "", "", when="apart", follows=True, stops=True),
    # From here on they differ about which instance is the best one.
    Entry(BESIDE, r"/[1-9a-f]\w+ msgstate  -> 1$", r"/[1-9a-f]\w+ msgstate  -> 2$", scenarios="schedule.*", stops=True),
    # The answer cannot be signed either when the DH-key is damaged.
    Entry(KEYLESS, KEYLESS_LINES, KEYLESS_LINES, after=DH_KEY_COMES,
          scenarios="ake_(truncated|flipped|longer|flipped_everywhere)_v3|no_private_key|key_lost_midway|schedule.*"),
    Entry(KEYLESS, KEYLESS_LINES, KEYLESS_LINES, scenarios="no_private_key|key_lost_midway|schedule.*", follows=True),
    Entry(KEYLESS, "", r"cb (new_fingerprint|update_context_list)", scenarios="schedule.*",
          after=r"recv from \w+ (\[v3 .*reveal-sig|fragment )", follows=True, stops=True),
    Entry(KEYLESS, "", r"cb max_message_size|inject \w+ \[v3 .*dh-commit", scenarios="schedule.*",
          after=r"recv from \w+ (\[v3 .*dh-commit|fragment )", follows=True, stops=True),
    # Our hash is the higher one, or the answer is one to a DH-commit that has lost.
    Entry(CROSSING, r"inject \w+ (\[v3 .*dh-key|fragment \|)", r"inject \w+ (\[v3 .*dh-commit|fragment \|)", when="crossed", stops=True),
    Entry(CROSSING, r"cb max_message_size|cb add_app_data|inject .*reveal-sig", IGNORED, after=r"recv from \w+ (\[v3 .*dh-key|fragment )",
          when="crossed", stops=True),
    # What we had begun goes on beside what they began.
    Entry(CROSSING, "?ret recv|end: ", r"cb (new_fingerprint|update_context_list|max_message_size)",
          after=r"recv from \w+ (\[v3 .*(reveal-sig|signature|dh-key)|fragment )", when="crossed", stops=True),
    Entry(CROSSING, "?ret recv|end: ", r"cb (new_fingerprint|update_context_list)", after=r"recv from \w+ \[v3 .*reveal-sig", when="spoiled",
          scenarios="schedule.*", stops=True, chance=True),
    Entry(CROSSING, r"inject \w+ \[v3 .*dh-key", r"inject \w+ \[v3 .*dh-key", after=r"recv from \w+ \[v3 .*dh-commit", scenarios="schedule.*",
          stops=True, chance=True),
    Entry(CROSSING_2, r"inject \w+ (\[v2 dh-key|fragment  )", r"inject \w+ (\[v2 dh-commit|fragment  )", when="crossed", stops=True),
    Entry(CROSSING_2, None, r"cb max_message_size|inject .*reveal-sig", after=r"recv from \w+ (\[v2 dh-key|fragment)", when="crossed",
          stops=True),
    Entry(REVEAL, "?ret recv hidden", r"cb (new_fingerprint|update_context_list)", when="spoiled", stops=True, chance=True),
    # libotr goes on with freed memory: it crashes at one time, and not at another.
    Entry("A fingerprint that is active in any instance is not forgotten", "", "", scenarios="active_fingerprint_forgotten",
          after="alice> (context bob 1 forgetprint|recv from)", stops=True),
    Entry(FORGOTTEN, r"(rcvd|sent|recent) .*GONE", r"(rcvd|sent|recent) "),
    Entry(FORGOTTEN, r"(rcvd|sent|recent) ", r"(rcvd|sent|recent) ", scenarios="context_forgotten_midway"),
    Entry(EMPTY, "cb resent_msg_prefix", None, scenarios="empty_text_not_resent|heartbeat_conditions|schedule.*", stops=True),
    Entry("A text is due to be sent again, but another key answers now", r"cb max_message_size|inject", "handle_msg_event .* 2 ",
          scenarios="resend_to_another_key|schedule.*", stops=True),
    Entry(RESENT, None, r"cb max_message_size|inject \w+ \[v\d .*data flags=0|cb resent_msg_prefix",
          after=r"recv from \w+ (\[v\d .*signature|\[v1 key-exchange reply=1|fragment)", stops=True, chance=True),
    Entry("A fragment that comes twice", "", "", when="repeated", stops=True),
    Entry(TAGLESS, r"inject \w+ \[v3 from=0 ", r"inject \w+ \[v3 from=[1-9a-f]", scenarios="no_instance_tags|tags_lost_midway", stops=True),
    Entry("Tags 5 to 0xff find nothing", r"cb add_app_data", None, scenarios="to_no_instance", stops=True),
    Entry(UNASKED, r"process ended", "", scenarios="respond_unasked", stops=True),
    Entry(UNASKED, r"cb max_message_size|inject", None, scenarios="schedule.*", after="> respond ", stops=True),
    Entry("lines longer than libotr's reader takes, are left out", "", "",
          scenarios="fingerprints: (999 bytes|names that cannot be read back)"),
    Entry(FALSE_SMP, r"secret", r"secret", scenarios="odd_tlvs_received|smp_cheated_.*"),
    Entry(NO_KEY, r"cb max_message_size", "", scenarios="smp_without_a_key", after="> (smp|respond) ", stops=True),
    # What was in memory decides whether a number in it has a leading zero.
    Entry(NO_KEY, r"inject \w+ \[v3 .*data flags=1 ", r"inject \w+ \[v3 .*data flags=1 ", scenarios="smp_without_a_key",
          stops=True, chance=True),
]
