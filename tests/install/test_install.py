"""The result of `make install`, as builds of clients find and use it."""

import os
import re
import shutil
import stat
import subprocess
import sys

import pytest
from checks import ROOT, command_output
from needs import COMPILERS, GCRYPT, packages

# One after the other with those of the other interface: they use what `make` has built.
pytestmark = [packages(COMPILERS, GCRYPT, "g++", "pkg-config", "autoconf", "automake"), pytest.mark.abi(5),
              pytest.mark.xdist_group("install")]
HEADERS = ["auth.h", "b64.h", "context.h", "context_priv.h", "dh.h", "gcrypt-subset/gcrypt.h", "gcrypt-types.h",
           "instag.h", "mem.h", "message.h", "privkey-t.h", "privkey.h", "proto.h", "serial.h", "sm.h", "tlv.h",
           "userstate.h", "version.h"]
PROGRAMS = ["otr-keys", "otr_mackey", "otr_modify", "otr_parse", "otr_readforge", "otr_remac", "otr_sesskeys"]
STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror"]


class Install:
    """The installation, and how to compile against it with and without libgcrypt's headers on the machine."""

    def __init__(self, prefix, work):
        self.prefix, self.work = prefix, work
        self.environment = dict(os.environ, PKG_CONFIG_PATH=f"{prefix}/lib/pkgconfig", PKG_CONFIG_LIBDIR="",
                                LD_LIBRARY_PATH=f"{prefix}/lib")
        hide = os.path.join(ROOT, "scripts", "without-gcrypt")
        hidden = os.path.join(work, "without-gcrypt")
        self.machines = {
            "with gcrypt.h": {"c": [], "c++": []},
            "without gcrypt.h": {language: subprocess.check_output([sys.executable, hide, hidden, language],
                                                                   text=True).split() for language in ("c", "c++")},
        }

    def pkg_config(self, *arguments):
        """What pkg-config says of libotr."""
        return command_output(["pkg-config", *arguments, "libotr"], env=self.environment)

    def write(self, name, text):
        """Writes a file into the scratch directory."""
        path = os.path.join(self.work, name)
        with open(path, "w", encoding="utf-8") as output:
            output.write(text)
        return path


@pytest.fixture
def install(prefix, work):
    """The installation."""
    return Install(str(prefix), str(work))


@pytest.mark.parametrize("tool", ["gcc", "g++", "pkg-config", "readelf", "nm", "rustc", "aclocal", "autoconf"])
def test_tools(tool):
    """A tool that the tests need is there."""
    assert shutil.which(tool)


def expected_files(libdir):
    """The files of an installation below /usr, with their modes; links with what they point to."""
    files = {f"/usr/include/libotr/{name}": 0o644 for name in HEADERS}
    files |= {f"{libdir}/libotr.so.5.1.1": 0o755, f"{libdir}/libotr.so.5": "libotr.so.5.1.1",
              f"{libdir}/libotr.so": "libotr.so.5.1.1", f"{libdir}/libotr.a": 0o644,
              f"{libdir}/pkgconfig/libotr.pc": 0o644, "/usr/share/aclocal/libotr.m4": 0o644}
    files |= {f"/usr/bin/{name}": 0o755 for name in PROGRAMS}
    files |= {f"/usr/share/man/man1/{name}.1": 0o644 for name in PROGRAMS} | {"/usr/share/man/man7/libotr.7": 0o644}
    return files


def found_files(top):
    """The files below a directory, as `expected_files` gives them."""
    found = {}
    for directory, _, names in os.walk(top):
        for name in names:
            path = os.path.join(directory, name)
            mode = os.lstat(path)
            found[path[len(top):]] = os.readlink(path) if stat.S_ISLNK(mode.st_mode) else stat.S_IMODE(mode.st_mode)
    return found


