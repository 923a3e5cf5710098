"""The packages that `make deb` has built: their contents and their fields."""

import re
import subprocess
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import chroot
from checks import command_output

TRIPLET = "x86_64-linux-gnu"
LIBDIR = f"/usr/lib/{TRIPLET}"
PROGRAMS = ["otr-keys", "otr_mackey", "otr_modify", "otr_parse", "otr_readforge", "otr_remac", "otr_sesskeys"]
HEADERS_2 = ["auth.h", "b64.h", "context.h", "dh.h", "gcrypt-subset/gcrypt.h", "gcrypt-types.h", "mem.h", "message.h",
             "privkey-t.h", "privkey.h", "proto.h", "serial.h", "sm.h", "tlv.h", "userstate.h", "version.h"]
HEADERS_5 = sorted(HEADERS_2 + ["context_priv.h", "instag.h"])
# Files below /usr and not those below /usr/share/doc; links with where they lead.
FILES = {
    "libotr5-rs": {f"{LIBDIR}/libotr.so.5": "libotr.so.5.1.1", f"{LIBDIR}/libotr.so.5.1.1": None,
                   "/usr/share/man/man7/libotr.7.gz": None},
    "libotr5-rs-dev": {f"{LIBDIR}/libotr.so": "libotr.so.5.1.1", f"{LIBDIR}/libotr.a": None,
                       f"{LIBDIR}/pkgconfig/libotr.pc": None, "/usr/share/aclocal/libotr.m4": None,
                       **{f"/usr/include/libotr/{name}": None for name in HEADERS_5}},
    "libotr5-rs-bin": {**{f"/usr/bin/{name}": None for name in PROGRAMS},
                       **{f"/usr/share/man/man1/{name}.1.gz": None for name in PROGRAMS}},
    "libotr2-rs": {f"{LIBDIR}/libotr.so.2": "libotr.so.2.2.1", f"{LIBDIR}/libotr.so.2.2.1": None},
    "libotr2-rs-dev": {f"{LIBDIR}/libotr-2/lib/libotr.so": "../../libotr.so.2.2.1", f"{LIBDIR}/libotr-2/lib/libotr.a": None,
                       f"{LIBDIR}/libotr-2/lib/pkgconfig/libotr.pc": None,
                       **{f"{LIBDIR}/libotr-2/include/libotr/{name}": None for name in HEADERS_2}},
}
# What is linked, by the package it is in.
LINKED = {"libotr5-rs": ["libotr.so.5.1.1"], "libotr2-rs": ["libotr.so.2.2.1"], "libotr5-rs-bin": PROGRAMS}
# The newest glibc that the suite has.
GLIBC = {"bookworm": (2, 36), "trixie": (2, 41)}


@dataclass
class Built:
    """The packages of a suite: where they are, by their names, and the version of all of them."""
    suite: str
    directory: Path
    version: str = ""
    packages: dict = field(default_factory=dict)


def find(suite):
    """The packages of a suite; None if they are not there."""
    directory = chroot.TARGET / "deb" / suite
    built = Built(suite, directory)
    for path in sorted(directory.glob("*.deb")):
        name, version, _ = path.stem.split("_")
        built.packages[name] = path
        built.version = version
    return built if built.packages else None


def fields(path):
    """What a package says of itself."""
    text = command_output(["dpkg-deb", "-f", path]).stdout
    return dict(re.findall(r"^(\S+): (.*)$", text, re.M))


def contents(path):
    """The files in a package, with where links lead; and those that are not root's or have another mode than they should."""
    found, odd = {}, []
    for line in command_output(["dpkg-deb", "-c", path]).stdout.splitlines():
        mode, owner, _, _, _, name = line.split(maxsplit=5)
        name, _, target = name.removeprefix(".").partition(" -> ")
        if mode[0] == "d":
            good = mode == "drwxr-xr-x"
        else:
            found[name] = target or None
            good = mode == ("lrwxrwxrwx" if mode[0] == "l" else "-rwxr-xr-x" if name.startswith("/usr/bin/") else "-rw-r--r--")
        if owner != "root/root" or not good:
            odd.append(line)
    return found, odd


