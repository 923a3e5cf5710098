"""The machine on which the packages are tested: a Debian with BitlBee, irssi and their OTR plugins, and what apt does to it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import chroot
from built import FILES, LIBDIR, bumped, of_another_machine

PACKAGES = ["bitlbee", "bitlbee-plugin-otr", "irssi", "irssi-plugin-otr", "lintian", "pkgconf", "prosody", "python3"]
# What libotr5 is called in the suite.
THEIRS = {"bookworm": "libotr5", "trixie": "libotr5t64"}
PLUGINS = {"bitlbee-plugin-otr", "irssi-plugin-otr"}
# Other clients of libotr5.
CLIENTS = ["mcabber", "pidgin-otr", "profanity", "psi-plugins"]
HOMES = "/root/homes"
LIBRARY = f"{LIBDIR}/libotr.so.5.1.1"
# What changes below these by itself.
RESTLESS = ("/dev/", "/etc/apt/", "/etc/ld.so.cache", "/etc/resolv.conf", "/proc/", "/project/", "/repository/", "/root/", "/run/",
            "/sys/", "/tmp/", "/var/cache/", "/var/lib/apt/", "/var/lib/dpkg/", "/var/lib/systemd/", "/var/log/", "/var/tmp/")


class Machine:
    """A chroot with Debian's packages, in which apt knows Debian and a local repository."""

    def __init__(self, root, checks, built):
        self.root, self.checks, self.built = root, checks, built
        self.theirs = THEIRS[built.suite]
        self.repository = root.path("/repository")
        self.repository.mkdir()
        (self.repository / "Packages").touch()
        root.path("/etc/apt/sources.list.d/ours.list").write_text("deb [trusted=yes] file:/repository ./\n", encoding="utf-8")
        settings = 'Acquire::Check-Valid-Until "false";\nAPT::Sandbox::User "root";\n'
        root.path("/etc/apt/apt.conf.d/tests").write_text(settings, encoding="utf-8")

    def offer(self, packages):
        """Puts packages into the local repository, and has apt look at it."""
        for path in packages:
            shutil.copy(path, self.repository)
        listed = subprocess.run(["dpkg-scanpackages", "--multiversion", "."], cwd=self.repository, capture_output=True, text=True,
                                check=True)
        (self.repository / "Packages").write_text(listed.stdout, encoding="utf-8")
        self.apt("update")

    def apt(self, *arguments):
        """Has apt-get do something without questions. One check; gives what it said."""
        # What is not allowed here: a downgrade, or the removal of what is held or essential.
        done = self.root.run(["apt-get", "-q", "-y", "--no-install-recommends", *arguments], network=True)
        self.checks.check(f"apt-get {' '.join(arguments)}", done.returncode == 0, "\n".join(done.stdout.splitlines()[-25:]))
        return done.stdout

    def would(self, *arguments):
        """What apt-get would do: the packages that it would install, and those that it would remove."""
        done = self.root.run(["apt-get", "-s", "-q", "-y", "--no-install-recommends", *arguments])
        self.checks.check(f"apt-get -s {' '.join(arguments)}", done.returncode == 0, "\n".join(done.stdout.splitlines()[-25:]))
        return set(re.findall(r"(?m)^Inst (\S+)", done.stdout)), set(re.findall(r"(?m)^Remv (\S+)", done.stdout))

    def installed(self):
        """The installed packages and their versions."""
        text = self.root.run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${binary:Package} ${Version}\n"]).stdout
        return {line.split()[1].removesuffix(":amd64"): line.split()[2] for line in text.splitlines() if line.startswith("ii ")}

    def swap(self, what, *arguments, gone=(), new=()):
        """Has apt do something; just these packages go and come. Nothing is broken afterwards."""
        before = self.installed()
        self.apt(*arguments)
        after = self.installed()
        self.checks.same_names(f"{what}: what goes", set(before) - set(after), gone)
        self.checks.same_names(f"{what}: what comes", set(after) - set(before), new)
        self.in_order(what)
        return after

    def in_order(self, what):
        """Nothing is half installed, and no dependency is missing."""
        for command in (["apt-get", "check"], ["dpkg", "--audit"]):
            done = self.root.run(command)
            said = [line for line in done.stdout.splitlines() if line and not re.match(r"(Reading|Building) .*\.\.\.", line)]
            self.checks.check(f"{what}: {' '.join(command)} is content", done.returncode == 0 and not said, done.stdout)

    def owner(self):
        """The package that the library of the system belongs to."""
        owner = self.root.run(["dpkg", "-S", LIBRARY]).stdout.split(":")[0]
        same = self.root.run(["dpkg", "--verify", owner]).stdout
        self.checks.equal(f"the files of {owner} are as it brought them", same, "")
        return owner

    def converse(self, what, owner, before=None):
        """The BitlBees talk, without a network, over the library of this package; what they know of each other is as it was."""
        self.checks.equal(f"{what}: whose the library is", self.owner(), owner)
        project = [(chroot.ROOT, "/project")]
        done = self.root.run(["python3", "/project/tests/deb/talk.py", HOMES], timeout=300, read_only=project)
        self.checks.check(f"{what}: a conversation", done.returncode == 0, done.stdout)
        told = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}
        self.checks.equal(f"{what}: both BitlBees run on the library of the system", told.pop("mapped", None), [LIBRARY])
        for user in told:
            self.checks.equal(f"{what}: {user} trusts the other", told[user]["trust"], "smp")
            if before:
                self.checks.equal(f"{what}: {user}'s keys and fingerprint are the same", told[user], before.get(user))
        done = self.root.run(["python3", "/project/tests/deb/irssi.py"], timeout=60, read_only=project)
        self.checks.equal(f"{what}: irssi's plugin runs on it", done.stdout.strip(), LIBRARY)
        return told

    def files(self):
        """All files and directories of the machine, but those that change by themselves."""
        top = str(self.root.top)
        found = subprocess.run(["find", top, "-mindepth", "1", "-printf", "/%P\\n"], capture_output=True, text=True, check=True)
        return {line for line in found.stdout.splitlines() if not f"{line}/".startswith(RESTLESS)}