def test_files(checks, install):
    """What is installed where, and that uninstalling takes all of it away."""
    checks.runs("the library and the programs are built", ["make", "-C", ROOT, "all", "toolkit"], timeout=900)
    destination = os.path.join(install.work, "destination")
    libdir = "/usr/lib/some-multiarch"
    # The library is built by now, so neither cargo nor anything else is needed: root may have none.
    make = ["make", "-C", ROOT, "CARGO=no-cargo-here", f"DESTDIR={destination}", "PREFIX=/usr", f"LIBDIR={libdir}"]
    checks.runs("make install runs without cargo once the library is built", [*make, "install"], umask=0o077)
    checks.equal("make install: the files and their modes", found_files(destination), expected_files(libdir))
    description = os.path.join(destination + libdir, "pkgconfig/libotr.pc")
    text = open(description, encoding="utf-8").read() if os.path.exists(description) else ""
    for line in ("prefix=/usr", "libdir=${prefix}/lib/some-multiarch", "includedir=${prefix}/include", "Version: 4.1.1"):
        checks.check(f"libotr.pc: {line}", line in text.splitlines(), text)
    checks.check("libotr.pc: nothing is left to fill in", text and "@" not in text and destination not in text, text)
    checks.runs("make uninstall", [*make, "uninstall"])
    checks.equal("make uninstall leaves no file", found_files(destination), {})
    checks.check("make uninstall leaves no directory of headers", not os.path.exists(destination + "/usr/include/libotr"))

    done = command_output([*make, "TOOLKIT=nowhere", "install"])
    checks.check("without cargo and without the programs, make install says that it leaves them out",
                 done.returncode == 0 and "make toolkit" in done.stdout, done.stdout + done.stderr)
    without = {path: mode for path, mode in expected_files(libdir).items() if not path.startswith(("/usr/bin", "/usr/share/man"))}
    checks.equal("the library is installed then", found_files(destination), without)

    done = command_output(["make", "-C", ROOT, "ABI=6"])
    checks.check("make ABI=6 fails and says why", done.returncode != 0 and "There is no ABI=6" in done.stderr, done.stderr)
    # A pretended change to a source, and no cargo.
    done = command_output(["make", "-C", ROOT, "CARGO=no-cargo-here", "--what-if=build.rs"])
    checks.check("make without cargo fails and says why", done.returncode != 0 and "rustup.rs" in done.stderr, done.stderr)


def test_pkg_config(checks, install):
    """What pkg-config tells builds: BitlBee, irssi, profanity and others ask it."""
    checks.equal("pkg-config --modversion", install.pkg_config("--modversion").stdout.strip(), "4.1.1")
    for version in ("4.0", "4.0.0", "4.1.0", "4.1.1"):
        checks.equal(f"pkg-config --atleast-version={version}", install.pkg_config(f"--atleast-version={version}").returncode, 0)
    checks.equal("pkg-config --atleast-version=4.2", install.pkg_config("--atleast-version=4.2").returncode, 1)
    checks.equal("pkg-config --libs", install.pkg_config("--libs").stdout.split(), [f"-L{install.prefix}/lib", "-lotr"])
    include = f"{install.prefix}/include"
    checks.equal("pkg-config --cflags", install.pkg_config("--cflags").stdout.split(),
                 [f"-I{include}", f"-idirafter{include}/libotr/gcrypt-subset"])