def check_names(checks, built):
    """Which files there are."""
    version = tomllib.loads((chroot.ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["version"]
    checks.check("the version is that of Cargo.toml", built.version.startswith(f"{version}-"), built.version)
    names = set(FILES) | {f"{name}-dbgsym" for name in LINKED}
    checks.same_names("the packages", built.packages, names)
    source = f"libotr-rs_{built.version}"
    wanted = {f"libotr-rs_{version}.orig.tar.gz", f"{source}.debian.tar.xz", f"{source}.dsc", f"{source}_amd64.changes",
              f"{source}_amd64.buildinfo", "build.log", *(path.name for path in built.packages.values())}
    checks.same_names("the files", {path.name for path in built.directory.iterdir()}, wanted)
    profile = [line for line in (built.directory / f"{source}_amd64.buildinfo").read_text(encoding="utf-8").splitlines()
               if re.match(r" (rustc|cargo)\S* \(", line)]
    print(f"built with {'; '.join(line.strip(' ,') for line in profile) or 'a Rust that is not of Debian'}")


def check_contents(checks, built):
    """What is in each package."""
    for name, expected in FILES.items():
        found, odd = contents(built.packages[name])
        documents = {path for path in found if path.startswith("/usr/share/doc/")}
        checks.equal(f"the files of {name}", {path: link for path, link in found.items()
                                              if path not in documents and "/lintian/" not in path}, expected)
        checks.equal(f"the owners and modes in {name}", odd, [])
        there = {path.removeprefix(f"/usr/share/doc/{name}/").removesuffix(".gz") for path in documents}
        for document in ("copyright", "changelog.Debian", "third-party-licences.txt"):
            checks.check(f"{document} is in {name}", document in there, there)
    everything = [path for name in FILES for path in FILES[name]]
    checks.equal("no file is in two packages", len(everything), len(set(everything)))


def check_fields(checks, built):
    """How the packages stand to Debian's."""
    said = {name: fields(path) for name, path in built.packages.items()}
    for name in FILES:
        checks.equal(f"{name} is of this version", said[name]["Version"], built.version)
        checks.equal(f"{name}: Multi-Arch", said[name].get("Multi-Arch"), "foreign" if name.endswith("-bin") else "same")
    library = said["libotr5-rs"]
    checks.equal("libotr5-rs: Provides", library["Provides"], "libotr5 (= 4.1.1), libotr5t64 (= 4.1.1)")
    for word in ("Conflicts", "Replaces"):
        checks.equal(f"libotr5-rs: {word}", library[word], "libotr5, libotr5t64")
        checks.equal(f"libotr5-rs-dev: {word}", said["libotr5-rs-dev"][word], "libotr5-dev")
        checks.check(f"libotr2-rs-dev: no {word}", word not in said["libotr2-rs-dev"])
    for name in LINKED:
        needed = re.sub(r" \(.*?\)", "", said[name]["Depends"]).split(", ")
        checks.equal(f"{name} needs the C library and nothing else", sorted(set(needed) - {"libgcc-s1"}), ["libc6"])
        wanted = re.search(r"libc6 \(>= (\d+)\.(\d+)", said[name]["Depends"])
        checks.check(f"{name} runs with the C library of the suite",
                     wanted and tuple(map(int, wanted.groups())) <= GLIBC[built.suite], said[name]["Depends"])
    for abi in "52":
        checks.check(f"libotr{abi}-rs-dev needs the library of just this version",
                     f"libotr{abi}-rs (= {built.version})" in said[f"libotr{abi}-rs-dev"]["Depends"])


def check_linked(checks, built, work):
    """What is linked: hardened, without debug information, which is in a package of its own; and which glibc it needs."""
    for name, files in LINKED.items():
        subprocess.run(["dpkg-deb", "-x", built.packages[name], work / name], check=True)
        subprocess.run(["dpkg-deb", "-x", built.packages[f"{name}-dbgsym"], work / f"{name}-dbgsym"], check=True)
        newest = (0,)
        for file in files:
            path = work / name / (f"usr/bin/{file}" if name.endswith("-bin") else f"{LIBDIR[1:]}/{file}")
            headers = command_output(["readelf", "-W", "--program-headers", "--dynamic", "--notes", "--sections", path]).stdout
            checks.check(f"{file}: read-only relocations",
                         "GNU_RELRO" in headers and re.search(r"BIND_NOW|Flags: .*NOW", headers))
            stack = re.findall(r"(?m)^ +GNU_STACK .*$", headers)
            checks.check(f"{file}: no stack that may be run", len(stack) == 1 and stack[0].split()[-2] == "RW", stack)
            checks.check(f"{file}: at any address", re.search(r"(?m)^Elf file type is DYN", headers))
            checks.check(f"{file}: no debug information", ".debug_line" not in headers and ".symtab" not in headers)
            checks.check(f"{file}: needs no libgcrypt", "gcrypt" not in headers)
            number = re.search(r"Build ID: (\w\w)(\w+)", headers)
            debug = work / f"{name}-dbgsym/usr/lib/debug/.build-id" / (f"{number[1]}/{number[2]}.debug" if number else "none")
            checks.check(f"{file}: its line numbers are in {name}-dbgsym",
                         ".debug_line" in command_output(["readelf", "--wide", "--sections", debug]).stdout, debug)
            versions = re.findall(r"Name: GLIBC_([\d.]+)", command_output(["readelf", "-V", path]).stdout)
            newest = max([newest, *(tuple(map(int, version.split("."))) for version in versions)])
        checks.check(f"the glibc of {name} was found", newest > (2,), newest)
        print(f"{name} needs glibc {'.'.join(map(str, newest))}; {built.packages[name].stat().st_size} bytes")


def bumped(path, version, higher, to):
    """The same package once more, with a higher version."""
    def change(control):
        return control.replace(version, higher)
    return repacked(path, to, change)


def of_another_machine(path, to):
    """The same package as if it were for i386: a library at the place that it has there, which nobody runs."""
    def change(control):
        return re.sub(r"(?m)^(Pre-)?Depends: .*\n", "", control).replace("Architecture: amd64", "Architecture: i386")
    return repacked(path, to, change, move=(LIBDIR[1:], "usr/lib/i386-linux-gnu"))


def repacked(path, to, change, move=None):
    """A package with another control file, and with one directory renamed."""
    tree = to / "tree"
    subprocess.run(["dpkg-deb", "-R", path, tree], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(change(control.read_text(encoding="utf-8")), encoding="utf-8")
    if move:
        (tree / move[0]).rename(tree / move[1])
        sums = tree / "DEBIAN/md5sums"
        sums.write_text(sums.read_text(encoding="utf-8").replace(*move), encoding="utf-8")
    subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "-b", tree, to], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["rm", "-r", tree], check=True)
