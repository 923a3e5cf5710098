"""The layouts of the public structs, as a C compiler has them: nothing is run for that."""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "abi-check"), os.path.join(ROOT, "tests", "support")]

from checks import command_output  # noqa: E402
from facts import INTERFACES  # noqa: E402
from rust import MEMBERS, TYPES  # noqa: E402


def structs(abi):
    """The members of the public structs, by their names in Rust."""
    found = {}
    for path in ("types.rs", f"types/abi{abi}.rs"):
        with open(os.path.join(ROOT, "src", "abi", path), encoding="utf-8") as text:
            for name, members in re.findall(r"^ +layout!\((\w+), \d+:(.*?)\);", text.read(), re.M | re.S):
                found[name] = re.findall(r"(\w+) =", members)
    return found


def probe(compiler, abi, source, *options):
    """Expressions and their values, for which a source is written. The compiler's complaint if there are none."""
    asked = {"pointer": "sizeof(void *)", "time_t": "sizeof(time_t)", "big": "__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__"}
    for struct, members in structs(abi).items():
        kind = TYPES.get(struct, (struct,))[0]
        asked[struct] = f"sizeof({kind})"
        for member in members:
            # cbindgen puts an underscore behind words of C++.
            name = (MEMBERS.get(member) or MEMBERS.get(f"{member}_") or (member,))[0]
            asked[f"{struct}.{member}"] = f"offsetof({kind}, {name})"
    lines = "".join(f'    __asm__("@{what} %0" : : "i"((int)({value})));\n' for what, value in asked.items())
    code = f"{INTERFACES[abi].includes()}#include <time.h>\nvoid probe(void)\n{{\n{lines}}}\n"
    with open(source, "w", encoding="utf-8") as output:
        output.write(code)
    done = command_output([compiler, "-S", "-o", "-", *options, source])
    # Assemblers have several signs for "a number".
    found = {what: int(value) for what, value in re.findall(r"@(\S+) [#$]?(\d+)$", done.stdout, re.M)}
    return (found, "") if found.keys() == asked.keys() else ({}, done.stderr or "the compiler says nothing")


def write_layouts(path, abi, values):
    """What the compiler has said, for src/abi/types.rs."""
    with open(path, "w", encoding="utf-8") as output:
        for struct, members in structs(abi).items():
            offsets = " ".join(f"{member} = {values[f'{struct}.{member}']}," for member in members)
            output.write(f"layout!({struct}, {values[struct]}: {offsets});\n")
