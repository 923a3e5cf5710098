"""The result of `make install ABI=2`, alone and together with ABI=5, as builds of the clients of libotr 3.2 find it."""

import os
import subprocess
import sys

import pytest
from checks import ROOT, command_output
from needs import COMPILERS, GCRYPT, packages

pytestmark = [packages(COMPILERS, GCRYPT, "g++", "pkg-config"), pytest.mark.abi(2), pytest.mark.xdist_group("install")]
HEADERS = ["auth.h", "b64.h", "context.h", "dh.h", "mem.h", "message.h", "privkey-t.h", "privkey.h", "proto.h", "serial.h",
           "sm.h", "tlv.h", "userstate.h", "version.h"]
OURS = ["gcrypt-types.h", "gcrypt-subset/gcrypt.h"]
# BitlBee calls these two of libgcrypt's and links with -lotr alone.
CLIENT = """
#include <stdio.h>
#include <string.h>
#include <libotr/proto.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
int main(void)
{
	OtrlUserState us;
	gcry_error_t error;
	OTRL_INIT;
	us = otrl_userstate_create();
	error = otrl_privkey_read(us, "/nowhere/at/all");
	printf("%s %s\\n", otrl_version(), gcry_strerror(error));
	otrl_userstate_free(us);
	return error == gcry_error_from_errno(2) && OTRL_POLICY_DEFAULT == 0x3b ? 0 : 1;
}
"""


def tree(top):
    """The files below a directory: their contents, or what they point to."""
    found = {}
    for directory, _, names in os.walk(top):
        for name in names:
            path = os.path.join(directory, name)
            if os.path.islink(path):
                found[path[len(top):]] = os.readlink(path)
            else:
                with open(path, "rb") as file:
                    found[path[len(top):]] = file.read()
    return found


def make(destination, *arguments):
    """make with a destination; the libraries are built by now, so cargo is not needed."""
    return command_output(["make", "-C", ROOT, "CARGO=no-cargo-here", f"DESTDIR={destination}", "PREFIX=/usr", *arguments])


def build(checks):
    """Both libraries are built, if they are not yet."""
    for abi in "52":
        checks.runs(f"make ABI={abi}", ["make", "-C", ROOT, f"ABI={abi}"], timeout=900)


def test_files(checks, work):
    """Each interface alone, and both in either order."""
    build(checks)
    names = {order: os.path.join(work, order) for order in ("2", "5", "25", "52")}
    for order, destination in names.items():
        for abi in order:
            done = make(destination, "install", f"ABI={abi}")
            checks.check(f"make install ABI={abi} ({order})", done.returncode == 0, done.stderr)
    alone, other, both = tree(names["2"]), tree(names["5"]), tree(names["25"])
    own = "/usr/lib/libotr-2"
    for place in ("/usr/include/libotr/", f"{own}/include/libotr/"):
        present = {path[len(place):] for path in alone if path.startswith(place)}
        checks.equal(f"the headers of libotr 3.2 and two of ours in {place}", present, set(HEADERS + OURS))
    for path, target in (("/usr/lib/libotr.so", "libotr.so.2.2.1"), ("/usr/lib/libotr.so.2", "libotr.so.2.2.1"),
                         (f"{own}/lib/libotr.so", "../../libotr.so.2.2.1")):
        checks.equal(f"{path} alone", alone.get(path), target)
    for path in ("/usr/lib/libotr.a", f"{own}/lib/libotr.a", "/usr/share/aclocal/libotr.m4", "/usr/lib/libotr.so.2.2.1"):
        checks.check(f"{path} is there", path in alone)
    for path in ("/usr/lib/pkgconfig/libotr.pc", f"{own}/lib/pkgconfig/libotr.pc"):
        text = alone.get(path, b"").decode()
        checks.check(f"{path} names version 3.2.1", "\nVersion: 3.2.1\n" in text and "@" not in text, text)
    checks.check("both in one prefix come out the same in either order", both == tree(names["52"]))
    checks.check("beside libotr.so.2 all files of libotr.so.5 are as they are alone",
                 all(both.get(path) == contents for path, contents in other.items()))
    checks.equal("libotr.so is then that of libotr.so.5", both.get("/usr/lib/libotr.so"), "libotr.so.5.1.1")
    checks.check("and those of libotr.so.2 are in their own place",
                 all(both.get(path) == contents for path, contents in alone.items() if path.startswith(own) or ".so.2" in path))
    make(names["25"], "uninstall", "ABI=2")
    checks.check("uninstalling it leaves what libotr.so.5 has", tree(names["25"]) == other)
    make(names["52"], "uninstall", "ABI=5")
    left = tree(names["52"])
    checks.check("uninstalling libotr.so.5 leaves its own place", left.get(f"{own}/lib/libotr.so") == "../../libotr.so.2.2.1"
                 and "/usr/lib/libotr.so.2" in left and "/usr/lib/libotr.so" not in left, str(sorted(left)))
    make(names["2"], "uninstall", "ABI=2")
    checks.equal("uninstalling it alone leaves nothing", tree(names["2"]), {})


