"""The differences that docs/differences.md explains. Nothing else may differ."""

import re
from dataclasses import dataclass


@dataclass
class Entry:
    """Lines of a trace that differ for a reason.

    `difference` is the name in square brackets of a difference in docs/differences.md. `real` and `ours` are patterns that each of
    the differing lines must match; None means that there is no such line. An entry that `stops` is about a conversation that goes
    another way from here on: the patterns are for the first line of each ("" for whatever it is, "?" before a pattern for no line
    or one that matches), and the rest is not compared.
    `scenarios` is a pattern for the names of those that it is about, `after` one for the last thing that a user did.
    `follows` is for consequences: an entry of the same difference must have explained something before. `when` names a condition
    of compare.py: both have a DH-commit under way (crossed), that DH-commit is older than a minute (aged), a fragment came twice
    (repeated), any message did (again), there was more than one session (refreshed), the same messages publish other MAC keys
    (regrouped), a reveal signature message came out of place before (spoiled), a context is in another state already (apart). An
    entry by `chance` need not explain something in every run.
    Those of explained3.py have a `name` of their own.
    """

    difference: str
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


def names_in(document):
    """The names of differences in docs/differences.md: words with a hyphen in square brackets, which are no link."""
    return re.findall(r"\[([a-z0-9]+(?:-[a-z0-9.]+)+)\](?!\()", document)


# No line that is not there as well, or the end of the answer.
IGNORED = "?ret recv hidden|cb add_app_data"
# A damaged message may be one too.
DH_KEY_COMES = r"recv from \w+ (\[v.*dh-key|\[cut off|like |fragment |'\?OTR:AAMK)"
WIPED_LINES = r"/0 (authstate [01] -> [012]|initiated [01] -> [01]|auth_version \d -> \d)$"
KEYLESS_LINES = r"/[1-9]\w+ (authstate|initiated|auth_version|version) \d? ?-> \d$"