def test_gcrypt(checks, install):
    """Which gcrypt.h a client gets, and that the subset's names mean the same as libgcrypt's."""
    cflags = install.pkg_config("--cflags").stdout.split()
    source = install.write("which.c", "#include <gcrypt.h>\n#include <libotr/proto.h>\n"
                           "#ifdef LIBOTR_GCRYPT_SUBSET_H\nsubset\n#endif\n#ifdef GCRYPT_VERSION\nlibgcrypt\n#endif\n")
    for machine, expected in (("with gcrypt.h", "libgcrypt"), ("without gcrypt.h", "subset")):
        output = checks.runs(f"<gcrypt.h> is found {machine}",
                             ["gcc", "-E", "-P", *install.machines[machine]["c"], *cflags, source])
        checks.equal(f"<gcrypt.h> {machine} is that of", re.findall(r"^(subset|libgcrypt)$", output, re.M), [expected])

    subset = os.path.join(install.prefix, "include/libotr/gcrypt-subset/gcrypt.h")
    names = re.findall(r"^    (G\w+) = ", open(subset, encoding="utf-8").read(), re.M)
    checks.check("the subset has error codes", len(names) > 80, names)
    lines = "".join(f'    printf("{name} %d\\n", (int){name});\n' for name in names)
    lines += "".join(f'    printf("{code} %08x %d %d %s\\n", gcry_error({code}), (int)gcry_err_code(gcry_error({code})), '
                     f'(int)gcry_err_source(gcry_error({code})), gcry_strsource(gcry_error({code})));\n'
                     for code in names if code.startswith("GPG_ERR_") and "SOURCE" not in code and "DIM" not in code)
    lines += "".join(f'    puts(gcry_strsource({source}u << 24));\n' for source in (0, 1, 31, 32, 33, 34, 35, 40, 127))
    source = install.write("values.c", "#include <stdio.h>\n#include <libotr/gcrypt-types.h>\n"
                           f"int main(void)\n{{\n{lines}    return 0;\n}}\n")
    results = {}
    for machine, libraries in (("with gcrypt.h", ["-lgcrypt"]), ("without gcrypt.h", [])):
        program = os.path.join(install.work, "values")
        checks.runs(f"a program that prints error codes is built {machine}",
                    ["gcc", *STRICT, *install.machines[machine]["c"], *cflags, source, "-o", program, *libraries])
        results[machine] = command_output([program]).stdout.splitlines()
    checks.equal("the subset's names mean what libgcrypt's do",
                 [line for line in results["without gcrypt.h"] if line not in results["with gcrypt.h"]], [])
    checks.equal("the subset's programs print as much", len(results["without gcrypt.h"]), len(results["with gcrypt.h"]))


def test_link(checks, install):
    """Programs linked to both forms of the library, with and without libgcrypt."""
    # Also the ones that no header declares: a client may declare them itself.
    names = [name for name in open(os.path.join(ROOT, "abi-check/reference/symbols.so.5.txt"), encoding="utf-8").read().split()
             if name != "otrl_api_version"]
    client = install.write("client.c", '''
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <libotr/proto.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
'''.lstrip() + "".join(f"extern char everything_{name} __asm__(\"{name}\");\n" for name in names) + '''
static char *everything[] = {
''' + "".join(f"    &everything_{name},\n" for name in names) + '''    NULL
};
int main(void)
{
    char **each = everything;
    while (*each) each++;
    OTRL_INIT;
    if (strcmp(otrl_version(), "4.1.1")) return 2;
    if (gcry_error_from_errno(ENOENT) != 0x01008051) return 3;
    if (!gcry_strerror(gcry_error(GPG_ERR_EEXIST))) return 4;
    printf("%d functions\\n", (int)(each - everything));
    return 0;
}
''')
    cflags = install.pkg_config("--cflags").stdout.split()
    shared = install.pkg_config("--libs").stdout.split()
    archive = [os.path.join(install.prefix, "lib/libotr.a")]
    system = command_output(["gcc", "-print-file-name=libgcrypt.a"]).stdout.strip()
    static_gcrypt = [system, "-lgpg-error"]
    for kind, libraries in (("libotr.so", shared), ("libotr.a", archive)):
        for machine, more in (("with gcrypt.h", ["-lgcrypt"]), ("with gcrypt.h", []), ("without gcrypt.h", []),
                              ("with gcrypt.h", static_gcrypt)):
            what = f"a client of {kind}, {machine}, {' '.join(map(os.path.basename, more)) or 'nothing else'} linked"
            program = os.path.join(install.work, "client")
            if os.path.exists(program):
                os.remove(program)
            checks.runs(f"{what}, is built",
                        ["gcc", *install.machines[machine]["c"], *cflags, client, "-o", program, *libraries, *more])
            done = command_output([program], env=install.environment)
            checks.equal(f"{what}, runs", (done.returncode, done.stdout), (0, f"{len(names)} functions\n"))
            needed = command_output(["readelf", "-d", program]).stdout
            if kind == "libotr.a":
                checks.check(f"{what}, needs no libotr.so", needed and "libotr" not in needed, needed)
            if not more:
                checks.check(f"{what}, needs no libgcrypt", needed and "gcrypt" not in needed, needed)

    options = install.pkg_config("--libs", "--static").stdout.split()
    program = os.path.join(install.work, "client")
    checks.runs("a client is built with what pkg-config says for static linking",
                ["gcc", *cflags, client, "-o", program, "-Wl,-Bstatic", "-lotr", "-Wl,-Bdynamic",
                 *[option for option in options if option != "-lotr"]])
    check_object(checks, install, shared)
    check_two_rusts(checks, install, archive)
    check_plugin(checks, install, archive)


