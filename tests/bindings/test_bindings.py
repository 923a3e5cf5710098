"""Bindings, which load libotr.so.5 by name or path and declare its structs by hand: a whole conversation from Python, by ctypes, on
this library and on libotr, with every callback a function of Python's. Both tell the same, line by line."""

import sys
from pathlib import Path

import pytest
import tap
from needs import packages

HERE = Path(__file__).resolve().parent
pytestmark = [packages("libotr5", "libotr5-dev"), pytest.mark.abi(5)]


def converse(library, directory):
    """What conversation.py says on this library."""
    directory.mkdir()
    # Debian's Python is as good as any other for this: nothing but ctypes is needed.
    output, status = tap.execute([sys.executable, "-W", "error", HERE / "conversation.py", library, directory], 300)
    return output, status


def test_ctypes(checks, prefix, real_library, work):
    """The same conversation on both."""
    ours, status = converse(prefix / "lib/libotr.so.5", work / "ours")
    tap.read(checks, ours, status, "ours")
    real, status = converse(real_library, work / "real")
    tap.read(checks, real, status, "libotr")
    told = [[line for line in text.splitlines() if line.startswith("#")] for text in (ours, real)]
    checks.ok(told[0] and told[0] == told[1], "the callbacks are the same")
