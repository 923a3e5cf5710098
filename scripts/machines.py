"""The machines that scripts/cross knows, and what it takes from Debian for them."""

import glob
import os
import platform
import subprocess
import sys
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.append(os.path.join(ROOT, "tests", "support"))

from checks import command_output  # noqa: E402

# Of the machine itself, unpacked and not installed: the libotr that ours is compared with, and libgcrypt to build programs with.
LIBRARIES = ("libotr5", "libgcrypt20", "libgcrypt20-dev", "libgpg-error0", "libgpg-error-dev")


@dataclass
class Machine:
    """A machine, in the words of Rust, of its C compiler and of qemu."""

    rust: str
    compiler: str
    qemu: str = ""
    # The name of its loader's directory: where Debian's libraries for its compiler are.
    root: str = ""
    # Of Python's platform.machine: processors that run its programs themselves, and the packages that takes.
    natively: tuple = ()
    libraries: tuple = ()
    packages: tuple = ()
    # Whether this Debian has packages for it, and if not, why.
    without_debian: str = ""

    @property
    def cargo(self):
        """What cargo's variables for it begin with."""
        return f"CARGO_TARGET_{self.rust.upper().replace('-', '_')}"

    @property
    def native(self):
        """Whether this machine's processor runs its programs."""
        return platform.machine() in self.natively


def gnu(rust, triplet, qemu, name, **more):
    """A machine with glibc, for which Debian has a cross compiler."""
    return Machine(rust, f"{triplet}-gcc", qemu, f"/usr/{triplet}",
                   packages=(f"gcc-{triplet}", f"g++-{triplet}", f"libc6-dev-{name}-cross"), **more)


NO_RELEASE = "Debian 12 has none"
MACHINES = {
    "i386": gnu("i686-unknown-linux-gnu", "i686-linux-gnu", "i386", "i386", natively=("x86_64",),
                libraries=("libc6-i386", "lib32gcc-s1", "lib32stdc++6")),
    "armhf": gnu("armv7-unknown-linux-gnueabihf", "arm-linux-gnueabihf", "arm", "armhf"),
    "arm64": gnu("aarch64-unknown-linux-gnu", "aarch64-linux-gnu", "aarch64", "arm64", natively=("aarch64",)),
    "riscv64": gnu("riscv64gc-unknown-linux-gnu", "riscv64-linux-gnu", "riscv64", "riscv64", natively=("riscv64",),
                   without_debian=NO_RELEASE),
    "ppc64el": gnu("powerpc64le-unknown-linux-gnu", "powerpc64le-linux-gnu", "ppc64le", "ppc64el", natively=("ppc64le",)),
    "s390x": gnu("s390x-unknown-linux-gnu", "s390x-linux-gnu", "s390x", "s390x", natively=("s390x",)),
    "musl": Machine("x86_64-unknown-linux-musl", "musl-gcc", natively=("x86_64",), packages=("musl-tools",),
                    without_debian="Debian has none for musl"),
}
# For Rust's libc, on a 32-bit machine whose C compiler has a time_t of 64 bits.
LONG_TIME = '--cfg=libc_unstable_gnu_time_bits="64"'
# For which it is only looked at whether the library compiles.
COMPILED = {
    "musl on arm64": "aarch64-unknown-linux-musl",
    "FreeBSD": "x86_64-unknown-freebsd",
    "macOS": "aarch64-apple-darwin",
    "Windows (mingw)": "x86_64-pc-windows-gnu",
}


def unwinder(place):
    """Options for rustc by which what libgcc_s does is in the library: there is none for musl here. It is what Rust links into
    static programs."""
    sysroot = command_output(["rustc", "--print", "sysroot"]).stdout.strip()
    with open(os.path.join(place, "libgcc_s.so"), "w", encoding="ascii") as script:
        script.write(f"INPUT({sysroot}/lib/rustlib/{MACHINES['musl'].rust}/lib/self-contained/libunwind.a)\n")
    return f"-Ctarget-feature=-crt-static -Lnative={place}"


def packages(machine, quick, follows=False):
    """The Debian packages that a machine takes here: all, what it takes to build and compare structs, or to follow computations."""
    compilers = [name for name in machine.packages if not ((quick or follows) and name.startswith("g++"))]
    if follows:
        return [*compilers, "gcc", "qemu-user"]
    needed = [*compilers, "libotr5-dev", "libgcrypt20-dev"]
    return needed + ([] if quick else ["qemu-user"] + (list(machine.libraries) if machine.native else []))


def build_plugin(source, output):
    """Compiles a plugin of qemu's."""
    subprocess.check_call(["cc", "-O2", "-shared", "-fPIC", "-I", os.path.join(ROOT, "tests", "support"), "-o", output,
                           os.path.join(ROOT, source)])


def apt(architecture, place, *arguments, **options):
    """Runs apt-get for another architecture, with lists of its own: those of the system stay as they are."""
    settings = {"APT::Architecture": architecture, "APT::Architectures": architecture, "Acquire::Languages": "none",
                "Dir::State::Lists": f"{place}/lists", "Dir::Cache": f"{place}/cache", "Dir::State::status": "/dev/null"}
    return command_output(["apt-get", "-q", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}")),
                           *arguments], timeout=600, **options)


def unpack(architecture, place):
    """Unpacks the libraries of an architecture below a directory, unless they are there. The complaint if that cannot be."""
    root = os.path.join(place, "root")
    if os.path.isdir(root):
        return ""
    for name in ("lists/partial", "cache/archives/partial", "packages"):
        os.makedirs(os.path.join(place, name), exist_ok=True)
    downloads = os.path.join(place, "packages")
    # A list that cannot be had may be one that is not needed.
    lists = apt(architecture, place, "update", cwd=downloads)
    done = apt(architecture, place, "download", *LIBRARIES, cwd=downloads)
    if done.returncode:
        return lists.stderr + done.stdout + done.stderr
    for package in glob.glob(f"{downloads}/*.deb"):
        done = command_output(["dpkg-deb", "--extract", package, f"{root}.new"])
        if done.returncode:
            return done.stderr
    os.rename(f"{root}.new", root)
    return ""
