"""The results of the runs: those with this library are compared with the one with only libotr, and all are kept for the document."""

import difflib
import json
import os
import re
import time

from client import NOTICE

REFERENCE = "real,real"

# What is different each time, or has nothing to do with OTR.
CHANGING = [
    (r"\b[0-9A-F]{8}( ?[0-9A-F]{8}){4}\b", "FINGERPRINT"),
    (r"\b(zebra|plain|clear|lost|after|second|answer)[0-9a-f]{12}\b", "WORD"),
    (r"(alice|bob)@localhost(/[\w.-]*\w)?", r"\1"),
    (r"\d+\.\d+\.\d+\.\d+", "ADDRESS"),
    (r"\d\d:\d\d(:\d\d)?", "TIME"),
    (r"in \d+ seconds", "in N seconds"),
]

# Step, what is told more (+) or less (-), and the name in square brackets in docs/differences.md.
EXPLAINED = [
    ("crashes", r"\+ OTR: Received encrypted message, but connection is not established yet! Message lost\.", "no-session"),
    ("crashes", r"\+ The encrypted message received from .* is unreadable, as you are not currently communicating", "no-session"),
    ("crashes", r"\+ Received an encrypted message but it cannot be read because no private connection", "no-session"),
    ("crashes", r"\+ You sent encrypted data to .*, who wasn't expecting it", "no-session"),
    ("crashes", r"\+ The last message to .* was resent", "resent-v3"),
]

# Two logins answer at once, in either order; and who quits last may or may not see that the other has.
NOT_COMPARED = "logged in twice|^quit"


def notices(run):
    """For each step and side, what was told, without what is different each time."""
    found = {}
    for step, sides in run.told:
        if re.search(NOT_COMPARED, step) or re.search(run.driver.UNSURE, step):
            continue
        for side, events in zip("AB", sides):
            lines = []
            for kind, text in events:
                if kind != NOTICE or re.search(run.driver.NOISE, text):
                    continue
                for pattern, instead in CHANGING:
                    text = re.sub(pattern, instead, text)
                lines.append(" ".join(text.split()))
            found[step, side] = lines
    return found


def compare(runs, report, line):
    """A line for each run with this library: what was told is what is told with libotr alone."""
    for run in runs:
        reference = next((other for other in runs if other.driver is run.driver and other.pairing == REFERENCE), None)
        if run is reference or reference is None:
            continue
        expected, told = notices(reference), notices(run)
        different = []
        for place in told:
            for entry in difflib.ndiff(expected.get(place, []), told[place]):
                if entry[0] in "+-" and not explained(place[0], entry):
                    different.append(f"{place[0]}, {place[1]}: {entry}")
        outcome = "not ok" if different else "ok"
        report(run, line("told the same as with libotr on both sides", outcome, "; ".join(different)), different)


def unlisted():
    """The names in EXPLAINED that docs/differences.md does not have."""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "..", "..", "docs", "differences.md"), encoding="utf-8") as file:
        text = file.read()
    return sorted({name for _, _, name in EXPLAINED if f"[{name}]" not in text})


def explained(step, entry):
    return any(re.search(which, step) and re.search(what, entry) for which, what, _ in EXPLAINED)


def keep(runs, directory):
    """The results, for document.py."""
    os.makedirs(directory, exist_ok=True)
    for run in runs:
        name = re.sub(r"\W+", "-", run.name)
        with open(os.path.join(directory, f"{name}.json"), "w", encoding="utf-8") as file:
            lines = [[line.step, line.outcome, line.reason, round(line.seconds, 1)] for line in run.lines]
            json.dump({"client": run.driver.NAME, "pairing": run.pairing, "version": run.version, "seconds": round(run.seconds, 1),
                       "date": time.strftime("%Y-%m-%d"), "lines": lines, "told": run.told, "earlier": run.earlier}, file, indent=1,
                      ensure_ascii=False)
