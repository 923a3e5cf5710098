"""The differences from libotr 3.2 that docs/differences.md explains. Nothing else may differ. See explained.py."""

from explained import HELD, MAC_KEYS, NO_SESSION, QUERY, SMP_SESSION, TWICE as DATA_TWICE, UNDER_WAY, VERSION_1, Entry

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
ARGUMENTS = "A missing argument of `otrl_message_sending` gives an error, not success."

DATA_COMES = r"recv from \w+ (\[v\d .*data|fragment |like |\[cut off)"
EXCHANGE_ENDS = r"recv from \w+ (\[v\d .*(reveal-sig|signature|key-exchange)|fragment |like )"

EXPLAINED = [
    Entry(MAC_KEYS, r"data .*revealed=", r"data .*revealed=", when="regrouped", name="3.2: MAC keys in a goodbye"),
    Entry(MAC_KEYS, r"> recv from \w+ (like|\[cut off|fragment|\[v\d data)",
          r"> recv from \w+ (like|\[cut off|fragment|\[v\d data)", scenarios="smp_and_trust|schedule.*", when="refreshed", stops=True, chance=True, name="3.2: a damaged message with other MAC keys"),
    Entry(NO_SESSION, r"cb account_name \w+|inject \w+ .\?OTR Error", None, after=DATA_COMES, stops=True,
          name="3.2: an error message at each message without a session"),
    Entry(DATA_TWICE, r"cb (display_otr_message|notify|account_name)", None, after=DATA_COMES, when="again", stops=True,
          name="3.2: a data message twice"),
    Entry(UNDER_WAY, r"cb (display_otr_message|notify|account_name)|ret recv", "?cb |ret recv", after=DATA_COMES, when="refreshed", stops=True,
          name="3.2: a message of the session before"),
    Entry(HELD, r"/0 again ", None, name="3.2: what waits is not in the context"),
    Entry(HELD, r"/0 again  -> 2$", r"/0 again  -> 0$", name="3.2: in a new context either"),
    Entry(HELD, r"?^(?!.*inject \w+ \[v\d .*data flags=0)", r"cb max_message_size|inject \w+ (\[v\d .*data flags=0|fragment )",
          after=EXCHANGE_ENDS, stops=True,
          name="3.2: all that waits is sent"),
    # Where two texts wait. Elsewhere the two send the same one, so that its prefix is compared.
    Entry(HELD, r"inject \w+ \[v\d .*data flags=0", r"inject \w+ \[v\d .*data flags=0", after=EXCHANGE_ENDS, stops=True,
          scenarios="required|resend_required|schedule_(66|119|150)", name="3.2: in order"),
    Entry(QUERY, r"inject \w+ (\[v2 .*dh-commit|fragment )", r"inject \w+ (\[v2 .*dh-(commit|key)|\[v2 .*reveal-sig|fragment )",
          stops=True, name="3.2: a query while an exchange is under way"),
    Entry(QUERY, r"half -1 -> [01]", r"half -1 -> [01]", scenarios="required|schedule.*", stops=True, chance=True,
          name="3.2: which end of a session it is"),
    Entry(VERSION_1, r"inject \w+ \[v1 key-exchange", r"inject \w+ \[v1 key-exchange", stops=True,
          name="3.2: version 1 inside a session"),
    Entry(SMP_SESSION, r"cb write_fingerprints|inject \w+ \[v\d .*data", "?cb max_message_size|inject",
          scenarios="smp_and_trust|schedule.*", when="refreshed", stops=True, name="3.2: an SMP of the session before"),
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
    Entry(CROSSING, r"inject \w+ (\[v2 dh-key|fragment  )", r"inject \w+ (\[v2 dh-commit|fragment  )", when="crossed", stops=True,
          chance=True, name="3.2: a DH-commit answered that lost"),
    Entry(REVEAL, "?ret recv hidden", r"cb (new_fingerprint|update_context_list)", when="spoiled", stops=True,
          chance=True, name="3.2: a reveal signature message out of place"),
    Entry(EMPTY, r"cb max_message_size|inject \w+ \[v\d data .* text=10 ", None, stops=True, name="3.2: an empty text sent again"),
    Entry(OTHER_KEY, r"cb max_message_size|inject", r"cb (display_otr_message|notify) .*not encrypted for them", stops=True,
          name="3.2: a text sent again to another key"),
    Entry(TWICE, "", "", when="repeated", stops=True, name="3.2: a fragment twice"),
    Entry(V3_FRAGMENTS, r"ret recv hidden=0", r"cb log_message .*unknown kind|ret recv hidden=1", after=r"\?OTR\||fragment \|", name="3.2: fragments of version 3"),
    Entry(ACTIVE, r" active .*-> GONE", None, scenarios="active_fingerprint_forgotten", stops=True,
          name="3.2: the active fingerprint is forgotten"),
    Entry(ARGUMENTS, r"ret send err=0 ", r"ret send err=[1-9a-f]", scenarios="text_left_out", name="3.2: a text left out"),
]
