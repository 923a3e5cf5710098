"""Writes docs/clients.md and docs/clients/*.png from the results of the runs, or checks that nobody has edited it."""

import glob
import hashlib
import json
import os
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(PROJECT, "tests", "support"))

from clients import DRIVERS, NOT_DRIVEN
from steps import STEPS

DOCUMENT = os.path.join(PROJECT, "docs", "clients.md")
PICTURES = os.path.join(PROJECT, "docs", "clients")
TARGET = os.path.join(os.path.abspath(os.environ.get("CARGO_TARGET_DIR") or os.path.join(PROJECT, "target")), "clients")
PAIRINGS = ["real,real", "ours,real", "ours,ours"]
HEAD = "<!-- Written by `make clients` from what it has seen; an edit by hand is refused. Digest: {} -->\n"

INTRODUCTION = """\
# Clients on this library

Real clients, unmodified, from the packages of Debian 12, in a conversation of two: A and B have the same client, over a server of
their own. *real* is Debian's libotr 4.1.1, *ours* is this library; `/proc/PID/maps` is looked at after each start. Each step is judged
by what the client itself shows. tests/clients/README.md says how the clients are driven.

- **ok**: it is so. **FAILED**: it is not. **-**: left out; the reason is below the table.
- *told the same*: what the client says in the conversation, line by line, is what it says with libotr on both sides, except for what
  [differences.md](differences.md) lists. Not compared are the second login, quitting, and Thunderbird's restart, where it depends on the
  moment.
- When a client has crashed, and comes back to a message that it cannot read: one on this library must be told, one on libotr need not
  ([no-session] in differences.md).

"""


def main(arguments):
    if arguments == ["--check"]:
        return check()
    results = {}
    for path in glob.glob(os.path.join(TARGET, "*.json")):
        with open(path, encoding="utf-8") as file:
            result = json.load(file)
        results[result["client"], result["pairing"]] = result
    missing = [f"{client} ({pairing})" for client in DRIVERS for pairing in PAIRINGS if (client, pairing) not in results]
    if missing:
        print(f"docs/clients.md is not written: there is no result for {', '.join(missing)}", file=sys.stderr)
        return 1
    try:
        with open(os.path.join(TARGET, "packages", "dependents.json"), encoding="utf-8") as file:
            packages = json.load(file)
    except OSError:
        print("docs/clients.md is not written: nothing was seen of the packages that depend on libotr5", file=sys.stderr)
        return 1
    body = (INTRODUCTION + summary(results) + dependents(packages) + "".join(section(client, results) for client in DRIVERS)
            + not_driven())
    with open(DOCUMENT, "w", encoding="utf-8") as file:
        file.write(HEAD.format(digest(body)) + body)
    print(f"docs/clients.md is written, of {len(results)} conversations")
    return 0


def digest(body):
    """Of the text and of the names of the steps: when these change, the document is old."""
    return hashlib.sha256((body + "\n".join(name for name, _ in STEPS)).encode()).hexdigest()[:32]


def check():
    with open(DOCUMENT, encoding="utf-8") as file:
        head, _, body = file.read().partition("\n")
    good = head + "\n" == HEAD.format(digest(body))
    print(f"{'ok' if good else 'not ok'} - docs/clients.md is as `make clients` has written it, for the steps of today")
    print(f"{int(good)} passed, {int(not good)} failed")
    return 0 if good else 1


def counts(result):
    return [sum(outcome == which for _, outcome, *_ in result["lines"]) for which in ("ok", "not ok", "skipped")]


def summary(results):
    lines = ["| client | version | driven by | A and B | passed | failed | left out | seconds |",
             "|---|---|---|---|---|---|---|---|"]
    for client, driver in DRIVERS.items():
        for pairing in PAIRINGS:
            result = results[client, pairing]
            lines.append(f"| [{client}](#{client}) | {result['version']} | {driver.DRIVEN} | {pairing.replace(',', ', ')} | "
                         + " | ".join(str(number) for number in counts(result)) + f" | {result['seconds']:.0f} |")
    return "\n".join(lines) + "\n\n"


def dependents(packages):
    text = ("## Every package that depends on libotr5\n\n"
            f"Those that Debian 12 had on {packages['date']}. *Bound*: of each file in it that asks for functions of libotr, the loader\n"
            "(`ldd -r`) gives it this library, which has all of them.\n\n| package | version | how it is tried |\n|---|---|---|\n")
    text += "".join(f"| {' | '.join(row)} |\n" for row in packages["rows"])
    return text + "\n" + "".join(f"- FAILED: {problem}\n" for problem in packages["failed"]) + ("\n" if packages["failed"] else "")


def section(client, results):
    dates = {results[client, pairing]["date"] for pairing in PAIRINGS}
    text = f"## {client}\n\nVersion {results[client, PAIRINGS[0]]['version']}, tried on {' and '.join(sorted(dates))}.\n\n"
    picture = os.path.join(TARGET, f"{client}.png")
    if os.path.exists(picture):
        os.makedirs(PICTURES, exist_ok=True)
        shutil.copy(picture, os.path.join(PICTURES, f"{client}.png"))
        text += f"![{client} in a conversation on this library](clients/{client}.png)\n\n"
    text += "| what was tried | " + " | ".join(pairing.replace(",", ", ") for pairing in PAIRINGS) + " |\n|---|---|---|---|\n"
    outcomes = {pairing: {line[0]: line for line in results[client, pairing]["lines"]} for pairing in PAIRINGS}
    names = [name for name, _ in STEPS]
    names += sorted({name for lines in outcomes.values() for name in lines} - set(names))
    reasons = {}
    for name in names:
        cells = []
        for pairing in PAIRINGS:
            line = outcomes[pairing].get(name)
            if line is None:
                cells.append("")
            elif line[1] == "skipped":
                cells.append("-")
                reasons.setdefault(line[2], []).append(name)
            else:
                cells.append("ok" if line[1] == "ok" else "FAILED")
                if line[1] != "ok":
                    reasons.setdefault(f"failed ({pairing.replace(',', ', ')}): {line[2][:300]}", []).append(name)
        text += f"| {name.replace('|', ' ')} | " + " | ".join(cells) + " |\n"
    text += "\n"
    for reason, which in reasons.items():
        text += f"- {'; '.join(dict.fromkeys(which))}: {reason}\n"
    earlier = [reason for pairing in PAIRINGS for reason in results[client, pairing]["earlier"]]
    for reason in earlier:
        text += f"- played again, because a client on libotr had ended by itself: {reason}\n"
    return text + ("\n" if reasons or earlier else "")


def not_driven():
    return "## Not driven\n\n" + "".join(f"- {client}: {reason}\n" for client, reason in NOT_DRIVEN.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
