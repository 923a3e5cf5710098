"""A graphical client: a screen of its own (Xvfb) with a window manager and a session bus, and pictures of it."""

import json
import os
import re
import signal
import subprocess

from client import Client
from processes import Failure, Program, find_program, wait_until

PACKAGES = ["xvfb", "openbox", "dbus", "at-spi2-core", "libatk-adaptor", "python3-pyatspi", "gir1.2-atspi-2.0", "python3-gi",
            "python3-dbus", "xdotool", "imagemagick", "pngquant", "fonts-dejavu-core"]
HERE = os.path.dirname(os.path.abspath(__file__))
SIZE = "900x640"


class Desktop:
    """For one user, for as long as the test runs; clients come and go on it."""

    def __init__(self, directory, environment):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        log = os.path.join(directory, "desktop.log")
        number = os.path.join(directory, "display")
        address = os.path.join(directory, "bus")
        self._programs = [Program("Xvfb", ["sh", "-c", f"exec Xvfb -displayfd 3 -screen 0 {SIZE}x24 -nolisten tcp 3>{number}"], log)]
        wait_until(lambda: os.path.exists(number) and open(number, encoding="utf-8").read().endswith("\n"), 30, "Xvfb did not start")
        with open(number, encoding="utf-8") as file:
            display = ":" + file.read().strip()
        self.environment = {**environment, "DISPLAY": display, "GTK_MODULES": "gail:atk-bridge", "NO_AT_BRIDGE": "0",
                            "QT_ACCESSIBILITY": "1", "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1", "XDG_RUNTIME_DIR": directory}
        os.chmod(directory, 0o700)
        self._programs.append(Program("dbus-daemon", ["sh", "-c", f"exec dbus-daemon --session --nofork --print-address=3 3>{address}"],
                                      log, self.environment))
        wait_until(lambda: os.path.exists(address) and os.path.getsize(address), 20, "dbus-daemon did not start")
        with open(address, encoding="utf-8") as file:
            self.environment["DBUS_SESSION_BUS_ADDRESS"] = file.read().strip()
        self._programs.append(Program("openbox", [find_program("openbox")], log, self.environment))
        self._helper = None

    def close(self):
        self.forget()
        for program in reversed(self._programs):
            program.stop()
        # What the bus has started by itself, as the accessibility bus: it has this directory in its environment.
        mark = f"XDG_RUNTIME_DIR={self.directory}".encode()
        for entry in os.listdir("/proc"):
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    ours = entry.isdigit() and mark in file.read().split(b"\0")
                if ours:
                    os.kill(int(entry), signal.SIGTERM)
            except OSError:
                continue

    def ask(self, do, **how):
        """A command of access.py."""
        if self._helper is None or self._helper.poll() is not None:
            variables = {**os.environ, **{key: value for key, value in self.environment.items() if not key.startswith("LD_")}}
            # The interpreter that Debian's packages of Python modules are for.
            self._helper = subprocess.Popen(["/usr/bin/python3", os.path.join(HERE, "access.py")], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=variables)
        self._helper.stdin.write(json.dumps({"do": do, "with": how}) + "\n")
        self._helper.stdin.flush()
        line = self._helper.stdout.readline()
        if not line:
            self.forget()
            raise Failure(f"the helper at the desktop ended at {do} {how}")
        answer = json.loads(line)
        if "error" in answer:
            raise Failure(f"{do} {how}: {answer['error']}")
        return answer["value"]

    def try_to(self, do, **how):
        """The same, until it succeeds or half a minute is over."""
        problem = []

        def attempt():
            try:
                return [self.ask(do, **how)]
            except Failure as failure:
                problem[:] = [str(failure)]
                return None
        try:
            return wait_until(attempt, 20, "")[0]
        except Failure:
            raise Failure(problem[0]) from None

    def xdotool(self, *arguments):
        done = subprocess.run([find_program("xdotool"), *arguments], capture_output=True, text=True, check=False,
                              env={**os.environ, **self.environment})
        if done.returncode:
            raise Failure(f"xdotool {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def picture(self, path):
        """What is on the screen, as a small PNG."""
        raw = os.path.join(self.directory, "screen.png")
        environment = {**os.environ, **self.environment}
        for key in ("LD_LIBRARY_PATH", "LD_PRELOAD"):
            environment.pop(key, None)
        subprocess.run([find_program("import"), "-window", "root", raw], check=True, env=environment)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        subprocess.run([find_program("pngquant"), "--force", "--strip", "--output", path, "64", raw], check=True, env=environment)

    def forget(self):
        """Forget the widgets of a program that has ended."""
        if self._helper is not None:
            self._helper.kill()
            self._helper.wait()
            self._helper = None


class DesktopClient(Client):
    GRAPHICAL = True

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.environment.pop("TERM")
        self.desktop = Desktop(self.home + "-desktop", self.environment)
        self.program = None
        self.log = os.path.join(self.home + "-desktop", "client.log")

    def open(self, command):
        self.desktop.forget()
        self.program = Program(f"{self.user}'s {self.NAME}", command, self.log, self.desktop.environment)
        self.pid = self.program.pid

    def ending(self):
        if self.program is None:
            return "not started"
        code = self.program.exit_code()
        if code is None:
            return None
        return f"signal {-code}" if code < 0 else f"exit {code}"

    def wait_for_end(self):
        how = wait_until(self.ending, 60, f"{self.program.name} did not end")
        self.program.kill()
        self.program = None
        if how.startswith("signal"):
            raise Failure(f"{self.user}'s {self.NAME} ended by {how}")

    def kill(self):
        self.program.kill()
        self.program = None

    def close(self):
        if self.program:
            self.program.kill()
            self.program = None
        self.desktop.close()

    def picture(self, path):
        self.desktop.picture(path)

    def look(self):
        lines = self.desktop.ask("tree")
        return "\n".join(line for line in lines if not re.search(r"(filler|separator|menu item|panel)", line))
