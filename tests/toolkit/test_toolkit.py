"""The programs of the toolkit compared with those of libotr 4.1.1 (Debian's libotr5-bin), byte for byte; otr-keys; manual pages.

OTR_TOOLKIT_SEED and OTR_TOOLKIT_CASES choose other and more damaged messages. python3-potr is packaged for Debian's own Python."""

import os
import tempfile

import pytest
from needs import COMPILERS, GCRYPT, packages

try:
    import manual
    import otr_keys
    import six_programs
    PARTS = {part.__name__: part for part in six_programs.PARTS + otr_keys.PARTS + manual.PARTS}
except ImportError as missing:
    PARTS, MISSING = {}, str(missing)
else:
    MISSING = None

pytestmark = packages(COMPILERS, GCRYPT, "libotr5", "libotr5-dev", "libotr5-bin", "python3-potr", "man-db", "groff-base")


@pytest.fixture(scope="session")
def place():
    """A directory for all of these tests."""
    with tempfile.TemporaryDirectory(prefix="libotr-toolkit-") as directory:
        yield directory


@pytest.mark.skipif(bool(MISSING), reason=f"packages python3-potr and python3-pycryptodome, for Debian's Python: {MISSING}")
def test_potr():
    """python-potr is there, with which messages are made."""


@pytest.mark.parametrize("part", PARTS)
def test_toolkit(checks, prefix, place, part):
    """A part: what its name says."""
    if not os.path.exists("/usr/bin/otr_parse"):
        pytest.skip("libotr's own programs are not there (Debian: libotr5-bin)")
    PARTS[part](checks, str(prefix), place)
