"""The installation that is tested: OTR_PREFIX, or one that is made for the run."""

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from once import ROOT, SHARED, Failed, once


def install():
    """Builds and installs both libraries and the programs, as a client would have them."""
    if not shutil.which("cargo"):
        oldest = next(line.split('"')[1] for line in (ROOT / "Cargo.toml").read_text().splitlines() if line.startswith("rust-version"))
        raise Failed(f"cargo was not found. Building libotr takes Rust {oldest} or newer: see https://rustup.rs")
    place = SHARED / "prefix"
    for abi in (5, 2):
        done = subprocess.run(["make", "install", f"ABI={abi}", f"PREFIX={place}"], cwd=ROOT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        if done.returncode:
            raise Failed(f"The library could not be built and installed:\n{done.stdout[-3000:]}")
    return place


@functools.lru_cache
def place():
    """The prefix that both libraries are installed under."""
    given = os.environ.get("OTR_PREFIX")
    try:
        found = Path(given or once("prefix", install)).resolve()
    except Failed as failed:
        pytest.fail(str(failed), pytrace=False)
    for file in ("lib/libotr.so.5", "lib/libotr.so.2", "lib/libotr-2/include/libotr/proto.h"):
        if not (found / file).exists():
            pytest.fail(f"{found / file} is missing: make install, and make install ABI=2.", pytrace=False)
    # For the programs that tests start.
    os.environ["OTR_PREFIX"] = str(found)
    return found


def real_library():
    """The libotr of the distribution, with its headers; None if there is none."""
    found = [path for pattern in ("lib/*/libotr.so.5", "lib64/libotr.so.5", "lib/libotr.so.5") for path in sorted(Path("/usr").glob(pattern))]
    return found[0] if found and Path("/usr/include/libotr/proto.h").exists() else None
