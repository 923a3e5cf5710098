#!/usr/bin/env python3
"""Builds the Debian packages of packaging/debian in a clean Debian without a network, from the tarball of `make dist`.

    scripts/deb.py [SUITE]    bookworm (Debian 12) or trixie (Debian 13); the packages go to target/deb/SUITE

In the environment:
    RUST      the compiler: `debian` for the suite's own packages, or the directory of a Rust
              toolchain, which is mounted in the chroot. Default: `debian` for trixie; for bookworm, whose Rust is too
              old, the toolchain of the machine
    DEBFULLNAME, DEBEMAIL     the Maintainer of the packages
    MIRROR    the Debian mirror

See packaging/debian/README.md."""

import datetime
import email.utils
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import chroot  # noqa: E402
from sbom import NAME  # noqa: E402

ROOT = chroot.ROOT
# Who builds in there; nobody else has this number.
BUILDER = "2345:2345"
ON_PATH = "pkg.libotr-rs.rust-on-path"


def stop(text):
    """Ends the program with a text."""
    sys.exit(f"make deb: {text}")


def toolchain(suite):
    """The directory of the Rust toolchain that is shown in the chroot, or None if Debian's packages are installed there."""
    given = os.environ.get("RUST") or ("debian" if suite == "trixie" else "")
    if given == "debian":
        return None
    if not given:
        try:
            done = subprocess.run(["rustc", "--print", "sysroot"], cwd=ROOT, capture_output=True, text=True, check=True)
            given = done.stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            stop("this machine has no rustc, and that of the suite is too old: see https://rustup.rs, or give RUST=directory")
    place = Path(given).resolve()
    if place == Path("/usr") or not all((place / "bin" / name).exists() for name in ("cargo", "rustc")):
        stop(f"{place} is not the directory of a Rust toolchain, with bin/cargo and bin/rustc: give RUST=directory, or RUST=debian")
    return place


def source_tree(work, suite):
    """Puts the tarball of the sources into a directory, and the unpacked sources with `debian`. Gives these and the version."""
    subprocess.run([ROOT / "scripts/dist.py", work / "dist"], check=True)
    tarball = next((work / "dist").glob(f"{NAME}-*.tar.gz"))
    version = tarball.name.removeprefix(f"{NAME}-").removesuffix(".tar.gz")
    (work / "build").mkdir()
    tarball.rename(work / "build" / f"{NAME}_{version}.orig.tar.gz")
    with tarfile.open(work / "build" / f"{NAME}_{version}.orig.tar.gz") as packed:
        packed.extractall(work / "build", filter="tar")
    top = work / "build" / f"{NAME}-{version}"
    shutil.copytree(ROOT / "packaging/debian", top / "debian")
    return top, stamp(top / "debian", version, suite)


def stamp(debian, version, suite):
    """Puts the suite into the changelog, as a backport does, and who makes the packages into control. Returns their version."""
    changelog = debian / "changelog"
    text = changelog.read_text(encoding="utf-8")
    first = re.match(r"\S+ \((\S+)\) .*?^ -- (.* <.*>)  (.*?)$", text, re.S | re.M)
    if not first or first[1].rsplit("-", 1)[0] != version:
        stop(f"packaging/debian/changelog is of version {first and first[1]}, the sources of {version}")
    who = first[2]
    if os.environ.get("DEBEMAIL"):
        who = f"{os.environ.get('DEBFULLNAME') or os.environ['DEBEMAIL']} <{os.environ['DEBEMAIL']}>"
        control = debian / "control"
        control.write_text(re.sub(r"(?m)^Maintainer: .*$", lambda _: f"Maintainer: {who}", control.read_text(encoding="utf-8")),
                           encoding="utf-8")
    # The same each time, and not the same as before.
    when = email.utils.format_datetime(email.utils.parsedate_to_datetime(first[3]) + datetime.timedelta(seconds=1))
    full = f"{first[1]}~deb{chroot.SUITES[suite]}u1"
    entry = f"  * Build for Debian {chroot.SUITES[suite]} ({suite})."
    changelog.write_text(f"{NAME} ({full}) {suite}; urgency=medium\n\n{entry}\n\n -- {who}  {when}\n\n{text}", encoding="utf-8")
    return full


def run(root, what, command, log, **options):
    """Runs a step in the chroot, whose output goes to a file; ends the program if it fails."""
    begun = time.monotonic()
    print(f"{what}; what it says: {log}", flush=True)
    with open(log, "ab") as output:
        done = subprocess.run(root.command(command, **options), check=False, stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT)
    if done.returncode:
        last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:]
        stop(f"{what}: failed. The last lines:\n" + "\n".join(last))
    print(f"  done in {time.monotonic() - begun:.0f} s", flush=True)


def build(suite, rust, output):
    """Builds source and binary packages with a toolchain, and moves them to the directory `output`."""
    packages = ["debhelper"]
    if rust is None:
        packages += ["cargo", "rustc"]
    tarball = chroot.image(suite, *packages)
    log = output / "build.log"
    log.unlink(missing_ok=True)
    with chroot.Chroot(tarball) as root, tempfile.TemporaryDirectory(prefix="libotr-deb-") as work:
        top, version = source_tree(Path(work), suite)
        inside = root.path("/build")
        shutil.move(top.parent, inside)
        subprocess.run(["chown", "-R", BUILDER, inside], check=True)
        options = {"user": BUILDER, "directory": f"/build/{top.name}"}
        profile = []
        if rust is not None:
            options |= {"read_only": [(rust, "/opt/rust")], "environment": {"PATH": f"{chroot.PATH}:/opt/rust/bin"}}
            profile = [f"--build-profiles={ON_PATH}"]
        what = f"building {NAME} {version} for {suite}, without a network"
        run(root, what, ["dpkg-buildpackage", "-sa", "-us", "-uc", *profile], log, **options)
        for path in inside.iterdir():
            if path.is_file():
                os.chown(path, 0, 0)
                shutil.move(path, output / path.name)


def main():
    if len(sys.argv) > 2 or sys.argv[1:2] == ["--help"]:
        sys.exit(__doc__)
    suite = chroot.suite_of(sys.argv[1] if sys.argv[1:] else "bookworm")
    chroot.prepare("dpkg-dev")
    rust = toolchain(suite)
    output = chroot.TARGET / "deb" / suite
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    build(suite, rust, output)
    for path in sorted(output.glob("*.deb")):
        print(f"{path.stat().st_size:9d}  {path}")


if __name__ == "__main__":
    main()
