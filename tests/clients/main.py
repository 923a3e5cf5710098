"""Runs the conversation of steps.py with each client and each pairing of libraries, and compares what users were told."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

# Nothing is to be left in the source tree.
sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(PROJECT, "tests", "support"))

import document
import library
import results
from client import PATIENCE, NoCommand
from clients import DRIVERS, TERMINAL
from dependents import Dependents
from pair import Pair
from processes import Failure, Missing, end_all, temporary_directory
from steps import STEPS, NotHere
from terminal import end_terminals

PAIRINGS = ["real,real", "ours,real", "ours,ours"]
COMMON = ["libotr5", "tmux", "python3", "binutils"]
SYSTEM = "/usr/lib/x86_64-linux-gnu"
TARGET = os.path.join(os.path.abspath(os.environ.get("CARGO_TARGET_DIR") or os.path.join(PROJECT, "target")), "clients")

# After this step a graphical client shows a conversation; its picture is taken.
PICTURED = "SMP with a question by A, right answer: A trusts the key"

# Past this, what a run has left fails unrun.
TIME_LIMIT = 900.0 * PATIENCE

_printing = threading.Lock()


def main(arguments):
    parser = argparse.ArgumentParser(prog="tests/clients/run")
    parser.add_argument("clients", nargs="*", metavar="CLIENT", help=f"{', '.join(DRIVERS)}; without any, those in a terminal")
    parser.add_argument("--pairing", action="append", help=f"which library A and B are on: {' '.join(PAIRINGS)}; repeat it for more")
    parser.add_argument("--jobs", type=int, default=5, help="how many conversations at a time")
    parser.add_argument("--all", action="store_true", help="all clients, those with windows as well")
    parser.add_argument("--write", action="store_true", help="write docs/clients.md from what was seen")
    parser.add_argument("--keep", action="store_true", help="keep the logs of all, not only of what failed")
    parser.add_argument("--packages", action="store_true", help="print the Debian packages that they need, and do nothing")
    options = parser.parse_args(arguments)
    for name in options.clients:
        if name not in DRIVERS:
            parser.error(f"there is no client {name}; there are {', '.join(DRIVERS)}")
    chosen = options.clients or (list(DRIVERS) if options.all else TERMINAL)
    if options.packages:
        print(" ".join(sorted({package for name in chosen for package in COMMON + DRIVERS[name].PACKAGES})))
        return 0
    try:
        libraries = {"ours": library.from_environment(), "real": library.Library(os.environ.get("OTR_REAL_LIBDIR", SYSTEM))}
        if libraries["ours"].real_path == libraries["real"].real_path:
            raise Missing("the library to test is the distribution's own")
        if results.unlisted():
            raise Missing(f"docs/differences.md does not have what results.py names: {', '.join(results.unlisted())}")
    except Missing as problem:
        print(f"The tests of clients cannot run: {problem}", file=sys.stderr)
        return 2
    print(f"# ours is {libraries['ours'].real_path}, real is {libraries['real'].real_path}", flush=True)
    runs = [Run(DRIVERS[name], pairing, libraries, options.keep)
            for name in chosen for pairing in options.pairing or PAIRINGS]
    pool = ThreadPoolExecutor(options.jobs)
    try:
        list(pool.map(Run.play, runs))
    except BaseException:
        # Conversations under way are not waited for; what they have started is ended.
        end_terminals()
        end_all()
        os._exit(130)
    results.compare(runs, report, Line)
    results.keep(runs, TARGET)
    lines = [line for run in runs for line in run.lines]
    if options.all:
        packages = Dependents(libraries["ours"])
        packages.look(report, Line)
        packages.keep(TARGET)
        lines += packages.lines
    passed, failed, skipped = (sum(line.outcome == which for line in lines) for which in ("ok", "not ok", "skipped"))
    if options.write and document.main([]):
        failed += 1
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    return 1 if failed else 0


class Line:
    """The outcome of a step: ok, not ok or skipped; `reason` for the last two."""

    def __init__(self, step, outcome, reason=""):
        self.step = step
        self.outcome = outcome
        self.reason = reason
        self.seconds = 0.0


def report(run, line, details=()):
    """One line of the output, and notes it with the run."""
    with _printing:
        run.lines.append(line)
        text = f"{line.outcome} - {run.name}: {line.step}"
        if line.outcome == "not ok" and run.again:
            text = f"# {text}; it is played again"
        print(text + (f": {line.reason}" if line.outcome == "skipped" else ""))
        for detail in details:
            print(f"#   {detail}")
        sys.stdout.flush()


def version_of(package):
    """Of a package of Debian's that is installed."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


