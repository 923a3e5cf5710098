"""A private prosody: loopback only, everything in one directory, with prepared accounts and contact lists."""

import os
import socket

from processes import Failure, Program, find_program, wait_until

DOMAIN = "localhost"
PASSWORD = "correct-horse"

# Logins are in the clear on purpose: the relay in front must see what a wire-tapper would, and OTR must hide it.
CONFIGURATION = """\
run_as_root = true
pidfile = "{directory}/prosody.pid"
data_path = "{directory}/data"
certificates = "{directory}"
log = {{ info = "{directory}/prosody.log" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{}}
legacy_ssl_ports = {{}}
modules_enabled = {{ "roster", "saslauth", "disco", "ping", "offline", "message", "iq", "presence" }}
modules_disabled = {{ "s2s", "tls", "posix" }}
authentication = "internal_plain"
storage = "internal"
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
VirtualHost "{domain}"
"""


class XmppServer:
    """Serves `users` at localhost, each with all the others in the contact list and mutual presence."""

    def __init__(self, directory, users):
        self.directory = directory
        self.port = free_port()
        os.makedirs(directory, exist_ok=True)
        configuration = os.path.join(directory, "prosody.cfg.lua")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(directory=directory, port=self.port, domain=DOMAIN))
        for user in users:
            self._write("accounts", user, f'return {{ ["password"] = "{PASSWORD}"; }};\n')
            contacts = "".join(f'["{other}@{DOMAIN}"] = {{ subscription = "both"; groups = {{}}; }}; '
                               for other in users if other != user)
            self._write("roster", user, f"return {{ [false] = {{ version = 1; }}; {contacts}}};\n")
        self.program = Program("prosody", [find_program("prosody"), "--config", configuration, "-F"],
                               os.path.join(directory, "output.log"))
        wait_until(self._answers, 20, "prosody did not open its port")

    def stop(self):
        self.program.stop()

    def _write(self, store, user, text):
        directory = os.path.join(self.directory, "data", DOMAIN, store)
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, f"{user}.dat"), "w", encoding="utf-8") as file:
            file.write(text)

    def _answers(self):
        if not self.program.is_running():
            raise Failure("prosody ended at its start: " + " / ".join(self.program.log_tail(5)))
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False


def free_port():
    """A TCP port of the loopback interface that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
