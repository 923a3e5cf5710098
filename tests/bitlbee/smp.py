"""The Socialist Millionaires' Protocol as `otr smp` and `otr smpq` drive it."""

from scenario import (begin_proof, prove, require, scenario, talk, trust_of_buddy)

QUESTION = "where did we meet?"


def wrong_then_right(stage, initiator, question):
    """Unequal secrets prove nothing; the same two may then try again with equal ones."""
    with stage.couple() as couple:
        couple.connect_otr()
        asker, answerer = couple.sides if initiator == "alice" else reversed(couple.sides)
        prove(asker, answerer, secret="at the mill", answer="at the well", question=question)
        for side in couple.sides:
            trust = trust_of_buddy(side)
            require(trust == "untrusted", f"after unequal secrets {side.user} sees the buddy as {trust}")
            side.person.skip()
        talk(couple, color="05")
        prove(asker, answerer, secret="at the mill", question=question)
        require(trust_of_buddy(asker) == "smp", f"after equal secrets {asker.user} sees the buddy as {trust_of_buddy(asker)}")
        # Who only answered a question has no proof of the asker.
        expected = "untrusted" if question else "smp"
        require(trust_of_buddy(answerer) == expected,
                f"after equal secrets {answerer.user} sees the buddy as {trust_of_buddy(answerer)}, not {expected}")
        talk(couple)


@scenario("smp: Alice begins, without a question: unequal secrets, then equal ones")
def alice_plain(stage):
    wrong_then_right(stage, "alice", None)


@scenario("smp: Alice begins, with a question: a wrong answer, then the right one")
def alice_question(stage):
    wrong_then_right(stage, "alice", QUESTION)


@scenario("smp: Bob begins, without a question: unequal secrets, then equal ones")
def bob_plain(stage):
    wrong_then_right(stage, "bob", None)


@scenario("smp: Bob begins, with a question: a wrong answer, then the right one")
def bob_question(stage):
    wrong_then_right(stage, "bob", QUESTION)


@scenario("smp: beginning anew aborts the one under way; the new one succeeds")
def begun_anew(stage):
    with stage.couple() as couple:
        couple.connect_otr()
        alice, bob = couple.sides
        begin_proof(alice, bob, "at the mill")
        # BitlBee aborts by itself when a proof is begun while another one waits.
        alice.person.command('otr smp bob "at the well"')
        bob.person.expect_text("smp: received abort from alice", "root")
        bob.person.expect('^smp: initiated by alice - respond with', "root")
        bob.person.command('otr smp alice "at the well"')
        for side in couple.sides:
            side.person.expect_text(f"smp {side.buddy}: secrets proved equal, fingerprint trusted", "root", 30)
        talk(couple, color="03")


@scenario("smp: both begin one: the first is a protocol error and aborted, nobody is trusted, a new one succeeds")
def both_begin(stage):
    with stage.couple() as couple:
        couple.connect_otr()
        alice, bob = couple.sides
        begin_proof(alice, bob, "at the mill", QUESTION)
        bob.person.command('otr smpq alice "and what did we drink?" "tea"')
        bob.person.expect_text("smp: initiating with alice...", "root")
        alice.person.expect_text("smp bob: protocol error, aborting", "root")
        bob.person.expect_text("smp: received abort from alice", "root")
        for side in couple.sides:
            require(trust_of_buddy(side) == "untrusted", f"{side.user} trusts the buddy after no proof at all")
            side.person.skip()
        talk(couple, color="05")
        prove(bob, alice)
        talk(couple, color="03")


@scenario("smp: without a session it is refused; secrets may be long and not in ASCII")
def refused_and_long(stage):
    with stage.couple(policies=("manual", "manual")) as couple:
        alice = couple.alice
        alice.person.command("otr smp bob secret")
        alice.person.expect_text("smp: otr inactive with bob, try otr connect bob", "root")
        couple.connect_otr()
        prove(couple.alice, couple.bob, secret="Käsefüße und Ζεύς " + "so weiter " * 15)
        talk(couple, color="03")