class Run:
    """One client, one pairing."""

    def __init__(self, driver, pairing, libraries, keep):
        self.driver = driver
        self.pairing = pairing
        self.name = f"{driver.NAME}, {pairing.replace(',', ' and ')}"
        self.libraries = [libraries[word] for word in pairing.split(",")]
        self.keep = keep
        self.lines = []
        # For each step, what A and B were told in it.
        self.told = []
        self.seconds = 0.0
        self.version = version_of(driver.PACKAGES[0])
        # A client that crashes now and then by its own fault gets another try, when it was on libotr and not on our library.
        self.tries_left = 2 if driver.CRASHES else 0
        self.again = False
        self.earlier = []

    def play(self):
        self.play_once()
        while self.again:
            first = next(line for line in self.lines if line.outcome == "not ok")
            self.earlier.append(f"{first.step}: {first.reason[:300]}")
            self.tries_left -= 1
            self.lines, self.told, self.again = [], [], False
            self.play_once()

    def blame(self, pair):
        """After the first step that failed: whether it is played again."""
        if self.tries_left and not any(line.outcome == "not ok" for line in self.lines):
            ended = [name for name, client in zip(self.pairing.split(","), pair.clients) if client.ending()]
            self.again = bool(ended) and "ours" not in ended

    def play_once(self):
        begun = time.monotonic()
        directory = temporary_directory("otr-clients-")
        pair = None
        try:
            pair = Pair(self.driver, directory, self.libraries, self.pairing.split(","))
            for name, play in STEPS:
                if self.lines and self.lines[0].outcome != "ok":
                    report(self, Line(name, "not ok", "not run: the clients did not start"))
                    continue
                if time.monotonic() - begun > TIME_LIMIT:
                    report(self, Line(name, "not ok", "too late"), [f"not run: those before took {TIME_LIMIT:g} s"])
                    continue
                self.play_step(pair, name, play)
        except (Failure, Missing) as problem:
            report(self, Line("begin", "not ok", str(problem)), [str(problem)])
        except Exception:
            report(self, Line("begin", "not ok", "exception"), traceback.format_exc().splitlines())
        finally:
            if pair:
                pair.close()
        self.seconds = time.monotonic() - begun
        if self.keep or any(line.outcome == "not ok" for line in self.lines):
            self.keep_logs(directory)

    def play_step(self, pair, name, play):
        marks = [client.mark() for client in pair.clients]
        begun = time.monotonic()
        try:
            play(pair)
        except NoCommand as reason:
            report(self, Line(name, "skipped", f"the client has no such command: {reason}"))
        except NotHere as reason:
            report(self, Line(name, "skipped", str(reason)))
        except (Failure, Missing) as problem:
            self.blame(pair)
            report(self, Line(name, "not ok", str(problem)), self.details(pair, [str(problem)]))
        except Exception:
            report(self, Line(name, "not ok", "exception"), self.details(pair, traceback.format_exc().splitlines()))
        else:
            report(self, Line(name, "ok"))
            if self.driver.GRAPHICAL and self.pairing == "ours,ours" and name == PICTURED:
                pair.alice.picture(os.path.join(TARGET, f"{self.driver.NAME}.png"))
        self.lines[-1].seconds = time.monotonic() - begun
        self.told.append((name, [client.events()[mark:] for client, mark in zip(pair.clients, marks)]))

    def details(self, pair, lines):
        for client in pair.clients:
            try:
                lines += [f"--- {client.user}"] + [line[:300] for line in client.look().splitlines()[-25:]]
            except (Failure, OSError) as problem:
                lines.append(f"--- {client.user}: {problem}")
        return lines

    def keep_logs(self, directory):
        kept = os.path.join(TARGET, "logs", re.sub(r"\W+", "-", self.name))
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(directory, kept, ignore=lambda place, names: [
            name for name in names if not (os.path.isdir(os.path.join(place, name)) or os.path.isfile(os.path.join(place, name)))])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)
