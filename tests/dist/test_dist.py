"""The tarball of `make dist`: that it is reproducible, its contents, that cargo finds everything in it, and that
packaging/debian matches it; with --build also that builds from it in two places are equal, which takes about ten minutes.

Only crates that the machine does not have yet are fetched."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib

import dist
import pytest
from checks import command_output
from needs import COMPILERS, packages
from once import ROOT

pytestmark = [packages(COMPILERS, "git"), pytest.mark.minutes(15)]
# The Python of Debian 12 has none yet, and that of newer ones complains without one.
FILTER = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}


def make(checks, what, top, directory, **environment):
    """Makes a tarball of the sources in a directory, and gives its path; None if there is none."""
    environment = {**{name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}, **environment}
    checks.runs(f"a tarball {what}", [sys.executable, top / "scripts/dist.py", directory], env=environment, timeout=300)
    return next(iter(directory.glob("libotr-rs-*.tar.gz")), None)


def copy(to):
    """A copy of the sources without git, in which only the contents of the files are the same."""
    for name in dist.source_files(dist.is_checkout()):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, to / name, follow_symlinks=False)


def check_same(checks, work):
    """Makes the tarball in three places, and unpacks it. Returns where."""
    first = make(checks, "of these sources", ROOT, work / "first")
    if first is None:
        return None
    with tarfile.open(first) as tar:
        check_entries(checks, tar.getmembers())
        when = str(tar.getmembers()[0].mtime)
        tar.extractall(work / "unpacked", **FILTER)
    with gzip.open(first) as stream:
        stream.read(1)
        checks.equal("gzip says no time", stream.mtime, 0)
    checks.equal("gzip says no name", first.read_bytes()[3], 0)

    place = work / "another place" / "with a longer path"
    place.mkdir(parents=True)
    previous = os.umask(0o077)
    try:
        copy(place)
        other = {"SOURCE_DATE_EPOCH": when, "TZ": "Asia/Kathmandu", "LC_ALL": "C"}
        second = make(checks, "of a copy, with another umask, time zone and locale", place, work / "second", **other)
    finally:
        os.umask(previous)
    checks.check("has the same bytes", second and second.read_bytes() == first.read_bytes())
    top = work / "unpacked" / first.name.removesuffix(".tar.gz")
    third = make(checks, "of the unpacked tarball, without git", top, work / "third", CARGO_HOME=str(work / "no-cargo-home"))
    checks.check("has the same bytes as well", third and third.read_bytes() == first.read_bytes())
    return top


def check_entries(checks, entries):
    """The names of the files and what is said of them."""
    names = [entry.name for entry in entries]
    top = names[0].split("/")[0]
    checks.equal("the names are sorted", names, sorted(names))
    checks.equal("all are in one directory", [name for name in names if not name.startswith(f"{top}/") or ".." in name.split("/")], [])
    checks.equal("all have the same time", len({entry.mtime for entry in entries}), 1)
    checks.equal("all belong to root", {(entry.uid, entry.gid, entry.uname, entry.gname) for entry in entries}, {(0, 0, "root", "root")})
    modes = {entry.mode for entry in entries if entry.isfile()}
    checks.equal("the modes of files", modes, {0o644, 0o755})
    inside = {name.removeprefix(f"{top}/") for name in names}
    wanted = {".cargo/config.toml", "bill-of-materials.cdx.json", "third-party-licences.txt", "LICENSE", "Cargo.lock", "Makefile"}
    checks.equal("what must be there", sorted(wanted - inside), [])
    checks.equal("what must not be there", sorted(name for name in inside if name.split("/")[0] in ("target", ".git")), [])


def check_materials(checks, top):
    """The bill of materials and the licences."""
    text = (top / "bill-of-materials.cdx.json").read_text(encoding="utf-8")
    bill = json.loads(text)
    licences = (top / "third-party-licences.txt").read_text(encoding="utf-8")
    checks.equal("the form of the bill", (bill["bomFormat"], bill["specVersion"]), ("CycloneDX", "1.5"))
    lock = {(package["name"], package["version"]): package.get("checksum")
            for package in tomllib.loads((top / "Cargo.lock").read_text(encoding="utf-8"))["package"]}
    components = {(entry["name"], entry["version"]): entry for entry in bill["components"]}
    checks.equal("what the bill names that Cargo.lock has not", sorted(set(components) - set(lock)), [])
    for (name, version), entry in components.items():
        hashes = [one["content"] for one in entry.get("hashes", [])]
        checks.equal(f"the checksum of {name}", hashes, [lock[name, version]] if lock[name, version] else [])
        checks.check(f"the licence of {name}", entry["licenses"][0]["expression"], entry)
        if entry["scope"] == "required" and hashes:
            checks.check(f"{name} in the list of licences", f"    {name} {version}: " in licences)
            checks.check(f"a licence text of {name}", any(line.startswith("Of ") and f"{name} {version}" in line
                                                          for line in licences.splitlines()))
    # What the dependencies of the library name, seen from another side.
    for manifest in ("crates/otr-crypto", "crates/otr-protocol", "toolkit"):
        for name in tomllib.loads((top / manifest / "Cargo.toml").read_text(encoding="utf-8"))["dependencies"]:
            checks.check(f"{name} is in the bill, as linked in",
                         any(entry["name"] == name and entry["scope"] == "required" for entry in bill["components"]))
    names = {entry["name"] for entry in bill["components"]}
    checks.equal("no crate of the tests alone is in the bill", names & {"proptest", "num-bigint", "iced-x86", "cbindgen"}, set())
    references = {entry["bom-ref"] for entry in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    named = {need for entry in bill["dependencies"] for need in [entry["ref"], *entry["dependsOn"]]}
    checks.equal("the dependencies name the components", sorted(named ^ references), [])
    for what in (str(ROOT), os.path.expanduser("~") + "/"):
        checks.check("the machine does not show", what not in text and what not in licences)


def check_debian(checks, top):
    """That packaging/debian, from which `make deb` builds, is of this version, these functions and this Rust."""
    debian, workspace = top / "packaging/debian", tomllib.loads((top / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]
    first = (debian / "changelog").read_text(encoding="utf-8").split("\n", 1)[0]
    version = workspace["package"]["version"]
    checks.check("the version in the changelog for Debian", first.startswith(f"{dist.sbom.NAME} ({version}-"), first)
    wanted = re.findall(r"(?m)^ (?:cargo|rustc) \(>= (.*?)\)", (debian / "control").read_text(encoding="utf-8"))
    checks.equal("the Rust that the packages for Debian ask for", wanted, [workspace["package"]["rust-version"]] * 2)
    for abi in "52":
        symbols = re.findall(r"(?m)^ (\w+)@Base ", (debian / f"libotr{abi}-rs.symbols").read_text(encoding="utf-8"))
        names = [name for file in ("helpers.txt", f"symbols.so.{abi}.txt")
                 for name in (top / "abi-check/reference" / file).read_text(encoding="utf-8").split()]
        checks.same_names(f"the functions in libotr{abi}-rs.symbols", symbols, names)


def check_cargo(checks, top, work):
    """That cargo needs nothing but the tarball."""
    environment = {**os.environ, "CARGO_HOME": str(work / "empty"), "CARGO_NET_OFFLINE": "true", "CARGO_TARGET_DIR": str(work / "target")}
    for directory in (".", *dist.OTHERS):
        checks.runs(f"cargo metadata --offline in {directory}", ["cargo", "metadata", "--offline", "--locked", "--format-version", "1"],
                    cwd=top / directory, env=environment)
    checks.runs("cargo check --offline", ["cargo", "check", "--offline", "--locked", "-p", "libotr", "-p", "otr-toolkit"],
                cwd=top, env=environment, timeout=300)
    shown = command_output(["make", "-n", "CARGO=cargo"], cwd=top, env=environment).stdout
    checks.check("make leaves the directory out of what it builds", f"--remap-path-prefix={top}=" in shown, shown)


def check_build(checks, top, work):
    """That what is installed is the same, wherever it was built."""
    environment = {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"}
    environment |= {"CARGO_NET_OFFLINE": "true", "CARGO_HOME": str(work / "empty")}
    installed = []
    for number, place in enumerate((work / "one", work / "another" / "and-deeper")):
        shutil.copytree(top, place, symlinks=True)
        destination = work / f"installed-{number}"
        for abi in ("5", "2"):
            checks.runs(f"make install in {place}, ABI={abi}", ["make", "install", f"ABI={abi}", "PREFIX=/usr", f"DESTDIR={destination}"],
                        cwd=place, env=environment, timeout=1800)
        installed.append(destination)
    done = subprocess.run(["diff", "-r", *installed], capture_output=True, text=True, check=False)
    checks.check("both are the same", done.returncode == 0, done.stdout + done.stderr)


def test_tarball(checks, work):
    """The tarball."""
    top = check_same(checks, work)
    if top is not None:
        check_materials(checks, top)
        check_debian(checks, top)
        check_cargo(checks, top, work)


@pytest.mark.only_with("build")
@pytest.mark.minutes(60)
def test_build(checks, work):
    """What is built from it."""
    made = make(checks, "of these sources", ROOT, work / "made")
    with tarfile.open(made) as tar:
        tar.extractall(work / "unpacked", **FILTER)
    check_build(checks, work / "unpacked" / made.name.removesuffix(".tar.gz"), work)
