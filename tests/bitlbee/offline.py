"""The two scenarios of BitlBee's wiki in which one side is away, on a server that keeps messages for absent users."""

from relay import SENT
from scenario import DATA_MESSAGE, marker, on_the_wire, require, scenario, talk
from session import recover_after_loss


@scenario("offline: A and B in a session, B disconnects, A goes on talking: B reads it all when back")
def away_within_a_session(stage):
    with stage.couple() as couple:
        alice, bob = couple.sides
        couple.connect_otr()
        talk(couple)
        bob.go_offline()
        alice.wait_for_buddy_to_leave()
        texts = [marker("kept") for _ in range(3)]
        mark = alice.relay.mark()
        for text in texts:
            alice.person.say("bob", text)
        alice.relay.wait_for_body(SENT, r"^\?OTR:", mark)
        require(not any(bob.person.seen(text) for text in texts), "Bob read a message while he was away")
        bob.go_online()
        for text in texts:
            # BitlBee puts the time of a kept message before it.
            line = bob.person.expect(text, "alice")
            require("\x0305" in line.raw, f"BitlBee did not show the kept message {line.raw!r} as encrypted")
        for side in couple.sides:
            side.wait_for_buddy()
        require(not any(on_the_wire(couple, text) for text in texts), "a kept message went over the wire in the clear")
        talk(couple)


@scenario("offline: A and B in a session, B's BitlBee is lost, A goes on talking: B is told, and they have a new session")
def lost_within_a_session(stage):
    with stage.couple() as couple:
        alice, bob = couple.sides
        couple.connect_otr()
        talk(couple)
        bob.crash()
        alice.wait_for_buddy_to_leave()
        texts = [marker("kept") for _ in range(3)]
        for text in texts:
            mark = alice.relay.mark()
            alice.person.say("bob", text)
            alice.relay.wait_for_body(SENT, DATA_MESSAGE, mark)
        bob.come_back()
        recover_after_loss(couple, texts)


@scenario("offline: A starts a session with B away; B comes while A is on line: the session is there")
def started_while_away(stage):
    with stage.couple(online=False) as couple:
        alice, bob = couple.sides
        alice.go_online()
        mark = alice.relay.mark()
        alice.person.command("otr connect bob")
        alice.relay.wait_for_body(SENT, r"^\?OTRv23\?", mark)
        require(not bob.person.seen("off the record \\("), "Bob has a session although he is away")
        bob.go_online()
        couple.expect_secure()
        talk(couple)
