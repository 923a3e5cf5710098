"""The differences that docs/differences.md explains. Nothing else may differ."""

from dataclasses import dataclass


@dataclass
class Entry:
    """Lines of a trace that differ for a reason.

    `quote` stands in docs/differences.md word for word. `real` and `ours` are patterns that each of the differing lines
    must match; None means that there must be no such line, "" that there may be any. An entry that `stops` is about a
    conversation that goes another way from here on: the patterns are for the first line, and the rest is not compared.
    """

    quote: str
    real: str | None
    ours: str | None
    scenarios: str = ""
    pairings: tuple = ()
    stops: bool = False
    used: int = 0


EXPLAINED = [
    # Only the members of the master context; they are NULL in libotr until something happens.
    Entry("`OTRL_INSTAG_RECENT*` for a correspondent without a session", r"/0 (rcvd|sent|recent) ( -> NULL|NULL -> )",
          r"/0 (rcvd|sent|recent) "),
    Entry("An instance made without a master gets one first; `add_app_data` runs for both.",
          r"cb add_app_data \d+ \w+ 0$", r"cb add_app_data \d+ \w+ [0-9a-f]{3,}$"),
    Entry("Heartbeats, goodbyes, error messages, queries after an error", None, r"cb max_message_size "),
]
