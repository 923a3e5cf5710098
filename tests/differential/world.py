"""Users with their libraries, the connections between them, and the trace of everything that they could see."""

import collections
import os
import random
import subprocess

from describe import describe

MASTER, BEST, RECENT, RECENT_RECEIVED, RECENT_SENT = range(5)
SKIP, ALL, ALL_BUT_FIRST, ALL_BUT_LAST = range(4)
V1, V2, V3 = 0x01, 0x02, 0x04
V23 = V2 | V3
REQUIRE, SEND_TAG, TAG_STARTS, ERROR_STARTS = 0x08, 0x10, 0x20, 0x40
OPPORTUNISTIC = V23 | SEND_TAG | TAG_STARTS | ERROR_STARTS
ALWAYS = V23 | REQUIRE | TAG_STARTS | ERROR_STARTS
PLAINTEXT, ENCRYPTED, FINISHED = range(3)

# The members of the table of callbacks, in the order of the struct.
CALLBACKS = ("policy create_privkey is_logged_in inject_message update_context_list new_fingerprint write_fingerprints "
             "gone_secure gone_insecure still_secure max_message_size account_name account_name_free received_symkey "
             "otr_error_message otr_error_message_free resent_msg_prefix resent_msg_prefix_free handle_smp_event "
             "handle_msg_event create_instag convert_msg convert_free timer_control").split()


class Crash(Exception):
    """The library ended the process."""


class Stuck(Exception):
    """A script cannot go on, because what it waits for does not come."""


def to_hex(data):
    if data is None:
        return "~"
    data = data.encode() if isinstance(data, str) else data
    return data.hex() or "-"


def from_hex(word):
    return None if word == "~" else b"" if word == "-" else bytes.fromhex(word)


class Driver:
    """A process that runs one library."""

    def __init__(self, command, library, environment=()):
        self.command = [*command, str(library)]
        self.environment = dict(environment)
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env=os.environ | self.environment)
        self.answer()

    def answer(self):
        lines = []
        while True:
            line = self.process.stdout.readline()
            if not line:
                status = self.process.wait()
                self.process.stdin.close()
                self.process.stdout.close()
                self.process = None
                raise Crash(f"the process ended ({status})")
            line = line[:-1].decode("latin-1")
            if line == ".":
                return lines
            lines.append(line)

    def ask(self, line):
        if self.process is None:
            self.start()
        self.process.stdin.write(line.encode("latin-1") + b"\n")
        try:
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        return self.answer()

    def stop(self):
        """Ends the process as a client ends; a status other than 0 is a Crash."""
        if self.process is None:
            return
        self.process.stdin.close()
        status = self.process.wait(timeout=60)
        self.process.stdout.close()
        self.process = None
        if status:
            raise Crash(f"the process ended ({status}) at its end")


# The line of a trace from which on it owes nothing to what came before.
ANEW = "> all anew"

Wire = collections.namedtuple("Wire", "sender to message")


