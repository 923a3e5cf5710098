"""Starts programs for the tests, and makes sure that all of them are ended.

Each program leads its own process group, so that ending it also ends its children (BitlBee's key generation child).
end_all() runs at the interpreter's exit; SIGTERM and SIGHUP become an ordinary exit so that it always runs.
"""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

_running = []
_directories = []


class Missing(Exception):
    """Something the machine must have is not there; the text says what."""


class Failure(Exception):
    """What was expected did not happen; the text says what and where."""


def find_program(name):
    """The full path of a program, looking also where Debian keeps daemons."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin"
    found = shutil.which(name, path=path)
    if not found:
        raise Missing(f"the program {name} is not installed (see tests/bitlbee/README.md for the packages)")
    return found


def temporary_directory(prefix):
    """A directory that is removed at exit, unless KEEP_LOGS is set in the environment."""
    path = tempfile.mkdtemp(prefix=prefix)
    _directories.append(path)
    return path


class Program:
    """A running program whose output goes to a log file."""

    def __init__(self, name, command, log_path, environment=None):
        self.name = name
        self.log_path = log_path
        variables = dict(os.environ)
        variables.update(environment or {})
        with open(log_path, "ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             env=variables, start_new_session=True)
        self.pid = self._process.pid
        _running.append(self)

    def is_running(self):
        return self._process.poll() is None

    def exit_code(self):
        """None while it runs; -N when signal N ended it."""
        return self._process.poll()

    def wait(self, timeout):
        """The exit code it ends with; Failure if it has not ended after `timeout` seconds."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"{self.name} took longer than {timeout:g} seconds") from None
        self._forget()
        return code

    def kill(self):
        """End it as a power cut would, with everything it forked."""
        self._signal_group(signal.SIGKILL)
        self._process.wait()
        self._forget()

    def stop(self, patience=5.0):
        """Ask it to end, insist after `patience` seconds; returns the exit code it chose (None if it had to be killed)."""
        code = self._process.poll()
        if code is None:
            self._process.terminate()
            try:
                code = self._process.wait(patience)
            except subprocess.TimeoutExpired:
                code = None
        self.kill()
        return code

    def log_tail(self, lines=30):
        with open(self.log_path, "rb") as log:
            return log.read().decode("utf-8", "replace").splitlines()[-lines:]

    def _signal_group(self, number):
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass

    def _forget(self):
        if self in _running:
            _running.remove(self)


def end_all():
    """End every program still running and remove the temporary directories."""
    for program in list(_running):
        program.kill()
    if not os.environ.get("KEEP_LOGS"):
        for path in _directories:
            shutil.rmtree(path, ignore_errors=True)
    _directories.clear()


def wait_until(condition, timeout, what):
    """Poll until condition() is true; its value is returned. Failure(what) after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not within {timeout:g} seconds")
        time.sleep(0.02)


def _exit_on_signal(number, _frame):
    sys.exit(128 + number)


atexit.register(end_all)
signal.signal(signal.SIGTERM, _exit_on_signal)
signal.signal(signal.SIGHUP, _exit_on_signal)
