"""Debian in a directory, to build and test without changing the machine: for `make deb` and tests/deb. Needs root.

`image` makes a tarball of a suite with some packages, once; a `Chroot` is an unpacked copy of it, which is removed at the end of its
`with` block. Commands in it have their own process numbers, mounts and network: they end with the command that started them, and only
see the loopback interface, unless they ask for the network."""

import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").absolute()
MIRROR = os.environ.get("MIRROR", "http://deb.debian.org/debian")
# What this module calls.
PACKAGES = ["mmdebstrap", "iproute2", "util-linux"]
SUITES = {"bookworm": 12, "trixie": 13}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Debian starts a service when its package is installed, unless this file forbids it.
NO_SERVICES = """set -e
printf '#!/bin/sh\\nexit 101\\n' > "$1/usr/sbin/policy-rc.d"
chmod 755 "$1/usr/sbin/policy-rc.d"
"""


def prepare(*packages):
    """Ends the program unless it may and can make chroots; installs what it needs for it."""
    # Clean up after an interruption as after an error.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if os.geteuid() != 0:
        sys.exit("This takes root, for chroot and mount. How to build the packages without: packaging/debian/README.md")
    if subprocess.run([ROOT / "scripts/install-packages", *PACKAGES, *packages], check=False).returncode:
        sys.exit(1)


def suite_of(name):
    """The name of a suite, or the end of the program."""
    if name not in SUITES:
        sys.exit(f"There is no SUITE={name}. There are: {', '.join(SUITES)}")
    return name


def image(suite, *packages):
    """A tarball of a suite with what builds packages and with these. It is made when there is none; `make clean` removes it."""
    key = hashlib.sha256(" ".join([MIRROR, *packages]).encode()).hexdigest()[:12]
    path = TARGET / "deb" / "images" / f"{suite}-{key}.tar"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    print(f"installing Debian {SUITES[suite]} into {path}: some minutes", flush=True)
    part, log = path.with_suffix(".part.tar"), path.with_suffix(".log")
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as hook:
        hook.write(NO_SERVICES)
        hook.flush()
        command = ["mmdebstrap", "--variant=buildd", "--components=main", "--aptopt=Acquire::Check-Valid-Until false",
                   f"--essential-hook=sh {hook.name} \"$1\"", f"--include={','.join(packages)}", suite, part, MIRROR]
        with open(log, "wb") as output:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        part.unlink(missing_ok=True)
        last = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        sys.exit(f"{last}\nDebian {SUITES[suite]} could not be installed; all that was said: {log}")
    part.rename(path)
    return path


class Chroot:
    """An unpacked image."""

    def __init__(self, tarball):
        self.tarball = tarball
        self.top = None

    def __enter__(self):
        self.top = Path(tempfile.mkdtemp(prefix="libotr-chroot-"))
        # The devices are those of the machine.
        subprocess.run(["tar", "xf", self.tarball, "-C", self.top, "--exclude=./dev/*"], check=True)
        # As on any machine: whoever is in there is somebody.
        self.top.chmod(0o755)
        return self

    def __exit__(self, *_):
        # No mount is in there: they are gone with the commands that had them.
        shutil.rmtree(self.top, ignore_errors=True)

    def path(self, inside):
        """Where a file of the chroot is on the machine."""
        return self.top / str(inside).lstrip("/")

    def command(self, command, network=False, user=None, read_only=(), environment=None, directory="/"):
        """The command of the machine by which one runs in the chroot. `read_only` is of pairs: a directory of the machine, and the
        one in the chroot where it is to be seen."""
        top = shlex.quote(str(self.top))
        lines = ["set -e", f"mount -t proc proc {top}/proc", f"mount --rbind /dev {top}/dev"]
        lines += ["ip link set lo up"] if not network else []
        for place, seen in read_only:
            seen = shlex.quote(str(self.path(seen)))
            lines += [f"mkdir -p {seen}", f"mount --bind {shlex.quote(str(place))} {seen}", f"mount -o remount,bind,ro {seen}"]
        variables = {"PATH": PATH, "HOME": "/nonexistent" if user else "/root", "LC_ALL": "C.UTF-8",
                     "DEBIAN_FRONTEND": "noninteractive", **(environment or {})}
        inside = f"cd {shlex.quote(str(directory))} && exec {shlex.join(map(str, command))}"
        chroot = ["chroot", *([f"--userspec={user}"] if user else []), self.top,
                  "/usr/bin/env", "-i", *(f"{name}={value}" for name, value in variables.items()), "/bin/sh", "-c", inside]
        lines.append(f"exec {shlex.join(map(str, chroot))}")
        own = ["--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", *([] if network else ["--net"])]
        return ["unshare", *own, "/bin/sh", "-c", "\n".join(lines)]

    def run(self, command, timeout=600, **options):
        """Runs a command in the chroot to its end; gives what subprocess.run gives, with both outputs as one text."""
        if options.get("network"):
            shutil.copy("/etc/resolv.conf", self.path("/etc/resolv.conf"))
        full = self.command(command, **options)
        try:
            return subprocess.run(full, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, errors="replace", timeout=timeout)
        except subprocess.TimeoutExpired as error:
            said = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else error.stdout or ""
            return subprocess.CompletedProcess(command, 124, f"{said}\ntook more than {timeout} s")