def check_object(checks, install, shared):
    """otrl_api_version, which executables have a copy of: both sides must use that one."""
    source = install.write("object.c", '''
#include <stdio.h>
#include <libotr/proto.h>
extern unsigned int otrl_api_version;
int main(void)
{
    printf("%06x", otrl_api_version);
    otrl_init(4, 1, 0);
    printf(" %06x", otrl_api_version);
    otrl_init(4, 1, 1);
    printf(" %06x", otrl_api_version);
    otrl_api_version = 0x040000;
    otrl_init(4, 1, 0);
    printf(" %06x\\n", otrl_api_version);
    return 0;
}
''')
    program = os.path.join(install.work, "object")
    checks.runs("a program with a copy of otrl_api_version is built",
                ["gcc", "-fno-pic", "-no-pie", f"-I{install.prefix}/include", source, "-o", program, *shared])
    relocations = command_output(["readelf", "--relocs", "--wide", program]).stdout
    if os.uname().machine == "x86_64":
        checks.check("its relocation is a copy", re.search("R_X86_64_COPY.*otrl_api_version", relocations), relocations)
    checks.equal("both sides use one otrl_api_version, which keeps the lowest version",
                 command_output([program], env=install.environment).stdout, "000000 040100 040100 040000\n")


def check_two_rusts(checks, install, archive):
    """libotr.a beside another library that is written in Rust: each has its own standard library inside."""
    rust = install.write("other.rs", '''
#[unsafe(no_mangle)]
pub extern "C" fn other(number: i32) -> i32 {
    std::panic::catch_unwind(|| if number > 3 { panic!("caught") } else { number }).unwrap_or(-1)
}
''')
    source = install.write("two.c", '''
#include <libotr/proto.h>
int other(int number);
int main(void)
{
    OTRL_INIT;
    return other(2) == 2 && other(7) == -1 ? 0 : 1;
}
''')
    other, program = os.path.join(install.work, "libother.a"), os.path.join(install.work, "two")
    checks.runs("another Rust library is built",
                ["rustc", "--edition", "2024", "--crate-type", "staticlib", "-o", other, rust])
    for order in ([*archive, other], [other, *archive]):
        what = " before ".join(map(os.path.basename, order))
        checks.runs(f"a program with two Rust libraries is built, {what}",
                    ["gcc", f"-I{install.prefix}/include", source, "-o", program, *order])
        checks.runs(f"a program with two Rust libraries runs, {what}", [program])


def check_plugin(checks, install, archive):
    """libotr.a inside a plugin that a program without it loads."""
    plugin_source = install.write("plugin.c", '#include <libotr/proto.h>\n'
                                  "const char *plugin(void) { return otrl_init(4, 1, 1) ? 0 : otrl_version(); }\n")
    host_source = install.write("host.c", '''
#include <dlfcn.h>
#include <string.h>
int main(int argc, char **argv)
{
    const char *(*plugin)(void);
    void *loaded = dlopen(argv[argc - 1], RTLD_NOW | RTLD_LOCAL);
    if (!loaded) return 2;
    *(void **)&plugin = dlsym(loaded, "plugin");
    return plugin && plugin() && !strcmp(plugin(), "4.1.1") ? 0 : 1;
}
''')
    plugin, host = os.path.join(install.work, "plugin.so"), os.path.join(install.work, "host")
    checks.runs("a plugin is built with libotr.a inside",
                ["gcc", "-shared", "-fPIC", f"-I{install.prefix}/include", plugin_source, "-o", plugin, *archive])
    checks.runs("a program that loads a plugin is built", ["gcc", host_source, "-o", host, "-ldl"])
    checks.runs("a plugin with libotr.a inside is loaded and works", [host, plugin])


