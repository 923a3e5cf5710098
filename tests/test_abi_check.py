"""The ABI compatibility suite (abi-check/) on both interfaces, and that every check of it can fail."""

import os
import platform

import pytest
import tap
from needs import COMPILERS, GCRYPT, packages
from once import ROOT

# The headers are compiled for 32 bits as well, where the compiler can.
M32 = ["libc6-dev-i386"] if platform.machine() == "x86_64" else []
TOOLS = packages(COMPILERS, GCRYPT, "g++", "clang", *M32, "abigail-tools", "pkg-config", "autoconf", "automake", "cmake", "meson")
pytestmark = [TOOLS, pytest.mark.minutes(12)]


@pytest.mark.quick
@pytest.mark.abi(5)
def test_abi5(checks, prefix):
    """Our libotr.so.5."""
    tap.run_counted(checks, [ROOT / "abi-check/run"], env=os.environ | {"OTR_PREFIX": str(prefix)})


@pytest.mark.abi(2)
@pytest.mark.xdist_group("install")
def test_abi2(checks, prefix):
    """Our libotr.so.2, in a prefix of its own."""
    env = {name: value for name, value in os.environ.items() if name != "OTR_PREFIX"}
    tap.run_counted(checks, [ROOT / "abi-check/run", "--abi", "2"], env=env)


@pytest.mark.abi(5)
@packages("libotr5", "libotr5-dev")
def test_self_test(checks, prefix):
    """Each check fails where something is broken."""
    tap.run_counted(checks, [ROOT / "abi-check/self-test"], env=os.environ | {"OTR_PREFIX": str(prefix)})