class User:
    """One login of an account."""

    def __init__(self, world, number, driver, account, name):
        self.world, self.number, self.driver = world, number, driver
        self.account, self.name = account, name
        self.fields = {}
        self.lines = {}
        self.to = None
        self.policy = V23
        self.stream = number
        self.settings = {}
        self.silent = False

    def ask(self, what, *words):
        """Gives a command, and adds what came of it to the trace."""
        return self.world.took(self, self.driver.ask(" ".join([what, str(self.number), *map(str, words)])))

    def set(self, **settings):
        settings = self.world.adapt(self, settings)
        self.policy = settings.get("policy", self.policy)
        self.settings.update(settings)
        for key, value in settings.items():
            self.world.say(f"{self.name}> set {key} {value if key != 'keyfile' else ''}")
            self.ask("set", key, value)

    def state(self, context, field):
        """A field of a context ("bob/0"), or None."""
        return self.fields.get(self.world.context(context), {}).get(field)

    def private(self, to=None):
        to = to or self.to
        return any(name.startswith(f"{to}/") and fields["msgstate"] == "1" for name, fields in self.fields.items())

    def send(self, text, to=None, instance=BEST, fragments=SKIP, tlvs=None):
        """The user types a text; what the client would put on the wire is put there."""
        to = to or self.to
        self.world.say(f"{self.name}> send {to} {instance:x} {describe(to_bytes(text))} fragments={fragments}"
                       + (f" tlvs={tlvs.hex()}" if tlvs is not None else ""))
        answer = self.ask("send", to, f"{instance:x}", fragments, to_hex(text), to_hex(tlvs))
        message = next(from_hex(line.split(" ")[1]) for line in answer if line.startswith("message "))
        error = next(line for line in answer if line.startswith("ret send"))
        if "err=0 " not in error:
            return
        if message is None:
            self.world.wires.append(Wire(self, to, to_bytes(text)))
        elif message and fragments != ALL:
            self.world.wires.append(Wire(self, to, message))

    def recv(self, message, sender=None, tlvs=True):
        sender = sender or self.to
        self.world.say(f"{self.name}> recv from {sender} {describe(to_bytes(message))}")
        return self.ask("recv", sender, to_hex(message), "tlvs" if tlvs else "notlvs")

    def call(self, what, *words):
        """Any other command of the driver."""
        shown = [os.path.basename(str(word)).removeprefix(f"{os.getpid()}.") for word in words]
        self.world.say(f"{self.name}> {what} {' '.join(shown)}")
        return self.ask(what, *words)

    def smp(self, secret, question=None, to=None, instance=BEST):
        return self.call("smp", to or self.to, f"{instance:x}", to_hex(secret), to_hex(question))

    def respond(self, secret, to=None, instance=BEST):
        return self.call("respond", to or self.to, f"{instance:x}", to_hex(secret))

    def context(self, what, *words, to=None, instance=BEST):
        return self.call("context", to or self.to, f"{instance:x}", what, *words)

    def abort(self, to=None, instance=BEST):
        return self.context("abort", to=to, instance=instance)

    def close(self, to=None, instance=None):
        if instance is None:
            return self.call("closeall", to or self.to)
        return self.call("close", to or self.to, f"{instance:x}")

    def symkey(self, use=0x100, data=b"data", to=None, instance=BEST):
        return self.call("symkey", to or self.to, f"{instance:x}", f"{use:x}", to_hex(data))

    def poll(self, ops=True):
        return self.call("poll", "ops" if ops else "noops")


def to_bytes(text):
    return text.encode() if isinstance(text, str) else text


