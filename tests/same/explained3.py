"""The differences from libotr 3.2 that docs/differences.md explains. Nothing else may differ. See explained.py."""

from explained import Entry

# A message that goes out in fragments, or might.
FRAGMENTED = "Heartbeats, goodbyes, error messages, queries after an error"
HEARTBEAT = "Heartbeats are sent; 3.2's own code never gets that far."
FILES = "Key files are read whole before anything is replaced"
LONG_LINES = "lines longer than libotr's reader takes, are left out"
FAILED = "a message of an exchange that fails leaves no session id in `OtrlAuthInfo`"
FALSE_SMP = "A first SMP message that cannot be parsed"
NO_KEY = "An SMP begun or answered when our own key is gone"
UNASKED = "`otrl_message_respond_smp` when nobody asked"
TWICE = "A fragment that comes twice"
V3_FRAGMENTS = "Fragments of version 3 are dropped"
ACTIVE = "A fingerprint that is active in any instance is not forgotten"
CROSSING = "The same, version 2"
REVEAL = "A reveal signature message comes while our own DH-commit waits"
EMPTY = "An empty internal message (heartbeat, SMP) was the last one sent when the session was lost"
OTHER_KEY = "A text is due to be sent again, but another key answers now"
RESENT = "A text waits, and the session is one that we began ourselves"
ARGUMENTS = "A missing argument of `otrl_message_sending` gives an error, not success."

EXPLAINED = [
    Entry(FRAGMENTED, None, r"cb max_message_size ", name="3.2: sizes of internal messages"),
    Entry(FRAGMENTED, r"inject .*( data flags=1|OTR Error|OTRv)", r"cb max_message_size|inject .* fragment ",
          scenarios="internal_messages_in_fragments|schedule.*", stops=True, name="3.2: internal messages in fragments"),
    Entry(HEARTBEAT, None, r"cb max_message_size|inject .* data flags=1", after=r"recv from \w+ (\[v\d data|fragment )", stops=True,
          name="3.2: heartbeats"),
    Entry(FILES, r"- us keys alice.* -> \|", None, scenarios="key_files", stops=True, name="3.2: keys lost with a file"),
    Entry(LONG_LINES, r"written: .*b{900}", r"written: ", scenarios="fingerprint_files", stops=True, name="3.2: long lines"),
    Entry(FAILED, r" auth_sid \d+ -> \d+$", r" auth_sid \d+ -> \d+$", name="3.2: session id of a failed exchange"),
    Entry(FALSE_SMP, r" secret |handle_smp_event .* secret=1", r" secret |handle_smp_event .* secret=0", name="3.2: false first SMP"),
    Entry(NO_KEY, r"cb max_message_size", "", scenarios="smp_without_a_key", after="> (smp|respond) ", stops=True,
          name="3.2: SMP without a key"),
    Entry(UNASKED, r"process ended", "", after="> respond ", stops=True, name="3.2: SMP that nobody asked for"),
    Entry(CROSSING, None, r"cb max_message_size|inject .*reveal-sig", after=r"recv from \w+ (\[v2 dh-key|fragment)", when="crossed",
          stops=True, name="3.2: an answer after all to a DH-commit that lost"),
    Entry(REVEAL, "?ret recv hidden", r"cb (new_fingerprint|update_context_list)", when="spoiled", stops=True,
          name="3.2: a reveal signature message out of place"),
    Entry(EMPTY, r"cb max_message_size|inject \w+ \[v\d data .* text=10 ", None, stops=True, name="3.2: an empty text sent again"),
    Entry(OTHER_KEY, r"cb max_message_size|inject", r"cb (display_otr_message|notify) .*not encrypted for them", stops=True,
          name="3.2: a text sent again to another key"),
    Entry(RESENT, None, r"cb max_message_size|inject \w+ \[v\d .*data flags=0",
          after=r"recv from \w+ (\[v\d .*signature|\[v1 key-exchange reply=1|fragment)", stops=True,
          name="3.2: a text that waits for who began"),
    Entry(TWICE, "", "", when="repeated", stops=True, name="3.2: a fragment twice"),
    Entry(V3_FRAGMENTS, r"ret recv hidden=0", r"cb log_message .*unknown kind|ret recv hidden=1", after=r"\?OTR\||fragment \|", name="3.2: fragments of version 3"),
    Entry(ACTIVE, r" active .*-> GONE", None, scenarios="active_fingerprint_forgotten", stops=True,
          name="3.2: the active fingerprint is forgotten"),
    Entry(ARGUMENTS, r"ret send err=0 ", r"ret send err=[1-9a-f]", scenarios="text_left_out", name="3.2: a text left out"),
]