def test_archive(checks, install):
    """What libotr.a shows to a linker."""
    archive = os.path.join(install.prefix, "lib/libotr.a")
    expected = [name for file in ("symbols.so.5.txt", "helpers.txt")
                for name in open(os.path.join(ROOT, "abi-check/reference", file), encoding="utf-8").read().split()]
    listed = [line.split() for line in command_output(["nm", "--defined-only", "--extern-only", archive]).stdout.splitlines()]
    checks.same_names("libotr.a shows the interface and nothing else",
                      [fields[2] for fields in listed if len(fields) == 3], expected)


def test_serial(checks, install):
    """The macros of serial.h, which need libgcrypt: a message written and read again, whole and cut off."""
    source = install.write("serial.c", '''
#include <gcrypt.h>
#include <stdio.h>
#include <libotr/serial.h>
static int reads(const unsigned char *bufp, size_t lenp, unsigned int *number, gcry_mpi_t *x, gcry_mpi_t *zero)
{
    skip_header('\\x0a');
    read_int(*number);
    read_mpi(*x);
    read_mpi(*zero);
    return lenp == 0;
invval:
    return 0;
}
int main(void)
{
    const enum gcry_mpi_format format = GCRYMPI_FMT_USG;
    unsigned char message[64], *bufp = message;
    size_t lenp = sizeof(message), length, cut;
    unsigned int number = 0;
    gcry_mpi_t value = gcry_mpi_set_ui(NULL, 0x123456), zero = NULL, x = NULL;
    write_header(3, 0x0a);
    write_int(0xfedcba98u);
    write_mpi(value, 3, "x");
    write_int(0);
    length = (size_t)(bufp - message);
    if (lenp != sizeof(message) - length) return 2;
    for (cut = 0; cut < length; cut++) printf("%02x", message[cut]);
    if (!reads(message, length, &number, &x, &zero)) return 3;
    if (number != 0xfedcba98u || gcry_mpi_cmp(x, value) || gcry_mpi_cmp_ui(zero, 0)) return 4;
    for (cut = 0; cut < length; cut++) if (reads(message, cut, &number, &x, &zero)) return 5;
    message[2] = 0x0b;
    if (reads(message, length, &number, &x, &zero)) return 6;
    message[2] = 0x0a;
    message[1] = 4;
    if (reads(message, length, &number, &x, &zero)) return 7;
    message[1] = 3;
    message[7] = 0xff;
    if (reads(message, length, &number, &x, &zero)) return 8;
    return 0;
}
''')
    program = os.path.join(install.work, "serial")
    checks.runs("a program with the macros of serial.h is built",
                ["gcc", "-std=c99", *STRICT, f"-I{install.prefix}/include", source, "-o", program, "-lgcrypt"])
    done = command_output([program])
    checks.equal("the macros of serial.h write and read", (done.returncode, done.stdout),
                 (0, "00030afedcba980000000312345600000000"))


CONFIGURE = '''
AC_INIT([client], [1.0])
AM_INIT_AUTOMAKE([foreign])
AC_PROG_CC
AM_PATH_LIBOTR(%s)
echo "cflags=$LIBOTR_CFLAGS"
echo "libs=$LIBOTR_LIBS"
echo "left=$CPPFLAGS,$LDFLAGS,$LIBS"
'''


