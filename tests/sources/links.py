"""Finds broken links in Markdown: to a file that does not exist, or to a heading that a file does not have."""

import os
import re
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILT = {"target", "node_modules"}


def documents():
    """The Markdown files of the project."""
    found = []
    for directory, below, names in os.walk(ROOT):
        below[:] = [name for name in below if name not in BUILT and (not name.startswith(".") or name == ".github")]
        found += [Path(directory) / name for name in names if name.endswith(".md")]
    return sorted(found)


def prose(text):
    """A document without its blocks of code."""
    return re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.M | re.S)


def anchors(text):
    """The anchors that GitHub and GitLab make of the headings of a document."""
    found = set()
    for heading in re.findall(r"^#{1,6} +(.*?) *#*$", prose(text), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        number, first = 0, anchor
        while anchor in found:
            number += 1
            anchor = f"{first}-{number}"
        found.add(anchor)
    return found


@lru_cache
def anchors_of(path):
    return anchors(path.read_text(encoding="utf-8"))


def broken(text, path):
    """What is wrong with the links of a document that is stored at `path`, and with the documents that it names without a link."""
    body = prose(text)
    wrong = []
    for target in re.findall(r"\]\(<?([^)>\s]+)>?[^)]*\)|^\[[^\]]+\]: *(\S+)", re.sub(r"`[^`\n]*`", "", body), re.M):
        target = target[0] or target[1]
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        place = path.parent / name if name else path
        if name and not place.exists():
            wrong.append(f"there is no {name} to link to")
        elif anchor and anchor not in (anchors_of(place) if name else anchors(text)):
            wrong.append(f"{name or 'this document'} has no heading #{anchor}")
    for name in re.findall(r"(?<![\w/.:-])[\w-][\w./-]*\.md\b", re.sub(r"\]\([^)]*\)|https?://\S+", "", body)):
        if not any((place / name).exists() for place in (ROOT, path.parent)):
            wrong.append(f"it names {name}, which does not exist")
    return wrong


# A document that is right, as if it stood in docs/, and what must be found wrong when something in it is replaced.
RIGHT = """# One `word` here
## Twice
## Twice
[a](keys.md), [b](../README.md#two-commands), ![c](speed.svg), [d](#one-word-here), [e](#twice-1), [f](https://example.org/x.md),
docs/keys.md and keys.md, `[g](nothing)`
```
[h](nothing)
```
[i]: keys.md
"""
PLANTED = [
    ("(keys.md", "(keyz.md", "no keyz.md"), ("#two-commands", "#three-commands", "README.md has no heading #three-commands"),
    ("speed.svg", "spede.svg", "no spede.svg"), ("#one-word-here", "#one-word", "this document has no heading #one-word"),
    ("#twice-1", "#twice-2", "no heading #twice-2"), ("`[g](nothing)`", "[g](nothing)", "no nothing"),
    ("```\n[h]", "\n[h]", "no nothing"), (": keys.md", ": keyz.md", "no keyz.md"),
    ("docs/keys.md", "docs/keyz.md", "names docs/keyz.md"), ("../README.md", "README.md", "no README.md"),
]


def self_test():
    """What each planted mistake should have shown and did not."""
    path = ROOT / "docs" / "sample.md"
    yield "links that are right", broken(RIGHT, path)
    for old, new, expected in PLANTED:
        assert old in RIGHT
        found = broken(RIGHT.replace(old, new, 1), path)
        yield f"{new!r} in the place of {old!r}", [] if any(expected in one for one in found) else [f"found {found}"]
