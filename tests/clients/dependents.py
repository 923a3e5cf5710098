"""Every package of Debian that depends on libotr5: by what it is tried on this library, or at least what it asks of a libotr."""

import json
import os
import re
import subprocess
import time

from processes import Failure, find_program, temporary_directory

# The packages of the drivers, and where others are tried.
TRIED = {
    "irssi-plugin-otr": "driven: [irssi](#irssi)",
    "profanity": "driven: [profanity](#profanity)",
    "mcabber": "driven: [mcabber](#mcabber)",
    "pidgin-otr": "driven: [pidgin](#pidgin)",
    "hexchat-otr": "driven: [hexchat](#hexchat)",
    "psi-plus-plugins": "driven: [psi-plus](#psi-plus)",
    "thunderbird": "driven: [thunderbird](#thunderbird)",
    "bitlbee-plugin-otr": "driven by tests of its own, tests/bitlbee, under bitlbee and under bitlbee-libpurple",
    "libotr5-bin": "its programs on our library, and ours beside them: tests/toolkit",
    "libotr5-dev": "the headers: abi-check, tests/c",
}
# The others are bound to this library, and not run; why not.
BOUND = {
    "profanity-light": "profanity without its desktop parts, and not installable beside it",
    "psi-plugins": "the same plugin for Psi, of which Psi+ is a variant",
    "libktpotr9": "ktp-proxy of KDE Telepathy; it is a part of a KDE desktop, started by Telepathy for each account",
}


class Dependents:
    """Its lines are reported as those of a run."""

    name = "packages that depend on libotr5"
    again = False

    def __init__(self, library):
        self.library = library
        self.lines = []
        self.rows = []

    def look(self, report, line):
        """Reports a line for each package."""
        known = TRIED | BOUND
        found = dependents()
        unknown, gone = sorted(found - set(known)), sorted(set(known) - found)
        self.tell(report, line, "each is one that is known here", [] if not (unknown or gone) and found else
                  [f"not known: {', '.join(unknown) or '-'}; no longer there: {', '.join(gone) or '-'}"])
        for package in sorted(found):
            if package in BOUND:
                problems, what = self.bind(package)
                self.tell(report, line, f"{package} is bound to this library, and misses nothing", problems)
                self.rows.append([package, version_of(package), f"bound, not run: {what} ({BOUND[package]})"])
            elif package in TRIED:
                self.rows.append([package, version_of(package), TRIED[package]])

    def tell(self, report, line, step, problems):
        report(self, line(step, "not ok" if problems else "ok", "; ".join(problems)), problems)

    def bind(self, package):
        """What is wrong with its binding to the library, and what was seen. It is unpacked, not installed."""
        directory = temporary_directory("otr-package-")
        run(["apt-get", "-q", "-o", "APT::Sandbox::User=", "download", package], directory)
        archive = next(name for name in os.listdir(directory) if name.endswith(".deb"))
        run(["dpkg", "-x", archive, "unpacked"], directory)
        problems, seen = [], []
        for place, _, names in os.walk(os.path.join(directory, "unpacked")):
            for name in names:
                path = os.path.join(place, name)
                wanted = imports(path)
                if wanted:
                    problems += self.binding(path, name, wanted)
                    seen.append(f"{name} asks for {len(wanted)} functions")
        return problems or ([] if seen else ["nothing in it asks for a function of libotr"]), ", ".join(seen)

    def binding(self, path, name, wanted):
        """What the loader says of one file."""
        missing = sorted(wanted - exports(self.library.path))
        told = run(["ldd", "-r", path], "/", {"LD_LIBRARY_PATH": self.library.directory}, check=False)
        undefined = sorted(set(re.findall(r"undefined symbol: ((?:otrl|otr)\w*)", told)))
        loaded = re.search(r"libotr\.so\.5 => (\S+)", told)
        problems = [f"{name}: {symbol} is not in this library" for symbol in sorted({*missing, *undefined})]
        if not loaded or os.path.realpath(loaded.group(1)) != self.library.real_path:
            problems.append(f"{name}: the loader gives it {loaded.group(1) if loaded else 'no libotr.so.5'}")
        return problems

    def keep(self, directory):
        """For document.py."""
        os.makedirs(os.path.join(directory, "packages"), exist_ok=True)
        with open(os.path.join(directory, "packages", "dependents.json"), "w", encoding="utf-8") as file:
            json.dump({"date": time.strftime("%Y-%m-%d"), "rows": self.rows,
                       "failed": [line.reason for line in self.lines if line.outcome != "ok"]}, file, indent=1)


def dependents():
    """The packages of the distribution that depend on libotr5."""
    told = run(["apt-cache", "rdepends", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces",
                "--no-enhances", "libotr5"], "/")
    return {line.strip(" |") for line in told.splitlines() if line.startswith((" ", "|"))}


def version_of(package):
    """The version that the distribution has."""
    match = re.search(r"Candidate: (\S+)", run(["apt-cache", "policy", package], "/"))
    return match.group(1) if match else "unknown"


def imports(path):
    """The functions of libotr that a file wants."""
    with open(path, "rb") as file:
        if os.path.islink(path) or file.read(4) != b"\x7fELF":
            return set()
    return symbols(["--undefined-only", path])


def exports(path):
    """The functions that a library has."""
    return symbols(["--defined-only", path])


def symbols(arguments):
    told = run(["nm", "--dynamic", *arguments], "/", check=False)
    return {word.split("@")[0] for word in re.findall(r" [TUWB] (\S+)", told) if word.startswith("otrl_")}


def run(command, directory, more=(), check=True):
    """The output of a command, which must succeed unless it need not."""
    done = subprocess.run([find_program(command[0]), *command[1:]], cwd=directory, capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C", **dict(more)})
    if check and done.returncode:
        raise Failure(f"{' '.join(command)}: {done.stderr.strip()[-300:]}")
    return done.stdout + done.stderr
