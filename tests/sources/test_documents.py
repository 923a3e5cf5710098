"""Checks of the documents: that each function and each test in the tables of docs/conformance.md exists, and that each row is
complete; that no link is broken (links.py); that docs/differences.md and tests/differential name the same differences; and
the spelling of everything, by codespell."""

import re
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

import pytest
from needs import packages
from once import ROOT

sys.path.insert(0, str(ROOT / "tests/differential"))

import explained  # noqa: E402
import explained3  # noqa: E402
import links  # noqa: E402

pytestmark = packages("codespell")
PLACES = {"protocol": "crates/otr-protocol/src", "crypto": "crates/otr-crypto/src", "abi": "src/abi",
          "c": "tests/c", "c2": "tests/c2", "robustness": "tests/robustness"}
VERDICTS = ("kept", "in part", "differs")


@lru_cache
def text_of(path):
    """A file's text; None if there is no such file."""
    return path.read_text(encoding="utf-8") if path.is_file() else None


@lru_cache
def all_of(places, pattern):
    """The texts of all files of some kind, in one."""
    return "\n".join(text_of(path) for place in places for path in sorted((ROOT / place).rglob(pattern)))


def defines(text, name, is_test):
    """Whether a text in Rust, C or Python has this function (in Rust another item will do); `is_test`: a test of that name."""
    if is_test and "fn " in text:
        return re.search(rf"#\[test\]\s+(?:#\[[^\n]*\]\s+)*fn {name}\b", text) is not None
    return re.search(rf"\b(?:fn|struct|enum|def) {name}\b|^\w[\w *]*\b{name}\([^;]*\)\s*\{{", text, re.M) is not None


def missing(named, is_test):
    """What is wrong with a name in a table; None if it is there."""
    if re.fullmatch(r"\w+", named) and not is_test:
        found = defines(all_of((PLACES["abi"], PLACES["protocol"]), "*.rs"), named, False)
        return None if found else f"there is no function {named}"
    place, _, name = named.partition(" ")
    if place == "differential":
        return None if defines(all_of(("tests/differential/scenarios",), "*.py"), name, False) else f"there is no scenario {name}"
    top, _, rest = place.partition("/")
    path = ROOT / PLACES.get(top, "none") / (rest if rest.endswith(".rs") else rest + ".c")
    text = text_of(path)
    if text is None:
        return f"there is no file {place}"
    return None if re.fullmatch(r"\w+", name) and defines(text, name, is_test) else f"{place} has no {name}"


def wrong_with(row):
    """What is wrong with a row of a table of docs/conformance.md."""
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
    if len(cells) != 5:
        return [f"{len(cells)} cells instead of 5"]
    rule, verdict, why, functions, tests = cells
    wrong = [] if rule else ["no rule"]
    if verdict not in VERDICTS:
        wrong.append(f"the verdict is none of {', '.join(VERDICTS)}: {verdict!r}")
    if verdict != "kept" and not why:
        wrong.append("no reason")
    for what, cell, is_test in ("function", functions, False), ("test", tests, True):
        names = re.findall(r"`([^`]+)`", cell)
        if re.sub(r"`[^`]+`", "", cell).strip(", ") != ("" if names else "none"):
            wrong.append(f"the cell of the {what} is not a list of names: {cell!r}")
        if not names and not is_test:
            wrong.append("no function")
        wrong += [problem for problem in (missing(name, is_test) for name in names) if problem]
    return wrong


def rows(text):
    """The rows of all tables of a document, without their heads."""
    table = re.findall(r"^\|.*$", text, re.M)
    return [row for row in table if not row.startswith(("| rule |", "|---"))]


# A row that is right, and what must be found wrong when something in it is replaced.
RIGHT = "| A rule | in part | why | `receive`, `protocol/ake.rs on_commit` | `differential smp_aborted`, `c/smp out_of_turn`, " \
        "`protocol/tests/smp.rs an_answer_to_nothing_is_refused` |"
PLANTED = [
    ("A rule", "", "no rule"), ("in part", "partly", "none of kept"), ("why", "", "no reason"), ("| why", "", "4 cells"),
    ("`receive`", "`receives_all`", "no function receives_all"), ("on_commit", "on_commits", "ake.rs has no on_commits"),
    ("protocol/ake.rs", "protocol/bake.rs", "no file protocol/bake.rs"), ("protocol/ake.rs", "procotol/ake.rs", "no file procotol"),
    ("`receive`, `protocol/ake.rs on_commit`", "none", "no function"), ("`receive`,", "receive,", "not a list of names"),
    ("smp_aborted", "smp_abort", "no scenario smp_abort"), ("out_of_turn", "out_of_turns", "c/smp has no out_of_turns"),
    ("c/smp", "c/spm", "no file c/spm"), ("an_answer_to_nothing_is_refused", "bytes_of", "smp.rs has no bytes_of"),
    ("an_answer_to_nothing_is_refused", "smp_events", "smp.rs has no smp_events"),
]