def check_swap(machine):
    """Debian's library, ours, a later one of ours, and Debian's again: a conversation over each, with the same keys."""
    built, theirs = machine.built, machine.theirs
    first = machine.installed()
    machine.checks.check("Debian's library and its clients are installed", {theirs, *PLUGINS} <= set(first), first)
    machine.in_order("to begin with")
    known = machine.converse("with Debian's", theirs)
    machine.offer([built.packages[name] for name in FILES])
    clean = machine.files()
    # Whoever has the repository has not chosen yet.
    machine.checks.equal("an upgrade does not bring ours by itself", machine.would("full-upgrade")[0] & set(FILES), set())

    machine.swap("ours", "install", "libotr5-rs", gone=[theirs], new=["libotr5-rs"])
    machine.converse("with ours", "libotr5-rs", known)
    machine.checks.equal("an upgrade leaves ours", machine.would("full-upgrade")[1] & set(FILES), set())
    machine.checks.check("nothing that ours needs is removed by autoremove", "libotr5-rs" not in machine.would("autoremove")[1])
    for client in CLIENTS:
        come, go = machine.would("install", client)
        machine.checks.check(f"{client} goes with ours", client in come and theirs not in come and not go, (come, go))

    higher = f"{built.version}+later"
    later = Path(machine.root.top / "later")
    later.mkdir()
    for name in FILES:
        bumped(built.packages[name], built.version, higher, later)
    machine.offer(later.glob("*.deb"))
    after = machine.swap("a later one", "upgrade")
    machine.checks.equal("the upgrade has brought it", after.get("libotr5-rs"), higher)
    machine.converse("with a later one", "libotr5-rs", known)

    machine.swap("back", "install", theirs, gone=["libotr5-rs"], new=[theirs])
    machine.converse("with Debian's again", theirs, known)
    machine.checks.equal("all is as it was", machine.installed(), first)
    shutil.rmtree(later)
    left = machine.files() ^ clean
    machine.checks.equal("no file is left, and none is missing", sorted(left), [])


def check_all(machine):
    """All packages at once, together, instead of Debian's, and back."""
    checks, theirs = machine.checks, machine.theirs
    machine.swap("Debian's other two", "install", "libotr5-dev", "libotr5-bin",
                 new={"libotr5-dev", "libotr5-bin", "libgcrypt20-dev", "libgpg-error-dev"} - set(machine.installed()))
    before = machine.installed()
    clean = machine.files()
    machine.swap("ours, Debian's programs stay", "install", "libotr5-rs", gone=[theirs, "libotr5-dev"], new=["libotr5-rs"])
    machine.swap("the pair of ABI 2 beside it", "install", "libotr2-rs-dev", new=["libotr2-rs", "libotr2-rs-dev"])
    machine.swap("Debian's again, and the pair of ABI 2 stays", "install", theirs, "libotr5-dev", gone=["libotr5-rs"],
                 new=[theirs, "libotr5-dev"])
    their_three = [theirs, "libotr5-dev", "libotr5-bin"]
    our_three = ["libotr5-rs", "libotr5-rs-dev", "libotr5-rs-bin"]
    machine.swap("all of ours", "install", *FILES, gone=their_three, new=our_three)
    for name in FILES:
        there = set(machine.root.run(["dpkg", "-L", name]).stdout.split())
        checks.equal(f"{name}: its files are listed", sorted(set(FILES[name]) - there), [])
        checks.equal(f"{name}: its files are as it brought them", machine.root.run(["dpkg", "--verify", name]).stdout, "")
    done = machine.root.run(["otr-keys", "--version"])
    checks.check("otr-keys runs", done.returncode == 0, done.stdout)
    check_clients(machine)
    check_beside_another(machine)
    machine.swap("all of Debian's", "install", *their_three, gone=our_three, new=their_three)
    machine.swap("without the pair of ABI 2", "purge", "libotr2-rs", "libotr2-rs-dev", gone=["libotr2-rs", "libotr2-rs-dev"])
    checks.equal("Debian's packages are as they were", machine.installed(), before)
    checks.equal("no file is left, and none is missing, after all of ours", sorted(machine.files() ^ clean), [])


