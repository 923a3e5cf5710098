"""Peers that speak the line protocol of peer.c, and the connection between them."""

import subprocess


def to_hex(text):
    data = text if isinstance(text, bytes) else text.encode()
    return data.hex() or "-"


def from_hex(word):
    return b"" if word == "-" else bytes.fromhex(word)


class Peer:
    """A libotr in a process of its own."""

    def __init__(self, name, command, env, policy=None):
        self.attach(name, subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        if policy is not None:
            self.command(f"policy {policy}")

    def attach(self, name, process):
        """This is the peer in that process."""
        self.name = name
        self.log = []
        self.shown = []
        self.outbox = []
        self.process = process

    def command(self, line):
        """Give a command; returns the lines of its answer, and keeps what it means."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = []
        while True:
            out = self.process.stdout.readline()
            if not out:
                raise RuntimeError(f"{self.name} died on: {line[:60]} (status {self.process.wait()})")
            words = out.split()
            if words == ["done"]:
                return answer
            answer.append(words)
            if words[0] == "wire":
                self.outbox.append((words[1], from_hex(words[2])))
            elif words[0] == "shown":
                self.shown.append(from_hex(words[1]))
            else:
                self.log.append(words)

    def send(self, to, text):
        self.command(f"send {to} {to_hex(text)}")

    def recv(self, sender, wire):
        self.command(f"recv {sender} {to_hex(wire)}")

    def smp(self, to, secret, question=None):
        if question is None:
            self.command(f"smp {to} {to_hex(secret)}")
        else:
            self.command(f"smpq {to} {to_hex(secret)} {to_hex(question)}")

    def respond(self, to, secret):
        self.command(f"respond {to} {to_hex(secret)}")

    def abort(self, to):
        self.command(f"abort {to}")

    def close(self, to):
        self.command(f"close {to}")

    def state(self, other):
        """msgstate, version, trust, fingerprint, session id, private instances, own fingerprint."""
        answer = self.command(f"state {other}")
        state = next(w for w in answer if w[0] == "state")
        own = next(w for w in answer if w[0] == "own")
        return {"msgstate": int(state[1]), "version": int(state[2]), "trust": state[3], "print": state[4],
                "session": state[5], "instances": int(state[6]), "own": "".join(own[1:]).lower()}

    def private(self, other):
        return self.state(other)["msgstate"] == 1

    def saw(self, *words):
        """Whether a line of the log starts with these words."""
        return any(line[: len(words)] == list(words) for line in self.log)

    def forget(self):
        self.log, self.shown = [], []

    def quit(self):
        self.process.stdin.close()
        status = self.process.wait(timeout=20)
        self.process.stdout.close()
        if status:
            raise RuntimeError(f"{self.name} ended with status {status}")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Stranger:
    """What another implementation can do; those that cannot do all of it say so."""

    ABORT, FAILURE = "2", "8"

    label = ""
    versions = ()
    # It keeps a text that must not go out in the clear until there is a session.
    sends_held_back = True
    # Whoever answers says with the last message of SMP that the secrets are unequal, and not with an abort.
    tells_unequal = True
    # The user can abort SMP, and this is what the user sees when the other side does.
    can_abort = True
    abort_event = ABORT
    has_extra_key = True
    # A text can have any bytes behind it where TLVs belong.
    sends_raw_tlvs = True
    tells_their_print = True
    # It may lose a message of ours if we have sent another one since it has sent its last, and cannot send an empty text.
    only_in_turn = False
    # It answers a query in a session that has just begun.
    answers_soon = True
    # When both sides begin at once, one session comes of it.
    yields = True
    # It meets a fault of its own now and then, and says so; the command "shortr" brings it about.
    faulty = False
    can_provoke_fault = False
    # Of the case under way, how often it was done again for such a fault; and of all, how many there were.
    attempt = cases = faults = 0


def pump(*peers, limit=4000):
    """Carry messages until nobody has any; several peers of one name all get what is for that name."""
    for _ in range(limit):
        sender = next((p for p in peers if p.outbox), None)
        if sender is None:
            return True
        to, wire = sender.outbox.pop(0)
        for peer in peers:
            if peer is not sender and peer.name == to:
                peer.recv(sender.name, wire)
    return False
