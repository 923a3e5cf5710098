"""The dependencies of the library, its tests and the program of abi-check, checked without a network: each crate comes from
crates.io with its checksum in Cargo.lock, and its licence is one of those that deny.toml allows.

`make deny` runs cargo-deny, which checks more (and known vulnerabilities, if it can reach its database)."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from once import ROOT

OURS = {"libotr", "otr-crypto", "otr-protocol", "otr-toolkit", "libotr-rust-header"}
# The packages with a Cargo.lock, and the licences that are allowed there besides: cbindgen reads the library's sources when it is
# tested, and nothing of it gets into the library.
PACKAGES = {".": set(), "abi-check/rust-header": {"MPL-2.0"}}
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


def test_licences(checks):
    """Each crate."""
    allowed = set(tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"])
    for directory, more in PACKAGES.items():
        for package in tomllib.loads((ROOT / directory / "Cargo.lock").read_text())["package"]:
            name = f"{directory}: {package['name']} {package['version']}"
            if "source" not in package:
                checks.ok(package["name"] in OURS, f"{name} without a source is ours")
                continue
            checks.ok(package["source"] == REGISTRY and re.fullmatch("[0-9a-f]{64}", package.get("checksum", "")),
                      f"{name} is from crates.io with a checksum")
        done = subprocess.run(["cargo", "metadata", "--locked", "--format-version", "1"], cwd=ROOT / directory, capture_output=True,
                              check=True)
        for package in json.loads(done.stdout)["packages"]:
            licence = package["license"] or "no licence"
            checks.ok(allows(licence, allowed | more), f"{directory}: {package['name']} {package['version']}: {licence} is allowed")


def test_advisories(target):
    """What RustSec knows of the dependencies, as cargo-deny has it: from the copy that `make deny` has fetched, without a network."""
    deny = target / "tools/bin/cargo-deny"
    if not deny.exists():
        pytest.skip("cargo-deny is not there: `make deny` installs it")
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    if not any((home / "advisory-dbs").glob("*")):
        pytest.skip("there is no copy of RustSec's list of vulnerabilities: `make deny` fetches it")
    done = subprocess.run([deny, "--offline", "check", "advisories"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
