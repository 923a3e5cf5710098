"""Conversations by chance between a libotr and an independent implementation, each the same for the same number."""

import random

from strangers import POLICY, Meeting, case, check_private, proved, versions_of


class Schedule:
    """A conversation by chance: who asks, the version, the size of fragments, and what is said and done."""

    LETTERS = "abc XYZ 019 ,;:?!|<>&\"'\n\t\u00fc\u20ac\u4f60\U0001f600"

    def __init__(self, tally, stranger, libraries, library, number):
        # With the same lengths, the stranger's fault may come again.
        self.choose = random.Random(f"{stranger.label} {number}" + f", again {stranger.attempt}" * bool(stranger.attempt))
        self.tally, self.stranger, self.what = tally, stranger, f"schedule {number}"
        self.version = self.choose.choice(versions_of(library, stranger))
        self.sizes = [self.choose.choice((0, 0, self.choose.randrange(90, 1200))) for _ in ("alice", "bob")]
        with Meeting(libraries, library, stranger, POLICY[self.version]) as self.pair:
            self.ask(self.anybody())
            acts = [self.talk, self.talk, self.prove, self.ask_again, self.begin_anew]
            if not stranger.only_in_turn:
                acts.append(self.cross)
            for _ in range(self.choose.randrange(2, 7)):
                self.choose.choice(acts)()
            tally.ok(self.pair.talks(), f"{self.what}: and it goes on")

    def anybody(self):
        return self.choose.choice(("alice", "bob"))

    def text(self):
        length = self.choose.choice((1, 20, 20, 200, 3000))
        return "".join(self.choose.choices(self.LETTERS, k=self.choose.randrange(1, length + 1)))

    def set_sizes(self, sizes):
        for peer, size in zip((self.pair.alice, self.pair.bob), sizes):
            peer.command(f"mms {size}")

    def ask(self, who):
        """An exchange. A query is not to be split."""
        x, y = self.pair.side(who)
        self.set_sizes((0, 0))
        x.send(y.name, "?OTR?")
        self.set_sizes(self.sizes)
        self.tally.ok(self.pair.pump(), f"{self.what}: it comes to an end")
        check_private(self.tally, self.pair, self.version, f"{self.what}, {who} asks")

    def ask_again(self):
        self.ask(self.anybody() if self.stranger.answers_soon else "bob")

    def talk(self):
        self.tally.ok(self.pair.talks([self.text() for _ in range(self.choose.randrange(1, 6))]), f"{self.what}: talking")

    def cross(self):
        """Both send before either has received anything."""
        said = {"alice": [], "bob": []}
        for who in said:
            x, y = self.pair.side(who)
            x.forget()
            for _ in range(self.choose.randrange(1, 5)):
                said[who].append(self.text().encode())
                x.send(y.name, said[who][-1].decode())
        self.pair.pump()
        self.tally.ok([self.pair.alice.shown, self.pair.bob.shown] == [said["bob"], said["alice"]], f"{self.what}: crossing texts")

    def prove(self):
        question = self.choose.choice((None, self.text().strip() or "?"))
        secret = self.text()
        answer = self.choose.choice((secret, secret + "."))
        proved(self.tally, self.pair, self.stranger, self.anybody(), question, secret, answer)

    def begin_anew(self):
        for who in self.choose.sample(("alice", "bob"), 2):
            x, y = self.pair.side(who)
            x.close(y.name)
            self.pair.pump()
            self.tally.ok(x.state(y.name)["msgstate"] == 0, f"{self.what}: {who} has closed it")
        self.ask(self.anybody())


def schedules(tally, libraries, library, stranger, numbers=range(8)):
    """conversations by chance."""
    for number in numbers:
        case(tally, stranger, Schedule, libraries, library, number)
