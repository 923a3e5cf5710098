"""Each module of the C interface (src/abi) uses only those below it.

LAYERS lists the modules from the lowest to the highest. A module may use those of lower layers, and those of its own
layer that are listed before it; so there is no import cycle. Files below a module (its `abi2` and `abi5`, its parts) count
as the module. Tests are not checked.
"""

import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent.parent / "src" / "abi"

LAYERS = [
    ("helpers that know no OTR", ["memory", "borrowed", "entry", "text", "linked_list", "reserve", "lock", "locked_list"]),
    ("errors and libgcrypt's objects", ["error_table", "error", "undumped", "gcry", "error_text", "stdio"]),
    ("public structs and numbers", ["types", "numbers"]),
    ("C objects and their lifetime", ["private", "dh_objects", "sm_objects", "tlv", "known_files", "auth_info", "context_priv", "context_index", "in_use",
                                      "instag", "context", "privkey"]),
    ("a C struct and its value in the core", ["smp_numbers", "exchange", "bridge"]),
    ("exported functions", ["b64", "mem", "version", "dh", "sm", "auth", "proto", "userstate", "message"]),
]

TESTS = re.compile(r"#\[cfg\((?:all\()?test\b[^\]]*\]\s*(?:pub )?(?:mod \w+ \{.*|use [^;]*;)", re.S)


def paths(tree, prefix=()):
    """The paths in what stands between `use` and `;`."""
    tree = tree.strip()
    head, brace, rest = tree.partition("{")
    if not brace:
        return [(*prefix, *tree.split(" as ")[0].strip().split("::"))]
    prefix = (*prefix, *(part for part in head.split("::") if part.strip()))
    items, depth, item = [], 0, ""
    for character in rest[:rest.rindex("}")]:
        depth += (character == "{") - (character == "}")
        if character == "," and not depth:
            items.append(item)
            item = ""
        else:
            item += character
    return [path for item in (*items, item) if item.strip() for path in paths(item, prefix)]


def used(module, text):
    """The top-level modules of src/abi that the file of `module` (its path below src/abi) uses."""
    text = TESTS.sub("", re.sub(r"//[^\n]*", "", text))
    found = [path for tree in re.findall(r"\buse\s+([^;]+);", text) for path in paths(re.sub(r"\s+", " ", tree))]
    found += [tuple(path.split("::")) for path in re.findall(r"\b(?:super::|crate::abi::)+\w+", text)]
    for path in found:
        if path[:2] == ("crate", "abi"):
            path = path[2:]
        elif path[0] == "super":
            up = len([part for part in path if part == "super"])
            if up < len(module):
                continue
            path = path[up:] if up == len(module) else ()
        else:
            continue
        if path:
            yield path[0]


def order():
    return {module: (layer, place) for layer, (_, modules) in enumerate(LAYERS) for place, module in enumerate(modules)}


def complaints(files):
    """What is wrong in these files: (path below src/abi without its ending, text)."""
    known = order()
    for module, text in files:
        if module[0] not in known:
            yield f"{'/'.join(module)} is in no layer: add it to tests/sources/test_layers.py"
            continue
        for other in sorted(set(used(module, text)) & set(known) - {module[0]}):
            if known[other] > known[module[0]]:
                yield f"{'/'.join(module)} uses {other}, which stands above it"


def sources():
    for path in sorted(SOURCE.rglob("*.rs")):
        module = path.relative_to(SOURCE).with_suffix("").parts
        if module[0] in ("mod", "testing") or module[-1] == "tests":
            continue
        yield (module[:-1] if module[-1] == "mod" else module), path.read_text()


# What must be found, and what must not.
PLANTED = [
    ("memory", "use super::context::find;", True),
    ("memory", "use crate::abi::{entry, message::otrl_message_free};", True),
    ("bridge", "use super::exchange;", False),
    ("exchange", "fn f() { super::bridge::load() }", True),
    ("context/abi5/find", "use crate::abi::bridge::{load, store};", True),
    ("context/abi5/find", "use super::family::members;", False),
    ("message/abi5", "use super::super::{bridge, context};", False),
    ("gcry", "#[cfg(test)]\nmod tests { use crate::abi::message; }", False),
    ("gcry", "// use super::message;", False),
    ("novelty", "use super::memory;", True),
]


def test_planted(checks):
    """Uses that are wrong are found, and others are not."""
    for module, text, wrong in PLANTED:
        checks.equal(f"{text!r} in {module} is found", bool(list(complaints([(tuple(module.split("/")), text)]))), wrong)


def test_layers(checks):
    """Each module uses only those below it."""
    for module, text in sources():
        checks.none("/".join(module), list(complaints([(module, text)])))
