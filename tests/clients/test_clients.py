"""Unmodified clients in a terminal, with this library and with libotr; and docs/clients.md, which covers all clients. See README.md."""

import os
import sys

import pytest
import tap
from needs import COMPILERS, packages
from once import ROOT

CLIENTS = {"irssi": ["irssi", "irssi-plugin-otr", "ngircd"], "profanity": ["profanity", "prosody"], "mcabber": ["mcabber", "prosody"]}


@pytest.mark.parametrize("client", [pytest.param(name, marks=packages(COMPILERS, "libotr5", "tmux", needed))
                                    for name, needed in CLIENTS.items()])
@pytest.mark.abi(5)
@pytest.mark.xdist_group("clients")
def test_client(checks, prefix, client):
    """A conversation in all three pairings."""
    tap.run_counted(checks, [ROOT / "tests/clients/run", client], env=os.environ | {"OTR_PREFIX": str(prefix)})


def test_document():
    """docs/clients.md is as `make clients` has written it, and of the steps that there are."""
    output, status = tap.execute([sys.executable, str(ROOT / "tests/clients/document.py"), "--check"], 60)
    assert status == 0, output
