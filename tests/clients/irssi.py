"""irssi with its OTR module. A Perl script inside irssi records what is shown; commands are typed."""

import os

from client import fingerprint_in
from terminal_client import TerminalClient
from processes import wait_until

# irssi calls the last handler of "message private" after the OTR module has decrypted.
RECORDER = r"""
use strict;
use Irssi;
open(my $out, '>>', '@LOG@') or die;
binmode($out);
select((select($out), $| = 1)[0]);
sub note {
    my ($kind, $text) = @_;
    utf8::encode($text) if utf8::is_utf8($text);
    $text =~ s/\\/\\\\/g;
    $text =~ s/\n/\\n/g;
    print $out "$kind\t$text\n";
}
Irssi::signal_add_last('message private', sub {
    my ($server, $text, $nick) = @_;
    note('message', $text) if $nick eq '@BUDDY@';
});
Irssi::signal_add_last('print text', sub {
    my ($to, undef, $text) = @_;
    note('notice', $text) unless $to->{level} & MSGLEVEL_MSGS;
});
note('notice', 'recorder loaded');
"""

STARTUP = """\
/set paste_verify_line_count 0
/set cmds_max_at_once 1000
/set cmd_queue_speed 10msecs
/set autocreate_own_query on
/load perl
/script load @SCRIPT@
/load otr
/network add -nick @USER@ testnet
/server add -network testnet -nocap -notls @ADDRESS@ @PORT@
/connect testnet
"""


class Irssi(TerminalClient):
    NAME = "irssi"
    PACKAGES = ["irssi", "irssi-plugin-otr", "ngircd"]
    NETWORK = "irc"
    DRIVEN = "keys in a terminal; a Perl script of irssi's writes down what is shown"
    TAG_LOST_IN_CRASH = True
    NOISE = (r"^$|Irssi: (Connect|Look|Load|Unload|Network|Server|Disconn|The following settings)|^-!- [\d ]|^-!- - |"
             r"^-!- (Welcome|Your host|This|irc|RFC2812|CHANNELLEN|There are|I have|Highest|End of|Mode change)|"
             r"^ +(real_name|user_name|nick) |recorder loaded")
    WORDS = {
        "connected": r"End of MOTD",
        "key made": r"key generation for .* completed",
        "secure": r"^Session secured",
        "contexts": r"^ +[0-9A-F]{8} .*\((SMP|Manual|Unverified)\)",
        "fingerprint": r"Fingerprint for testnet: ",
        "smp asked": r"wants to authenticate",
        "smp succeeded": r"^Authentication with .* successful",
        "smp failed": r"Authentication with .* failed",
        "ended by other": r"has finished the OTR session",
        "not sent": r"has closed the connection to you",
        "unreadable": r"unreadable|could not be (read|decrypted)|OTR Error|encrypted message",
        "in the clear": r"was not encrypted",
        "trusted": r"^Trusting ",
        "distrusted": r"(^D|Already d)istrusting",
    }

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.log = os.path.join(self.home, "told")
        self.directory = os.path.join(self.home, "irssi")
        os.makedirs(self.directory, exist_ok=True)
        script = os.path.join(self.home, "record.pl")
        with open(script, "w", encoding="utf-8") as file:
            file.write(RECORDER.replace("@LOG@", self.log).replace("@BUDDY@", self.buddy))
        with open(os.path.join(self.directory, "startup"), "w", encoding="utf-8") as file:
            file.write(STARTUP.replace("@SCRIPT@", script).replace("@ADDRESS@", self.address[0])
                       .replace("@PORT@", str(self.address[1])).replace("@USER@", self.user))

    def start(self):
        mark = self.mark()
        self.open(["irssi", "--home", self.directory, "-n", self.user, "-!"])
        self.wait_for_word("connected", mark, 60)
        self.type(f"/query {self.buddy}")
        wait_until(lambda: f"[{self.buddy}]" in self.terminal.text(), 20, f"{self.user}'s query window did not open")

    def quit(self):
        self.end_by("/quit")

    def events(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8", errors="replace") as file:
            lines = [line.rstrip("\n").partition("\t") for line in file if line.endswith("\n")]
        return [(kind, text.replace("\\n", "\n").replace("\\\\", "\\")) for kind, _, text in lines]

    def say(self, text):
        self.type(text)

    def generate_key(self):
        self.command_then("/otr genkey testnet", "key made", 120)

    def own_fingerprint(self):
        return fingerprint_in(self.command_then("/otr info", "fingerprint"))

    def their_fingerprint(self):
        return fingerprint_in(self.command_then("/otr contexts", "contexts"))

    def is_trusted(self):
        return "(Unverified)" not in self.command_then("/otr contexts", "contexts")

    def start_session(self):
        self.type("/otr init")

    def renew(self):
        """Replaces the session by a new one."""
        self.type("/otr finish")
        self.type("/otr init")

    def end_session(self):
        self.type("/otr finish")

    def smp_question(self, question, secret):
        self.type(f'/otr authq "{question}" {secret}')

    def smp_answer(self, answer):
        self.type(f"/otr auth {answer}")

    def smp_secret(self, secret):
        self.type(f"/otr auth {secret}")

    def trust(self):
        self.command_then("/otr trust", "trusted")

    def distrust(self):
        self.command_then("/otr distrust", "distrusted")
