#!/usr/bin/env python3
"""Checks what the library and its fuzzing, benches and tests are built from, without asking anybody: each crate comes from
crates.io with its checksum in Cargo.lock, and its licence is one of those that deny.toml allows.

`make deny` asks cargo-deny, which knows more (and known vulnerabilities, where its database can be reached)."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = {"libotr", "otr-crypto", "otr-protocol", "otr-toolkit"}
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


def allows(expression, allowed):
    """Whether a licence expression can be met: AND and OR, brackets, and the old "/" for OR."""
    words = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def either():
        value = both()
        while words and words[0] == "OR":
            words.pop(0)
            value = both() or value
        return value

    def both():
        value = one()
        while words and words[0] == "AND":
            words.pop(0)
            value = one() and value
        return value

    def one():
        word = words.pop(0) if words else ""
        if word == "(":
            value = either()
            if words:
                words.pop(0)
            return value
        if words and words[0] == "WITH":
            word = f"{word} {words.pop(0)} {words.pop(0)}"
        return word in allowed

    return either() and not words


def main():
    allowed = set(tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"])
    passed = failed = 0

    def check(holds, sentence):
        nonlocal passed, failed
        passed, failed = passed + bool(holds), failed + (not holds)
        if not holds:
            print(f"not ok - {sentence}")

    for package in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]:
        name = f"{package['name']} {package['version']}"
        if "source" not in package:
            check(package["name"] in OURS, f"{name} has no source")
            continue
        check(package["source"] == REGISTRY and re.fullmatch("[0-9a-f]{64}", package.get("checksum", "")),
              f"{name} is not from crates.io with a checksum")
    done = subprocess.run(["cargo", "metadata", "--locked", "--format-version", "1"], cwd=ROOT, capture_output=True, check=True)
    for package in json.loads(done.stdout)["packages"]:
        licence = package["license"] or "no licence"
        check(allows(licence, allowed), f"{package['name']} {package['version']}: {licence} is not in deny.toml")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