def test_autoconf(checks, install):
    """AM_PATH_LIBOTR, by which pidgin-otr, mcabber and others look for the library."""
    prefix = install.prefix
    found, missing = "[echo result=found]", "[echo result=missing]"
    cases = [
        ("a version that is there", f"[4.1.1], {found}, {missing}", [f"--with-libotr-prefix={prefix}"], "found"),
        ("an older one of the same interface", f"[4.0.0], {found}, {missing}", [f"--with-libotr-prefix={prefix}"], "found"),
        ("a version of two numbers", f"[4.1], {found}, {missing}", [f"--with-libotr-prefix={prefix}"], "found"),
        ("the directories themselves", f"[4.1.0], {found}, {missing}",
         [f"--with-libotr-prefix={prefix}/lib", f"--with-libotr-inc-prefix={prefix}/include"], "found"),
        ("a newer version", f"[4.2.0], {found}, {missing}", [f"--with-libotr-prefix={prefix}"], "missing"),
        ("a newer third number", f"[4.1.2], {found}, {missing}", [f"--with-libotr-prefix={prefix}"], "missing"),
        ("an older interface", f"[3.2.0], {found}, {missing}", [f"--with-libotr-prefix={prefix}"], "missing"),
        ("the default, which is an older interface", f", {found}, {missing}", [f"--with-libotr-prefix={prefix}"], "missing"),
        ("a newer version, and nothing to do about it", "[4.2.0]", [f"--with-libotr-prefix={prefix}"], "stops"),
        ("a version that is there, and nothing to do about it", "[4.1.0]", [f"--with-libotr-prefix={prefix}"], "goes on"),
    ]
    for number, (what, arguments, options, expected) in enumerate(cases):
        directory = os.path.join(install.work, f"autoconf-{number}")
        os.makedirs(directory)
        with open(os.path.join(directory, "configure.ac"), "w", encoding="utf-8") as text:
            text.write(CONFIGURE % arguments)
        aclocal = command_output(["aclocal", "-I", os.path.join(prefix, "share/aclocal"), "-Wall", "-Werror"], cwd=directory)
        autoconf = command_output(["autoconf", "-Wall"], cwd=directory)
        # Automake's helper scripts, which a release of a client brings along.
        command_output(["automake", "--add-missing", "--copy", "--foreign"], cwd=directory)
        checks.check(f"AM_PATH_LIBOTR: a configure script is made for {what}",
                     aclocal.returncode == 0 and autoconf.returncode == 0 and "libotr.m4" not in autoconf.stderr,
                     aclocal.stderr + autoconf.stderr)
        done = command_output(["./configure", *options], cwd=directory, env=install.environment)
        results = dict(line.split("=", 1) for line in done.stdout.splitlines() if re.match(r"(result|cflags|libs|left)=", line))
        if expected == "stops":
            checks.check(f"AM_PATH_LIBOTR: {what}: stops", done.returncode != 0 and "was not found" in done.stderr, done.stderr)
            continue
        checks.equal(f"AM_PATH_LIBOTR: {what}", (done.returncode, results.get("result", "goes on")), (0, expected))
        checks.equal(f"AM_PATH_LIBOTR: {what}: leaves the other variables alone", results.get("left"), ",,")
        if expected == "missing":
            checks.equal(f"AM_PATH_LIBOTR: {what}: empty variables", (results.get("cflags"), results.get("libs")), ("", ""))
        else:
            checks.check(f"AM_PATH_LIBOTR: {what}: the variables",
                         f"-I{prefix}/include" in results.get("cflags", "").split()
                         and f"-L{prefix}/lib" in results.get("libs", "").split()
                         and results.get("libs", "").split()[-1:] == ["-lotr"], results)


def test_example(checks, install):
    """The client of docs/clients-api.md, built as its head says and played to the end."""
    source = os.path.join(ROOT, "docs/examples/minimal.c")
    cflags = install.pkg_config("--cflags").stdout.split()
    libraries = install.pkg_config("--libs").stdout.split()
    for machine, options in install.machines.items():
        program = os.path.join(install.work, "minimal")
        checks.runs(f"docs/examples/minimal.c is built {machine}",
                    ["gcc", "-std=c99", *STRICT, *options["c"], *cflags, source, "-o", program, *libraries])
        done = command_output([program], env=install.environment)
        said = done.stdout.splitlines()
        checks.check(f"minimal.c, built {machine}, runs to its end", done.returncode == 0, done.stdout + done.stderr)
        for line in ("bob: a session of version 3 with alice, not verified", "alice sees: So I see.", "alice: bob knows the same",
                     "bob: alice has ended the session"):
            checks.check(f"minimal.c, built {machine}: {line}", line in said, done.stdout)
