"""Tools for scenarios: their registry, the environment they run in, and their requirements."""

import contextlib
import os
import re
import uuid

from bitlbee import debian_installation
from couple import Couple
from processes import Failure, temporary_directory
from relay import RECEIVED, SENT

# (name, function) in the order they are run.
SCENARIOS = []

WHITESPACE_TAG = b"\x20\x09\x20\x20\x09\x09\x09\x09\x20\x09\x20\x09\x20\x09\x20\x20"
WHITESPACE_TAG_VERSION_3 = b"\x20\x20\x09\x09\x20\x20\x09\x09"

# The beginning of a data message, version 3 or 2.
DATA_MESSAGE = r"^\?OTR:AA[MI]D"


class NotRun(Exception):
    """A scenario has not been played, because something that no package brings is not there; the text says what."""


def scenario(name):
    """Registers a function of one argument, the Stage, as the scenario of that name."""
    def register(function):
        SCENARIOS.append((name, function))
        return function
    return register


def require(condition, otherwise):
    """The scenario fails, with this explanation, unless the condition holds."""
    if not condition:
        raise Failure(otherwise)


class Stage:
    """The library under test and what goes with it. One Stage serves the whole run."""

    def __init__(self, library, prefix, build_directory):
        self.library = library
        self.prefix = prefix
        self.build_directory = build_directory
        self.installation = debian_installation()
        self._homes = None
        self._homes_failure = None
        self._last_couple = None

    @contextlib.contextmanager
    def couple(self, online=True, policies=(None, None), installation=None, environment=None):
        """Alice and Bob with accounts and keys, signed in (and on line). Every BitlBee must have mapped the library under test."""
        with self._new_couple(installation, environment, self.homes()) as couple:
            couple.start()
            for side, policy in zip(couple.sides, policies):
                if policy:
                    side.set_policy(policy)
            if online:
                couple.go_online()
            self.require_mapped(couple)
            yield couple

    @contextlib.contextmanager
    def strangers(self, installation=None):
        """Alice and Bob on line with new accounts and without keys."""
        with self._new_couple(installation, None, None) as couple:
            couple.start(signed_up=False)
            couple.go_online()
            self.require_mapped(couple)
            yield couple

    def homes(self):
        """The directory with both users' settings and keys as most scenarios begin with; made when first needed."""
        if self._homes_failure:
            raise Failure(f"no keys to begin with: {self._homes_failure}")
        if self._homes is None:
            try:
                self._homes = self._make_homes()
            except Failure as failure:
                self._homes_failure = failure
                raise
        return self._homes

    def _make_homes(self):
        with self.strangers() as couple:
            for side in couple.sides:
                side.generate_key()
                side.save()
        homes = temporary_directory("otr-homes-")
        couple.keep_homes(homes)
        return homes

    def require_mapped(self, couple):
        for side in couple.sides:
            mapped = side.bitlbee.mapped_libotr()
            require(mapped == [self.library.real_path],
                    f"{side.user}'s BitlBee has mapped {mapped}, not just {self.library.real_path}")

    def logs(self):
        """The ends of the logs of the couple that played last, and the directory they are in."""
        if self._last_couple is None:
            return None, []
        return self._last_couple.directory, self._last_couple.logs()

    def _new_couple(self, installation, environment, homes):
        couple = Couple(temporary_directory("otr-bitlbee-"), installation or self.installation,
                        environment or self.library.by_library_path(), homes=homes)
        self._last_couple = couple
        return couple


def marker(prefix="zebra"):
    """A word that occurs nowhere else, so that finding it on the wire means what it seems to mean."""
    return prefix + uuid.uuid4().hex


def on_the_wire(couple, text):
    """Whether a text passed anywhere in the clear."""
    return any(text.encode("utf-8") in side.relay.everything() for side in couple.sides)


