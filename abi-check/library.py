"""Checks of the shared library: its symbols, and its dynamic section."""

import re

from facts import HELPERS
from subject import Problems, command_output

LIBC = re.compile(r"libc\.so\.6|libgcc_s\.so\.1|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2|ld-linux.*")
GCRYPT = re.compile(r"libgcrypt\.so\.20|libgpg-error\.so\.0")


def symbols(subject):
    """Its names are those of the interface and the declared helpers."""
    problems = Problems()
    problems.same_names(subject.exported(), subject.interface.symbols(), extras=HELPERS)
    return problems


def kinds(subject):
    """Functions are functions, and objects are objects of the right size."""
    problems = Problems()
    objects = dict(subject.interface.objects)
    listed = command_output(["readelf", "--dyn-syms", "--wide", subject.library]).stdout
    found = {}
    for size, kind, bind, _, index, name in re.findall(
            r"^ *\d+: \w+ +(\w+) (\w+) +(\w+) +(\w+) +(\w+) ([\w.]+)(?:@\S*)?", listed, re.M):
        if index not in ("UND", "ABS"):
            found[name] = (kind, bind, int(size, 0))
    for name in subject.interface.symbols():
        kind, bind, size = found.get(name, ("nothing", "", 0))
        if name in objects:
            problems.same(name, (kind, size), ("OBJECT", objects[name]))
        else:
            problems.same(name, kind, "FUNC")
        problems.unless(bind in ("GLOBAL", "WEAK", ""), f"{name} is {bind}")
    return problems


def soname(subject):
    """Its soname is the interface's."""
    problems = Problems()
    problems.same("soname", [name for name, _ in subject.dynamic("SONAME")], [subject.interface.soname])
    return problems


def needed(subject):
    """It needs no library that libotr does not."""
    names = subject.needed()
    problems = Problems()
    problems.unless("libc.so.6" in names, f"it does not need libc.so.6, but {names}")
    for name in names:
        problems.unless(LIBC.fullmatch(name) or GCRYPT.fullmatch(name), f"needs {name}")
    return problems


def no_gcrypt(subject):
    """It needs neither libgcrypt nor libgpg-error."""
    problems = Problems()
    for name in subject.needed():
        problems.unless(LIBC.fullmatch(name), f"needs {name}")
    return problems


def unversioned(subject):
    """Its names have no versions: programs were linked to names without."""
    listed = command_output(["nm", "-D", "--defined-only", "--with-symbol-versions", subject.library]).stdout
    problems = Problems()
    names = re.findall(r"^\w+ \w (\S+@\S+)", listed, re.M)
    problems.unless(not names, f"{len(names)} names: {' '.join(names[:8])} ...")
    return problems


def glibc(subject):
    """It asks for no newer glibc than allowed (--glibc)."""
    listed = command_output(["readelf", "--version-info", "--wide", subject.library]).stdout

    def number(version):
        return [int(part) for part in version.split(".")]

    asked = sorted(set(re.findall(r"Name: GLIBC_([0-9.]+)", listed)), key=number)
    problems = Problems()
    new = [version for version in asked if number(version) > number(subject.glibc)]
    problems.unless(not new, f"asks for {', '.join(new)}, allowed is {subject.glibc}")
    problems.unless(asked, "asks for no glibc at all")
    return problems


def flags(subject):
    return " ".join(a or b for tag in ("FLAGS", "FLAGS_1") for a, b in subject.dynamic(tag)).split()


def nodelete(subject):
    """It stays loaded when a plugin that uses it is unloaded."""
    problems = Problems()
    problems.unless("NODELETE" in flags(subject), f"flags: {flags(subject)}")
    return problems


def now(subject):
    """It is bound as a whole when it is loaded, and then read-only."""
    problems = Problems()
    problems.unless("NOW" in flags(subject) or "BIND_NOW" in flags(subject), f"flags: {flags(subject)}")
    segments = command_output(["readelf", "--segments", "--wide", subject.library]).stdout
    problems.unless("GNU_RELRO" in segments, "no GNU_RELRO segment")
    return problems


def hardened(subject):
    """It wants no executable stack and no writable text."""
    problems = Problems()
    segments = command_output(["readelf", "--segments", "--wide", subject.library]).stdout
    stack = re.search(r"GNU_STACK\s+(?:0x\w+\s+){5}([RWE ]+)", segments)
    problems.unless(stack and "E" not in stack[1], stack[0] if stack else "no GNU_STACK segment")
    problems.unless(not subject.dynamic("TEXTREL") and "TEXTREL" not in flags(subject), "has text relocations")
    return problems


def copies(subject):
    """Programs may have a copy of its objects (no -Bsymbolic)."""
    problems = Problems()
    problems.unless("SYMBOLIC" not in flags(subject) and not subject.dynamic("SYMBOLIC"), f"flags: {flags(subject)}")
    return problems


def own_calls(subject):
    """It calls its own functions, not those of a plugin with the same names (Psi exports some)."""
    relocations = command_output(["readelf", "--relocs", "--wide", subject.library]).stdout
    objects = dict(subject.interface.objects)
    problems = Problems()
    names = sorted({name for name in subject.interface.symbols() if name not in objects
                    and re.search(rf" {name}(?:@\S+)? \+ ", relocations)})
    problems.unless(not names, f"can be interposed: {' '.join(names)}")
    return problems


def helpers(subject):
    """It exports gcry_strerror and gcry_error_from_errno itself."""
    problems = Problems()
    problems.same_names(set(HELPERS) & set(subject.exported()), HELPERS)
    return problems
