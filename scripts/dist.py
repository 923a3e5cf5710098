#!/usr/bin/env python3
"""Makes the tarball of a release: the sources, those of all crates that they need, the bill of materials and the licences. Nothing in
it depends on the machine, the directory or the time: the same commit and the same cargo give the same bytes.

    scripts/dist.py [DIRECTORY]    writes libotr-rs-VERSION.tar.gz to the directory (target/dist)

The files are those that git knows, as they are in the directory, with the date of the last commit; SOURCE_DATE_EPOCH in the environment
gives another one. In an unpacked tarball, without git, it makes the same tarball again."""

import gzip
import hashlib
import io
import os
import stat
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import sbom  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
# Packages of their own, with a Cargo.lock of their own.
OTHERS = ["abi-check/rust-header", "fuzz"]
# What is not source, where there is no git to ask.
BUILT = {".git", "__pycache__", "node_modules", "target"}
CONFIG = """\
# Written by `make dist`: all crates are in vendor/, and nothing is fetched.
[source.crates-io]
replace-with = "vendor"

[source.vendor]
directory = "vendor"
"""


def output_of(*command, **options):
    """What a command prints, or None if it fails."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, **options)
    return done.stdout if done.returncode == 0 else None


def is_checkout():
    """Whether the sources are a git checkout, and not just inside of somebody else's."""
    top = output_of("git", "rev-parse", "--show-toplevel")
    return top is not None and Path(os.fsdecode(top.rstrip(b"\n"))).resolve() == ROOT


def source_files(from_git):
    """The files of the project, relative to its top."""
    if from_git:
        names = [os.fsdecode(name) for name in output_of("git", "ls-files", "-z").split(b"\0") if name]
        return [name for name in names if os.path.lexists(ROOT / name)]
    found = []
    for directory, below, names in os.walk(ROOT):
        inside = Path(directory).relative_to(ROOT)
        links = [name for name in below if (Path(directory) / name).is_symlink()]
        # A crate may have a directory of one of these names.
        below[:] = [name for name in below if name not in links and (name not in BUILT or inside.parts[:1] == ("vendor",))]
        found += [str(inside / name) for name in names + links]
    return found


def date(from_git, files):
    """The date of everything in the tarball, in seconds."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    if from_git:
        return int(output_of("git", "log", "-1", "--format=%ct"))
    # Links are often unpacked without their time.
    return int(max(os.lstat(ROOT / name).st_mtime for name in files if not (ROOT / name).is_symlink()))


def read(path):
    """What stands in the tarball for a file: its contents and whether it is a program, or where a link leads."""
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        return os.readlink(path), None
    return path.read_bytes(), bool(mode & stat.S_IXUSR)


def add_crates(tree, work):
    """Puts all crates into the tree, and tells cargo that they are there."""
    locks = [word for other in OTHERS for word in ("--sync", f"{other}/Cargo.toml")]
    command = ["cargo", "vendor", "--locked", "--versioned-dirs", *locks, str(work / "vendor")]
    # Without the network, if all of them were needed before.
    if output_of(*command, "--offline") is None:
        done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"make dist: the crates are not to be had.\n{done.stderr}")
    for path in (work / "vendor").rglob("*"):
        if path.is_symlink() or path.is_file():
            tree[str(path.relative_to(work))] = read(path)
    tree[".cargo/config.toml"] = (CONFIG.encode(), False)


def add_materials(tree, work):
    """Puts the bill of materials and the licences into the tree."""
    sbom.write(work, ROOT)
    for name in ("bill-of-materials.cdx.json", "third-party-licences.txt"):
        tree[name] = read(work / name)


def tarball(tree, top, when):
    """The tarball, as bytes: sorted by name, and without anything of the machine in it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(tree):
            contents, is_program = tree[name]
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.mtime, entry.uname, entry.gname = when, "root", "root"
            if is_program is None:
                entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, contents, 0o777
                tar.addfile(entry)
            else:
                entry.size, entry.mode = len(contents), 0o755 if is_program else 0o644
                tar.addfile(entry, io.BytesIO(contents))
    # As `gzip -n`: neither a name nor a date.
    zipped = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=zipped, mtime=0) as stream:
        stream.write(packed.getbuffer())
    return zipped.getvalue()


def main():
    if len(sys.argv) > 2 or sys.argv[1:2] == ["--help"]:
        sys.exit(__doc__)
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    directory = Path(sys.argv[1]) if sys.argv[1:] else target / "dist"
    version = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["version"]
    from_git = is_checkout()
    files = source_files(from_git)
    when = date(from_git, files)
    os.environ["SOURCE_DATE_EPOCH"] = str(when)
    if from_git and output_of("git", "status", "--porcelain", "--untracked-files=no"):
        print("make dist: there are changes that are not committed, and they are in the tarball", file=sys.stderr)
    tree = {name: read(ROOT / name) for name in files}
    if not any(name.startswith("vendor/") for name in files):
        with tempfile.TemporaryDirectory(prefix="libotr-dist-") as work:
            add_crates(tree, Path(work))
            add_materials(tree, Path(work))
    name = f"{sbom.NAME}-{version}"
    packed = tarball(tree, name, when)
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.tar.gz"
    path.write_bytes(packed)
    print(f"{hashlib.sha256(packed).hexdigest()}  {path}")


if __name__ == "__main__":
    main()
