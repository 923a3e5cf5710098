"""The facts about the two interfaces: a row for each, and the reference files."""

import os
import re
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
REFERENCE = os.path.join(HERE, "reference")

# Functions of libgcrypt that clients linked with -lotr alone count on. A libotr that is linked to libgcrypt brings them along;
# one that is not may export them itself.
HELPERS = ["gcry_error_from_errno", "gcry_strerror"]


@dataclass(frozen=True)
class Interface:
    """One interface of libotr."""

    abi: int
    versions: tuple
    headers: tuple
    undeclared: tuple = ("otrl_sm_msg1_init", "otrl_sm_msg2_init", "otrl_sm_msg3_init", "otrl_sm_msg4_init", "otrl_sm_msg_free")
    # Exported objects and their sizes; everything else is a function.
    objects: tuple = ()
    # Constant expressions and their values, in addition to those in constants.so.N.txt.
    expressions: tuple = ()
    # Versions that builds of clients ask for, and one that is not there.
    asked: tuple = ()
    too_new: str = ""
    # Whether Debian still has clients of it.
    clients: bool = True

    @property
    def soname(self):
        return f"libotr.so.{self.abi}"

    def lines(self, kind, suffix="txt"):
        """The lines of a reference file about this interface."""
        with open(self.file(kind, suffix), encoding="utf-8") as text:
            return [line.rstrip("\n") for line in text if line.strip()]

    def file(self, kind, suffix="txt"):
        """The path of a reference file about this interface."""
        name = f"libotr.so.{self.abi}.{suffix}" if kind == "abi" else f"{kind}.so.{self.abi}.{suffix}"
        return os.path.join(REFERENCE, name)

    def symbols(self):
        """The names that it exports."""
        return self.lines("symbols")

    def prototypes(self):
        """Its functions' declarations, by name."""
        return {re.search(r"\b(otrl_\w+)\(", line)[1]: line for line in self.lines("prototypes")}

    def includes(self):
        """C code that includes all of it, in an order that suits every libotr (C libotr's message.h does not stand alone)."""
        names = ["proto"] + [name for name in self.headers if name != "proto"]
        return ("#ifndef LIBOTR_NO_GCRYPT_H\n#include <gcrypt.h>\n#endif\n"
                + "".join(f"#include <libotr/{name}.h>\n" for name in names) + "#include <stddef.h>\n")


COMMON = ("auth", "b64", "context", "dh", "mem", "message", "privkey", "privkey-t", "proto", "serial", "sm", "tlv",
          "userstate", "version")

INTERFACES = {
    5: Interface(
        abi=5, versions=("4.1.1",), headers=tuple(sorted(COMMON + ("context_priv", "instag"))),
        objects=(("otrl_api_version", 4),),
        expressions=tuple((f"OTRL_B64_MAX_DECODED_SIZE({encoded})", decoded)
                          for encoded, decoded in ((0, 0), (1, 3), (4, 3), (5, 6), (12, 9))),
        asked=("3.0", "4.0", "4.0.0", "4.1.0", "4.1.1"), too_new="4.2"),
    2: Interface(
        abi=2, versions=("3.2.0", "3.2.1"), headers=COMMON, objects=(("otrl_api_version", 4),),
        asked=("3.0", "3.0.0", "3.2.0"), too_new="4.0", clients=False),
}