def unmatched(document, let_through):
    """What is wrong between the names of differences in docs/differences.md and those of the entries of tests/differential."""
    named = explained.names_in(document)
    return ([f"two differences are named {name}" for name in sorted(set(named)) if named.count(name) > 1]
            + [f"tests/differential has no entry for {name}" for name in sorted(set(named) - let_through)]
            + [f"tests/differential names {name}, which docs/differences.md has not" for name in sorted(let_through - set(named))])


def test_differences(checks):
    """The differences that tests/differential lets through, and first what must be found wrong with others."""
    check = checks.none
    check("names that agree", unmatched("| x [a-b] | [resent] | [c-d](e.md) |\n- y [f-3.2].", {"a-b", "f-3.2"}))
    for document, let_through, expected in (("[a-b] [c-d]", {"a-b"}, "no entry for c-d"), ("[a-b]", {"a-b", "c-d"}, "names c-d"),
                                            ("[a-b] [a-b]", {"a-b"}, "two differences")):
        found = unmatched(document, let_through)
        check(f"{document} and {sorted(let_through)}", [] if any(expected in one for one in found) else [f"found {found}"])
    entries = explained.EXPLAINED + explained3.EXPLAINED
    wrong = unmatched(text_of(ROOT / "docs/differences.md"), {entry.difference for entry in entries})
    check("docs/differences.md and the entries of tests/differential", wrong)


# Spelling is checked here; bytes and what others have written is left out.
SPELLED = [".github", "Cargo.toml", "Makefile", "abi-check", "benches", "crates", "demo", "docs", "fuzz", "include", "packaging", "pkgconfig",
           "pyproject.toml", "scripts", "src", "tests", *sorted(path.name for path in ROOT.glob("*.md"))]
UNSPELLED = "*/target/*,*/node_modules/*,*.lock,*.svg,abi-check/reference/*,fuzz/seeds/*,fuzz/corpus/*,fuzz/artifacts/*," \
            "fuzz/keys,tests/data/*,tests/differential/recorded/*,tests/differential/found/*"


def misspelt(*paths):
    """The mistakes that codespell finds in these files and directories. .codespellrc has the words that are none."""
    if not shutil.which("codespell"):
        pytest.skip("codespell is missing: install the package codespell")
    done = subprocess.run(["codespell", "--skip", UNSPELLED, *map(str, paths)], cwd=ROOT, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    wrong = done.stdout.splitlines()
    return wrong if wrong or done.returncode == 0 else [done.stderr]


def test_spelling(checks):
    """The spelling of a file with a mistake, of one without, and of the project."""
    check = checks.none
    with tempfile.TemporaryDirectory() as directory:
        for text, mistakes in (("Received, with the keys of an ake in a crate.", 0), ("Rec" + "ieved.", 1)):
            sample = Path(directory) / "sample.md"
            sample.write_text(text, encoding="utf-8")
            found = misspelt(sample)
            check(f"the spelling of {text!r}", [] if len(found) == mistakes else [f"found {found}"])
    wrong = misspelt(*SPELLED)
    check("the spelling of the project", wrong)


def test_planted(checks):
    """Mistakes in a row of docs/conformance.md are found."""
    checks.none("a row that is right", wrong_with(RIGHT))
    for old, new, expected in PLANTED:
        found = wrong_with(RIGHT.replace(old, new, 1))
        checks.none(f"{new!r} in the place of {old!r}", [] if any(expected in one for one in found) else [f"found {found}"])


def test_links(checks):
    """No link of a document leads nowhere."""
    for what, wrong in links.self_test():
        checks.none(what, wrong)
    for path in links.documents():
        checks.none(path.relative_to(ROOT), links.broken(text_of(path), path))


def test_conformance(checks):
    """Each row of docs/conformance.md."""
    table = rows(text_of(ROOT / "docs/conformance.md"))
    checks.ok(table, "there are rows")
    for row in table:
        checks.none(row[:70], wrong_with(row))
