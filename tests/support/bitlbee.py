"""One BitlBee of one user: a daemon with a configuration and a storage directory of its own, started with the library under test."""

import os
import socket

from library import mapped_libotr
from processes import Failure, Missing, Program, find_program, wait_until
from xmpp_server import free_port

DEBIAN_PLUGINS = "/usr/lib/bitlbee"

CONFIGURATION = """\
[settings]
RunMode = {mode}
DaemonInterface = 127.0.0.1
DaemonPort = {port}
ConfigDir = {storage}
MotdFile = /dev/null
"""


class Installation:
    """A BitlBee program and the directory its plugins are in (one that is empty when OTR is built in; None if it knows no
    such setting)."""

    def __init__(self, program, plugins, first_account="jabber", server_setting="server", in_the_clear=(("tls", "false"),),
                 fork_daemon=False):
        """`first_account` is how the first account is named to otr keygen; the next two are how an account's settings are called.
        `fork_daemon`: it has a process for each connection, because it cannot have two in one."""
        self.program = program
        self.plugins = plugins
        self.first_account = first_account
        self.server_setting = server_setting
        self.in_the_clear = in_the_clear
        self.fork_daemon = fork_daemon


def debian_installation():
    """Debian's own bitlbee and bitlbee-plugin-otr."""
    if not os.path.exists(os.path.join(DEBIAN_PLUGINS, "otr.so")):
        raise Missing(f"{DEBIAN_PLUGINS}/otr.so is not installed (Debian's package bitlbee-plugin-otr)")
    return Installation(find_program("bitlbee"), DEBIAN_PLUGINS)


class BitlBee:
    """`directory` outlives a restart, as a user's home does; `environment` decides which libotr is loaded."""

    def __init__(self, user, directory, installation, environment):
        self.user = user
        self.directory = directory
        self.storage = os.path.join(directory, "storage")
        self.installation = installation
        self._environment = environment
        self.program = None
        self.port = None
        os.makedirs(self.storage, mode=0o700, exist_ok=True)

    def start(self):
        self.port = free_port()
        configuration = os.path.join(self.directory, "bitlbee.conf")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(mode="ForkDaemon" if self.installation.fork_daemon else "Daemon", port=self.port,
                                            storage=self.storage))
            if self.installation.plugins:
                file.write(f"PluginDir = {self.installation.plugins}\n")
        # A foreground daemon (-n) stays our child, so that a crash shows in its exit code.
        command = [self.installation.program, "-c", configuration, "-F" if self.installation.fork_daemon else "-D", "-n", "-v",
                   "-d", self.storage, "-P", os.path.join(self.directory, "bitlbee.pid")]
        self.program = Program(f"{self.user}'s BitlBee", command, os.path.join(self.directory, "bitlbee.log"),
                               self._environment)
        wait_until(self._answers, 20, f"{self.user}'s BitlBee did not open its port")

    def stop(self):
        """End it in an orderly way. Failure if it had crashed or crashes now."""
        if self.program is None:
            return
        program, self.program = self.program, None
        before = program.exit_code()
        code = program.stop()
        if before is not None:
            raise Failure(f"{self.user}'s BitlBee had ended by itself ({_ending(before)})")
        if code != 0:
            raise Failure(f"{self.user}'s BitlBee did not end well when asked to ({_ending(code)})")

    def kill(self):
        """Take it away without warning. Failure if it had already ended by itself."""
        program, self.program = self.program, None
        before = program.exit_code()
        program.kill()
        if before is not None:
            raise Failure(f"{self.user}'s BitlBee had ended by itself ({_ending(before)})")

    def mapped_libotr(self):
        """Of all its processes."""
        with open(f"/proc/{self.program.pid}/task/{self.program.pid}/children", encoding="utf-8") as file:
            children = file.read().split() if self.installation.fork_daemon else []
        return sorted({path for pid in [self.program.pid, *children] for path in mapped_libotr(pid)})

    def stored(self, suffix):
        """The path of one of the user's files, e.g. stored("otr_keys")."""
        return os.path.join(self.storage, f"{self.user}.{suffix}")

    def _answers(self):
        code = self.program.exit_code()
        if code is not None:
            raise Failure(f"{self.user}'s BitlBee ended at its start ({_ending(code)}): "
                          + " / ".join(self.program.log_tail(5)))
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False


def _ending(code):
    if code is None:
        return "it had to be killed"
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