def check_beside_another(machine):
    """The library of another architecture beside it."""
    other = machine.root.path("/other")
    other.mkdir()
    of_another_machine(machine.built.packages["libotr5-rs"], other)
    machine.root.run(["dpkg", "--add-architecture", "i386"])
    package = next(path.name for path in other.glob("*.deb"))
    # The two are of one version only if that is the version which is installed.
    machine.swap("the version to be beside another", "install", "--allow-downgrades",
                 *(f"{name}={machine.built.version}" for name in ("libotr5-rs", "libotr5-rs-dev")))
    machine.swap("the library for i386 beside it", "install", f"/other/{package}", new=["libotr5-rs:i386"])
    machine.swap("without the library for i386", "purge", "libotr5-rs:i386", gone=["libotr5-rs:i386"])
    machine.root.run(["dpkg", "--remove-architecture", "i386"])
    shutil.rmtree(other)


# It calls libgcrypt itself, as irssi's plugin does.
WITH_GCRYPT = """#include <gcrypt.h>
#include <libotr/proto.h>
#include <libotr/privkey.h>
int main(void)
{
    OtrlUserState state;
    OTRL_INIT;
    state = otrl_userstate_create();
    if (otrl_privkey_read(state, "/nowhere/at/all") == gcry_error(GPG_ERR_NO_ERROR) || !gcry_check_version(NULL)) return 1;
    otrl_userstate_free(state);
    return 0;
}
"""
ABI_2 = """#include <string.h>
#include <libotr/proto.h>
int main(void)
{
    OTRL_INIT;
    return strcmp(otrl_version(), "3.2.1");
}
"""
CONTROL = "Source: client\nMaintainer: nobody <nobody@localhost>\n\nPackage: client\nArchitecture: any\n"


def check_clients(machine):
    """Clients are built with the -dev packages, with libgcrypt or without, of either interface; and what packages of them need."""
    root, checks = machine.root, machine.checks
    place = root.path("/client")
    (place / "debian").mkdir(parents=True)
    (place / "debian/control").write_text(CONTROL, encoding="utf-8")
    shutil.copy(chroot.ROOT / "docs/examples/minimal.c", place)
    (place / "gcrypt.c").write_text(WITH_GCRYPT, encoding="utf-8")
    (place / "abi2.c").write_text(ABI_2, encoding="utf-8")
    ours = {"libotr5t64 (>= 4.0.0) | libotr5 (>= 4.0.0)"}
    abi2 = f"PKG_CONFIG_PATH={LIBDIR}/libotr-2/lib/pkgconfig "
    for name, options, where, depends in (("minimal", "", "", ours), ("gcrypt", "-lgcrypt", "", ours),
                                          ("abi2", "", abi2, {"libotr2 (>= 3.2.0)"})):
        build = f"{where}sh -c 'cc {name}.c -o {name} $(pkg-config --cflags --libs libotr) {options}' && ./{name}"
        done = root.run(["sh", "-c", build], directory="/client")
        checks.check(f"the client {name} is built and runs", done.returncode == 0, done.stdout)
        done = root.run(["dpkg-shlibdeps", "-O", name], directory="/client")
        found = re.search(r"(?m)^shlibs:Depends=(.*)$", done.stdout)
        needed = {part for part in (found[1].split(", ") if found else ()) if not part.startswith(("libc6", "libgpg-error0"))}
        gcrypt = {part for part in needed if part.startswith("libgcrypt20")}
        checks.equal(f"what a package of the client {name} depends on", needed - gcrypt, depends)
        checks.equal(f"whether the client {name} depends on libgcrypt", bool(gcrypt), bool(options))
    shutil.rmtree(place)


def check_next_release(machine):
    """Ours stays when Debian 12 becomes Debian 13, and the clients of Debian 13 are content with it."""
    machine.apt("install", "libotr5-rs")
    sources = machine.root.path("/etc/apt/sources.list")
    before = sources.read_text(encoding="utf-8")
    sources.write_text(before.replace("bookworm", "trixie"), encoding="utf-8")
    machine.apt("update")
    come, go = machine.would("full-upgrade")
    machine.checks.check("the upgrade to Debian 13 brings new clients", PLUGINS <= come, come)
    moved = (come | go) & {"libotr5-rs", *THEIRS.values()}
    machine.checks.equal("the upgrade to Debian 13 leaves ours in its place", moved, set())
    come, go = machine.would("install", "libotr5t64")
    machine.checks.check("in Debian 13, the way back", "libotr5t64" in come and "libotr5-rs" in go, (come, go))
    sources.write_text(before, encoding="utf-8")
