"""The servers of the clients: prosody for XMPP (tests/support) and ngircd for IRC, on the loopback interface only."""

import os
import socket

from processes import Failure, Program, find_program, wait_until
from xmpp_server import free_port

IRC_CONFIGURATION = """\
[Global]
Name = irc.test.example
Info = Test
Listen = 127.0.0.1
Ports = {port}
MotdPhrase = Hello
ServerUID = 0
ServerGID = 0
PidFile = {directory}/ngircd.pid
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxNickLength = 30
MaxPenaltyTime = 0
PingTimeout = 600
[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = local0
"""


class IrcServer:
    """An ngircd without delays against floods: fragments of a long message come in a burst."""

    def __init__(self, directory):
        self.port = free_port()
        os.makedirs(directory, exist_ok=True)
        configuration = os.path.join(directory, "ngircd.conf")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(IRC_CONFIGURATION.format(directory=directory, port=self.port))
        self.program = Program("ngircd", [find_program("ngircd"), "-n", "-f", configuration], os.path.join(directory, "ngircd.log"))
        wait_until(self._answers, 20, "ngircd did not open its port")

    def stop(self):
        self.program.stop()

    def _answers(self):
        if not self.program.is_running():
            raise Failure("ngircd ended at its start: " + " / ".join(self.program.log_tail(5)))
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False
