"""The differences that docs/differences.md explains. Nothing else may differ."""

from dataclasses import dataclass


@dataclass
class Entry:
    """Lines of a trace that differ for a reason.

    `quote` stands in docs/differences.md word for word. `real` and `ours` are patterns that each of the differing lines
    must match; None means that there must be no such line. `after` is a pattern for one of the few lines before.
    An entry that `stops` is about a conversation that goes another way from here on: the patterns are for the first
    line, and the rest is not compared. `scenarios` is a pattern for the names of those that it is about. `follows` is
    for consequences: an entry with the same quote must have explained something earlier in this trace. `crossed`: both
    sides had a DH-commit under way. `aged`: the DH-commit that is answered is older than a minute. `among` is a pattern for one of the lines.
    """

    quote: str
    real: str | None
    ours: str | None
    scenarios: str = ""
    after: str = ""
    stops: bool = False
    follows: bool = False
    crossed: bool = False
    aged: bool = False
    among: str = ""
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
WIPED_LINES = r"/0 (authstate [01] -> [01]|initiated [01] -> [01]|auth_version \d -> \d)$"

EXPLAINED = [
    # Only the members of the master context; they are NULL in libotr until something happens.
    Entry(RECENT, r"/0 (rcvd|sent|recent) ( -> NULL|NULL -> )", r"/0 (rcvd|sent|recent) "),
    Entry(RECENT, r"process ended", "", scenarios="to_the_recent_without_any", stops=True),
    Entry("`their_instance` and `our_instance` are set before `add_app_data` runs",
          r"cb add_app_data \d+ \w+ 0$", r"cb add_app_data \d+ \w+ [0-9a-f]{3,}$"),
    Entry(FRAGMENTED, None, r"cb max_message_size "),
    Entry(FRAGMENTED, r"inject .*( data flags=1|OTR Error|OTRv)", r"cb max_message_size|inject ",
          scenarios="internal_messages_in_fragments|schedule.*", stops=True),
    Entry("The empty message of a finished session under `OTRL_FRAGMENT_SEND_ALL`", r"inject \w+ ''$", "",
          scenarios="finished_and_all_sent|schedule.*", stops=True),
    # The message itself changes its place among the callbacks; that it goes out shows where it arrives.
    Entry(FREED, r"cb (otr_error_message_free|resent_msg_prefix_free)|inject \w+ '\?OTR Error",
          r"cb (otr_error_message_free|resent_msg_prefix_free|max_message_size)|inject \w+ '\?OTR Error"),
    Entry(WIPED, WIPED_LINES, WIPED_LINES),
    Entry(WIPED, r"cb add_app_data|cb max_message_size|inject .*reveal-sig", "", scenarios="late_answer_without_polling|schedule.*", aged=True,
          after=r"recv from \w+ .*dh-key", stops=True),
    Entry("A session of version 2 goes on while an exchange of version 3 begins", r"(message|inject \w+) \[v3 .*data",
          r"(message|inject \w+) \[v2 .*data|max_message", scenarios="schedule.*", stops=True),
    Entry(COMMIT, r"(auth_)?version \d -> \d$", r"(auth_)?version \d -> \d$"),
    Entry(DH_KEY, r"msgstate [12] -> 0$", None),
    Entry(DH_KEY, r"cb gone_secure |msgstate 0 -> 1$", r"cb still_secure |msgstate 2 -> 1$"),
    Entry(DH_KEY, "", "", follows=True, stops=True),
    # The answer cannot be signed either when the DH-key is damaged.
    Entry("A DH-key arrives while there is no private key yet", r"/[1-9]\w+ (authstate|initiated) \d? ?-> \d$",
          r"/[1-9]\w+ (authstate|initiated) \d? ?-> \d$",
          scenarios="ake_(truncated|flipped|longer)_v3|no_private_key|key_lost_midway|schedule.*"),
    Entry(CROSSING, "", "", scenarios="crossing_(v3.*|queries)|reflected", stops=True),
    Entry(CROSSING_2, "", "", scenarios="crossing_v2.*", stops=True),
    Entry(CROSSING, "", "", scenarios="schedule.*", crossed=True, stops=True),
    Entry("A fingerprint that is active in any instance is not forgotten", "", "",
          scenarios="active_fingerprint_forgotten", stops=True),
    Entry(FORGOTTEN, r"(rcvd|sent|recent) .*GONE", r"(rcvd|sent|recent) "),
    Entry(FORGOTTEN, r"(rcvd|sent|recent) ", r"(rcvd|sent|recent) ", scenarios="context_forgotten_midway|schedule.*"),
    Entry("An empty internal message (heartbeat, SMP) was the last one sent when the session was lost",
          "cb resent_msg_prefix", "", scenarios="empty_text_not_resent|schedule.*", among=r"data flags=0 .* text=9 ", stops=True),
    Entry("A text is due to be sent again, but another key answers now", r"cb max_message_size|inject", "handle_msg_event .* 2 ",
          scenarios="resend_to_another_key|schedule.*", stops=True),
    Entry("A fragment that comes twice", "", "", scenarios="fragment_twice|schedule.*", after=r"recv from \w+ fragment", stops=True),
    Entry("No `create_instag` callback, or it makes no tag", "", "", scenarios="no_instance_tags", stops=True),
    Entry("Tags 5 to 0xff find nothing", "", "", scenarios="to_no_instance", stops=True),
    Entry("`otrl_message_respond_smp` when nobody asked", r"process ended", "", scenarios="respond_unasked", stops=True),
    Entry("lines longer than libotr's reader takes, are left out", "", "", scenarios="fingerprints: 999 bytes"),
    Entry("`otrl_message_respond_smp` when nobody asked", r"cb max_message_size|inject", "", scenarios="schedule.*",
          after=r"> respond ", stops=True),
    Entry("A first SMP message that cannot be parsed", r"secret", r"secret", scenarios="odd_tlvs_received"),
]