def test_clients(checks, work):
    """Builds of clients, with and without gcrypt.h on the machine, against the shared object and the archive."""
    build(checks)
    prefix = os.path.join(work, "prefix")
    for abi in "52":
        done = command_output(["make", "-C", ROOT, "CARGO=no-cargo-here", f"PREFIX={prefix}", "install", f"ABI={abi}"])
        checks.check(f"make install ABI={abi} for clients", done.returncode == 0, done.stderr)
    own = f"{prefix}/lib/libotr-2"
    environment = dict(os.environ, PKG_CONFIG_PATH=f"{own}/lib/pkgconfig", PKG_CONFIG_LIBDIR="", LD_LIBRARY_PATH=f"{prefix}/lib")
    checks.equal("pkg-config --modversion in its own place",
                 command_output(["pkg-config", "--modversion", "libotr"], env=environment).stdout.strip(), "3.2.1")
    source = os.path.join(work, "client.c")
    with open(source, "w", encoding="utf-8") as file:
        file.write(CLIENT)
    hide = os.path.join(ROOT, "scripts", "without-gcrypt")
    without = {language: subprocess.check_output([sys.executable, hide, os.path.join(work, "hidden"), language], text=True).split()
               for language in ("c", "c++")}
    for machine, options in (("with gcrypt.h", {"c": [], "c++": []}), ("without gcrypt.h", without)):
        for kind, link in (("shared", [f"-L{own}/lib", "-lotr"]),
                           ("static", [f"{own}/lib/libotr.a", "-lpthread", "-ldl", "-lm", "-lgcc_s"])):
            program = os.path.join(work, f"client-{kind}")
            done = command_output(["gcc", "-Wall", "-Werror", *options["c"], f"-I{own}/include", source, "-o", program, *link])
            checks.check(f"a client {machine}, {kind}: links", done.returncode == 0, done.stderr)
            done = command_output([program], env=environment)
            checks.check(f"a client {machine}, {kind}: runs", done.returncode == 0 and done.stdout.startswith("3.2.1 No such"),
                         done.stdout + done.stderr)
        for header in HEADERS:
            for language, standard in (("c", "c89"), ("c", "c17"), ("c++", "c++98"), ("c++", "c++20")):
                text = f"#include <libotr/{header}>\nint unit;\n"
                done = subprocess.run([{"c": "gcc", "c++": "g++"}[language], "-x", language, f"-std={standard}", "-Wall", "-Wextra",
                                       "-pedantic", "-Werror", *options[language], f"-I{own}/include", "-fsyntax-only", "-"],
                                      input=text, capture_output=True, text=True)
                checks.check(f"{header} alone in {standard}, {machine}", done.returncode == 0, done.stderr)
    listed = command_output(["nm", "-D", "--defined-only", f"{prefix}/lib/libotr.so.2"]).stdout.split("\n")
    exported = {line.split()[2] for line in listed if line}
    wanted = set()
    for name in ("symbols.so.2.txt", "helpers.txt"):
        with open(os.path.join(ROOT, "abi-check", "reference", name), encoding="utf-8") as file:
            wanted |= set(file.read().split())
    checks.equal("libotr.so.2 exports its 96 names and two helpers", exported, wanted)