EXPLAINED = [
    Entry("mac-keys", r"data .*revealed=", r"data .*revealed=", when="regrouped"),
    # A message that was damaged on its way: of another length, since it publishes other keys.
    Entry("mac-keys", r"> recv from \w+ (like|\[cut off|fragment)", r"> recv from \w+ (like|\[cut off|fragment)",
          scenarios="schedule.*",
          when="refreshed", stops=True, chance=True),
    Entry("no-session", "", r"cb otr_error_message \S+ 2", stops=True),
    Entry("no-session", "", r"cb add_app_data \d+ \w+ [0-9a-f]{3,}$|cb update_context_list|handle_msg_event \S+ (7|15) ",
          after=r"recv from \w+ (\[v3 .*data|fragment |like )", stops=True),
    Entry("data-twice", r"handle_msg_event \S+ 8 ", None, after=r"recv from \w+ (\[v\d .*data|fragment |like )",
          when="again", stops=True),
    Entry("data-twice", r"handle_msg_event \S+ 8 ", None, after=r"recv from \w+ (\[v\d .*data|fragment |like )", 
          scenarios="schedule.*|data_replayed|fragments_for_other_instances", stops=True, chance=True),
    Entry("session-before", r"handle_msg_event \S+ 8 ", "?cb convert_msg|ret recv|handle_smp|cb max_message|handle_msg",
          after=r"recv from \w+ (\[v\d .*data|fragment |like )", when="refreshed", stops=True),
    Entry("resent-v3", "", r"cb resent_msg_prefix",
          after=r"recv from \w+ (\[v\d .*(reveal-sig|signature|key-exchange)|fragment |like )", stops=True),
    Entry("waiting-texts", "", r"cb max_message_size|inject \w+ (\[v\d .*data flags=0|fragment )",
          after=r"recv from \w+ (\[v\d .*(reveal-sig|signature|key-exchange)|fragment |like )", stops=True),
    Entry("query-under-way", r"inject \w+ (\[v[23] .*dh-commit|fragment )",
          r"inject \w+ (\[v[23] .*dh-(commit|key)|\[v[23] .*reveal-sig|fragment )",
          stops=True),
    Entry("query-under-way", r"half -1 -> [01]", r"half -1 -> [01]", scenarios="required|schedule.*", stops=True),
    Entry("v1-in-session", r"inject \w+ \[v1 key-exchange", r"inject \w+ \[v1 key-exchange", stops=True),
    Entry("own-message-back", r"cb (add_app_data|max_message_size)|inject", "?cb add_app_data|ret recv",
          after=r"recv from \w+ \[v[23] .*dh-(commit|key)", scenarios="reflected|schedule.*", stops=True),
    Entry("recent-with-session", r"cb policy \w+/", r"cb policy \w+/",
          after=r"> (send|query|fragsend) \w+ [234] ", stops=True),
    Entry("smp-after-refresh", r"cb write_fingerprints|handle_smp_event|inject \w+ \[v\d .*data",
          "?handle_smp_event|cb max_message_size|inject", scenarios="smp_and_trust|schedule.*", when="refreshed", stops=True),
    Entry("smp-other-key", r"cb max_message_size|inject|> recv from",
          r"cb handle_smp_event \S+ 1 0 |> recv from", scenarios="smp_and_trust|schedule.*", when="refreshed", stops=True),
    # Only the members of the master context; they are NULL in libotr until something happens.
    Entry("recent-without-session", r"/0 (rcvd|sent|recent) ( -> NULL|NULL -> )", r"/0 (rcvd|sent|recent) "),
    Entry("recent-without-session", r"process ended", "", scenarios="to_the_recent_without_any", stops=True),
    Entry("tags-set-early",
          r"cb add_app_data \d+ \w+ 0$", r"cb add_app_data \d+ \w+ [0-9a-f]{3,}$"),
    Entry("internal-messages-cut", None, r"cb max_message_size "),
    Entry("internal-messages-cut", r"inject .*( data flags=1|OTR Error|OTRv)", r"cb max_message_size|inject .* fragment ",
          scenarios="internal_messages_in_fragments|schedule.*", stops=True),
    Entry("empty-of-finished", r"inject \w+ ''$", None, after="fragments=1$"),
    # The message itself changes its place among the callbacks; that it goes out shows where it arrives.
    Entry("texts-freed-early", r"cb (otr_error_message_free|resent_msg_prefix_free)|inject \w+ '\?OTR Error",
          r"cb (otr_error_message_free|resent_msg_prefix_free|max_message_size)|inject \w+ '\?OTR Error"),
    Entry("dh-key-wiped", WIPED_LINES, WIPED_LINES, when="aged"),
    Entry("dh-key-wiped", r"cb add_app_data|cb max_message_size|inject .*reveal-sig", IGNORED,
          scenarios="late_answer_without_polling|schedule.*", after=DH_KEY_COMES, when="aged", stops=True),
    Entry("older-session", r"(message|inject \w+) (\[v[23] .*data|fragment \|)",
          r"(message|inject \w+) (\[v[12] .*data|fragment  )|max_message",
          scenarios="schedule.*", stops=True),
    Entry("bad-dh-commit", r"(auth_)?version \d -> \d$", r"(auth_)?version \d -> \d$",
          after=r"recv from \w+ .*(dh-commit|cut off|like )"),
    Entry("bad-dh-commit", r"(auth_)?version \d -> \d$", r"(auth_)?version \d -> \d$", scenarios="schedule.*", follows=True),
    Entry("dh-key-beside-session", r"msgstate [012] -> [02]$", None, after=DH_KEY_COMES),
    Entry("dh-key-beside-session", r"cb gone_secure |msgstate [02] -> 1$", r"cb still_secure |msgstate 2 -> 1$"),
    Entry("dh-key-beside-session", r"cb still_secure \w+/[1-9a-f]\w+ ", r"cb gone_secure \w+/[1-9a-f]\w+ "),
    Entry("dh-key-beside-session", "", "", when="apart", follows=True, stops=True),
    # From here on they differ about which instance is the best one.
    Entry("v3-beside-v2", r"/[1-9a-f]\w+ msgstate  -> 1$", r"/[1-9a-f]\w+ msgstate  -> 2$", scenarios="schedule.*", stops=True),
    # The answer cannot be signed either when the DH-key is damaged.
    Entry("dh-key-without-private-key", KEYLESS_LINES, KEYLESS_LINES, after=DH_KEY_COMES,
          scenarios="ake_(truncated|flipped|longer|flipped_everywhere)_v3|no_private_key|key_lost_midway|schedule.*"),
    Entry("dh-key-without-private-key", KEYLESS_LINES, KEYLESS_LINES,
          scenarios="no_private_key|key_lost_midway|schedule.*", follows=True),
    Entry("dh-key-without-private-key", "", r"cb (new_fingerprint|update_context_list)", scenarios="schedule.*",
          after=r"recv from \w+ (\[v3 .*reveal-sig|fragment )", follows=True, stops=True),
    Entry("dh-key-without-private-key", "", r"cb max_message_size|inject \w+ \[v3 .*dh-commit", scenarios="schedule.*",
          after=r"recv from \w+ (\[v3 .*dh-commit|fragment )", follows=True, stops=True),
    # Our hash is the higher one, or the answer is one to a DH-commit that has lost.
    Entry("crossing-v3", r"inject \w+ (\[v3 .*dh-key|fragment \|)", r"inject \w+ (\[v3 .*dh-commit|fragment \|)",
          when="crossed", stops=True),
    Entry("crossing-v3", r"cb max_message_size|cb add_app_data|inject .*reveal-sig", IGNORED,
          after=r"recv from \w+ (\[v3 .*dh-key|fragment )",
          when="crossed", stops=True),
    # What we had begun goes on beside what they began.
    Entry("crossing-v3", "?ret recv|end: ", r"cb (new_fingerprint|update_context_list|max_message_size)",
          after=r"recv from \w+ (\[v3 .*(reveal-sig|signature|dh-key)|fragment )", when="crossed", stops=True),
    Entry("crossing-v3", "?ret recv|end: ", r"cb (new_fingerprint|update_context_list)",
          after=r"recv from \w+ \[v3 .*reveal-sig", when="spoiled",
          scenarios="schedule.*", stops=True, chance=True),
    Entry("crossing-v3", r"inject \w+ \[v3 .*dh-key", r"inject \w+ \[v3 .*dh-key", after=r"recv from \w+ \[v3 .*dh-commit",
          scenarios="schedule.*",
          stops=True, chance=True),
    Entry("crossing-v2", r"inject \w+ (\[v2 dh-key|fragment  )", r"inject \w+ (\[v2 dh-commit|fragment  )", when="crossed",
          stops=True),
    Entry("crossing-v2", None, r"cb max_message_size|inject .*reveal-sig", after=r"recv from \w+ (\[v2 dh-key|fragment)",
          when="crossed",
          stops=True),
    Entry("reveal-while-waiting", "?ret recv hidden", r"cb (new_fingerprint|update_context_list)", when="spoiled",
          stops=True, chance=True),
    # libotr goes on with freed memory: it crashes at one time, and not at another.
    Entry("active-fingerprint", "", "", scenarios="active_fingerprint_forgotten",
          after="alice> (context bob 1 forgetprint|recv from)", stops=True),
    Entry("forgotten-instance", r"(rcvd|sent|recent) .*GONE", r"(rcvd|sent|recent) "),
    Entry("forgotten-instance", r"(rcvd|sent|recent) ", r"(rcvd|sent|recent) ", scenarios="context_forgotten_midway"),
    Entry("empty-not-resent", "cb resent_msg_prefix", None,
          scenarios="empty_text_not_resent|heartbeat_conditions|schedule.*", stops=True),
    Entry("resent-to-other-key", r"cb max_message_size|inject", "handle_msg_event .* 2 ",
          scenarios="resend_to_another_key|schedule.*", stops=True),
    Entry("text-of-who-began", None, r"cb max_message_size|inject \w+ \[v\d .*data flags=0|cb resent_msg_prefix",
          after=r"recv from \w+ (\[v\d .*signature|\[v1 key-exchange reply=1|fragment)", stops=True, chance=True),
    Entry("fragment-twice", "", "", when="repeated", stops=True),
    Entry("no-instance-tag", r"inject \w+ \[v3 from=0 ", r"inject \w+ \[v3 from=[1-9a-f]",
          scenarios="no_instance_tags|tags_lost_midway", stops=True),
    Entry("reserved-tags", r"cb add_app_data", None, scenarios="to_no_instance", stops=True),
    Entry("respond-unasked", r"process ended", "", scenarios="respond_unasked", stops=True),
    Entry("respond-unasked", r"cb max_message_size|inject", None, scenarios="schedule.*", after="> respond ", stops=True),
    Entry("long-lines", "", "",
          scenarios="fingerprints: (999 bytes|names that cannot be read back)"),
    Entry("bad-first-smp", r"secret", r"secret", scenarios="odd_tlvs_received|smp_cheated_.*"),
    Entry("smp-without-key", r"cb max_message_size", "", scenarios="smp_without_a_key", after="> (smp|respond) ", stops=True),
    # What was in memory decides whether a number in it has a leading zero.
    Entry("smp-without-key", r"inject \w+ \[v3 .*data flags=1 ", r"inject \w+ \[v3 .*data flags=1 ", scenarios="smp_without_a_key",
          stops=True, chance=True),
]