class World:
    """A run of one script. `drivers` are those of the first user and of all others."""

    def __init__(self, pool, drivers, seed=1):
        self.pool = pool
        self.drivers = drivers
        self.seed = seed
        self.users = []
        self.wires = []
        self.trace = []
        self.names = {}
        self.rounds = 0
        self.random = random.Random(seed)
        for driver in set(drivers):
            driver.ask("reset")

    def say(self, line):
        self.trace.append(line)

    def named(self, kind, value):
        """A name for a random value: the same value has the same name."""
        if value in ("~", "-"):
            return value
        return self.names.setdefault((kind, value), f"{kind}{sum(k == kind for k, _ in self.names) + 1}")

    def user(self, account, to=None, policy=V23, key=0, tag=True, keyed=True, twin=None, **settings):
        """A login; further ones of the same account are told apart by a number. A `twin` of another is one with the
        same tag and the same random numbers."""
        number = len(self.users)
        same = sum(u.account == account for u in self.users)
        user = User(self, number, twin.driver if twin else self.drivers[min(number, len(self.drivers) - 1)], account,
                    account + (str(same + 1) if same else ""))
        user.to = to
        self.users.append(user)
        if twin:
            user.stream = twin.stream
        self.begin(user, key if keyed else None, tag)
        user.set(policy=policy, keyfile=self.pool.key(account, key), **settings)
        return user

    def begin(self, user, key=0, tag=True, more=0):
        """A user's client starts, without any settings."""
        user.ask("user", user.account, self.seed * 100 + user.stream + more)
        if tag:
            user.ask("files", "readtags", self.pool.tag(user.account, user.stream))
        if key is not None:
            user.ask("files", "readkeys", self.pool.key(user.account, key))

    def anew(self):
        """All users start anew. What comes then is compared by itself, whatever happened before."""
        self.reset()
        self.wires.clear()
        self.names.clear()
        self.rounds += 1
        self.say(f"{ANEW} {self.rounds}")
        for user in self.users:
            user.lines.clear()
            user.fields.clear()
            self.begin(user, more=self.rounds * 10)
            user.set(**user.settings)

    def reset(self):
        """All users end."""
        for driver in dict.fromkeys(self.drivers):
            users = any(user.driver is driver for user in self.users)
            for line in driver.ask("reset"):
                self.say(f"end: {line}" if users else line)

    def pair(self, policy=V23, second_policy=None, **settings):
        """alice and bob."""
        return (self.user("alice", "bob", policy, **settings),
                self.user("bob", "alice", policy if second_policy is None else second_policy, **settings))

    def adapt(self, user, settings):
        """The settings of a user as they are made."""
        del user
        return settings

    def context(self, name):
        """The name of a context as this interface has it."""
        return name

    def worded(self, line):
        """A line of the driver as it comes into the trace."""
        return line

    def arrives(self, user, message):
        """Whether what a user's library sends goes out."""
        del user, message
        return True

    def twin(self, user):
        """A client in the same state as this user, who has just been made: whatever comes for one comes for both, and
        both draw the same numbers. What the twin sends by itself does not go out."""
        twin = self.user(user.account, user.to, user.policy, twin=user)
        twin.silent = True
        return twin

    def session(self, policy=V23, **settings):
        """alice and bob with a session, which alice started."""
        alice, bob = self.pair(policy, **settings)
        alice.send("?OTR?")
        self.pump()
        return alice, bob

    def clock(self, seconds):
        self.say(f"> clock {seconds}")
        for driver in set(self.drivers):
            driver.ask(f"clock {seconds}")

    def took(self, user, lines):
        """Adds the lines of an answer to the trace, and the injected messages to the wires."""
        seen = set()
        for line in lines:
            words = line.split(" ")
            if words[0] == "inject":
                message = from_hex(words[2])
                self.say(f"{user.name}: inject {words[1]} {describe(message)}")
                # No network carries an empty message to anybody.
                if message and not user.silent and self.arrives(user, message):
                    self.wires.append(Wire(user, words[1], message))
            elif words[0] == "message":
                self.say(f"{user.name}: message {describe(from_hex(words[1]))}")
            elif words[0] == "cb" and words[1] in ("gone_secure", "still_secure", "gone_insecure"):
                words = [f"sid={self.named('session', w[4:])}" if w.startswith("sid=") else w for w in words]
                self.say(f"{user.name}: {' '.join(words)}")
            elif words[0] == "cb" and words[1] == "received_symkey":
                self.say(f"{user.name}: {' '.join(words[:-1])} {self.named('symkey', words[-1])}")
            elif words[0] == "ret" and words[1] == "symkey":
                self.say(f"{user.name}: {' '.join(words[:-1])} {self.named('symkey', words[-1])}")
            elif words[0] in ("ctx", "us"):
                if words[0] == "us":
                    words.insert(1, "us")
                seen.add(words[1])
                if user.lines.get(words[1]) != line:
                    user.lines[words[1]] = line
                    self.changed(user, words[1], words[2:])
            else:
                self.say(f"{user.name}: {self.worded(line)}")
        for name in [name for name in user.fields if name not in seen]:
            self.say(f"{user.name}: - {name} is gone")
            del user.fields[name], user.lines[name]
        return lines

    def changed(self, user, name, words):
        before = user.fields.get(name, {})
        after = {}
        for word in words:
            key, _, value = word.partition("=")
            if key == "sid":
                value = self.named("session", value)
            after[key] = value
            if before.get(key) != value:
                self.say(f"{user.name}: - {name} {key} {before.get(key, '')} -> {value}")
        user.fields[name] = after

    def deliver(self, index=0, only=None, message=None):
        """Gives a message on the wires to all logins of the account that it is for (or to `only` one)."""
        if index >= len(self.wires):
            self.say("> nothing to deliver")
            return
        wire = self.wires.pop(index)
        for user in self.users:
            if user is only or (only is None and user.account == wire.to and user is not wire.sender):
                user.recv(wire.message if message is None else message, wire.sender.account)

    def pump(self, limit=150):
        """Delivers until nothing is under way."""
        for _ in range(limit):
            if not self.wires:
                return
            self.deliver()
        self.say("> it does not come to an end")
        self.wires.clear()

    def take(self):
        """Takes the first message off the wires."""
        if not self.wires:
            raise Stuck("there is nothing on the wires")
        return self.wires.pop(0).message


def play(script, pool, drivers, seed=1, kind=World):
    """Runs a script; returns the trace."""
    try:
        world = kind(pool, drivers, seed)
    except Crash as crash:
        return [f"the run before: {crash}"]
    try:
        script(world)
        world.reset()
    except (Crash, Stuck) as reason:
        world.say(f"> {reason}")
    return world.trace
