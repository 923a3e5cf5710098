"""The differences from libotr 3.2 that docs/differences.md explains. Nothing else may differ. See explained.py."""

from explained import Entry

EXPLAINED = []