def say_encrypted(speaker, listener, color=None):
    """A message arrives, as itself and shown as encrypted (in the given colour), and cannot be read on the wire."""
    text = marker()
    mark = speaker.relay.mark()
    speaker.person.say(speaker.buddy, text)
    line = listener.person.expect_text(text, listener.buddy)
    require(re.match("\x03" + (color or "0[35]"), line.raw), f"BitlBee showed {line.raw!r} without the colour {color or 'of encryption'}")
    speaker.relay.wait_for_body(SENT, DATA_MESSAGE, mark)
    for side in (speaker, listener):
        require(text.encode() not in side.relay.everything(), f"the text {text} went over {side.user}'s wire in the clear")


def say_in_the_clear(speaker, listener):
    """A message arrives unencrypted, and the wire shows it."""
    text = marker("plain")
    speaker.person.say(speaker.buddy, text)
    line = listener.person.expect(f"^{text}\\s*$", listener.buddy)
    require(not line.raw.startswith("\x03"), f"BitlBee showed the cleartext {line.raw!r} as encrypted")
    require(text.encode() in listener.relay.stream(RECEIVED), "the relay did not see a cleartext message: it proves nothing")


def talk(couple, color=None):
    """An encrypted message each way."""
    say_encrypted(couple.alice, couple.bob, color)
    say_encrypted(couple.bob, couple.alice, color)


def prove(asker, answerer, secret="mellon", answer=None, question=None):
    """The Socialist Millionaires' Protocol from beginning to end; equal unless another answer is given."""
    answer = secret if answer is None else answer
    begin_proof(asker, answerer, secret, question)
    answerer.person.command(f'otr smp {answerer.buddy} "{answer}"')
    answerer.person.expect_text(f"smp: responding to {answerer.buddy}...", "root")
    if answer == secret:
        told_asker = f"smp {asker.buddy}: secrets proved equal, fingerprint trusted"
        told_answerer = f"smp {answerer.buddy}: " + (
            "correct answer, you are trusted" if question else "secrets proved equal, fingerprint trusted")
    else:
        told_asker = f"smp {asker.buddy}: secrets did not match, fingerprint not trusted"
        told_answerer = f"smp {answerer.buddy}: " + (
            "wrong answer, you are not trusted" if question else "secrets did not match, fingerprint not trusted")
    answerer.person.expect_text(told_answerer, "root")
    asker.person.expect_text(told_asker, "root")


def begin_proof(asker, answerer, secret, question=None):
    """The first step of SMP: asked on one side, announced on the other."""
    if question:
        asker.person.command(f'otr smpq {asker.buddy} "{question}" "{secret}"')
    else:
        asker.person.command(f'otr smp {asker.buddy} "{secret}"')
    asker.person.expect_text(f"smp: initiating with {asker.buddy}...", "root")
    if question:
        answerer.person.expect_text(f'smp: initiated by {answerer.buddy} with question: "{question}"', "root")
        # BitlBee 3.2.1 has no quotation marks there.
        answerer.person.expect(f'smp: respond with otr smp {answerer.buddy} "?<answer>', "root")
    else:
        answerer.person.expect(f'smp: initiated by {answerer.buddy} - respond with otr smp {answerer.buddy} "?<secret>', "root")


def info(side):
    """What `otr info <buddy>` prints, as a list of lines."""
    begin = len(side.person.lines)
    side.person.command(f"otr info {side.buddy}")
    # The list of instances has no end mark; an unknown subcommand's complaint closes it.
    side.person.command("otr that-is-all")
    side.person.expect('unknown subcommand "that-is-all"')
    return [line.text for line in side.person.lines[begin:-1]]


def own_fingerprint(side):
    """The fingerprint of one's own key, in five groups, from `otr info`."""
    side.person.skip()
    side.person.command("otr info")
    side.person.expect(f"^  {re.escape(side.account)}/jabber - DSA$")
    return side.person.expect(r"^ +[0-9A-F]{8}( [0-9A-F]{8}){4}$").text.strip()


def trust_of_buddy(side):
    """How the active fingerprint of the buddy is trusted: "untrusted", "smp", "affirmed" ..."""
    told = info(side)
    for index, line in enumerate(told):
        if "active fingerprint:" in line and index + 1 < len(told):
            match = re.search(r"\((.*)\)", told[index + 1])
            if match:
                return match.group(1)
    raise Failure(f"otr info names no active fingerprint: {told}")


def file_mode(path):
    return os.stat(path).st_mode & 0o777
