"""Controls two BitlBees as two people would over IRC and prints what they see, next to what an eavesdropper sees."""

import contextlib
import os
import sys
import threading
import time

# Nothing is to be left in the source tree.
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))

import library
from bitlbee import debian_installation
from couple import Couple
from processes import Failure, Missing, temporary_directory
from relay import SENT, shorten

_printing = threading.RLock()
# While a list: the lines said and seen are kept there, to be printed in another order.
_held = None
# Which lines are worth a reader's time: BitlBee's welcome and the talk of connecting are left out.
_shown_from_now_on = threading.Event()


def tell(text=""):
    with _printing:
        print(text, flush=True)


def dialogue(person, shown):
    """Called for every line that a person says or sees."""
    if not _shown_from_now_on.is_set():
        return
    line = beside(f"{person.nick}'s window", shown)
    with _printing:
        if _held is None:
            tell(line)
        else:
            _held.append(line)


def beside(where, text):
    return f"  {where:>14} | {text}"


@contextlib.contextmanager
def held():
    """Keeps lines from being printed; yields the list they gather in."""
    global _held
    with _printing:
        _held = kept = []
    try:
        yield kept
    finally:
        with _printing:
            _held = None


@contextlib.contextmanager
def step(title, what):
    """A heading, and a progress line whenever what follows takes longer than two seconds."""
    if title:
        tell(f"\n== {title}")
    done = threading.Event()
    begun = time.monotonic()

    def tick():
        while not done.wait(2 if time.monotonic() - begun < 2 else 5):
            tell(f"  ... {what}: {time.monotonic() - begun:.0f} seconds so far")

    threading.Thread(target=tick, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def say_beside_the_wire(speaker, listener, text, color):
    """One message, as its speaker types it, as it travels, and as it is read."""
    mark = speaker.relay.mark()
    with held() as lines:
        speaker.person.say(speaker.buddy, text)
        line = listener.person.expect_text(text, listener.buddy)
        wire = speaker.relay.wait_for_body(SENT, r"^\?OTR:", mark)
    for shown in lines[:1] + [beside("on the wire", shorten(wire, 80))] + lines[1:]:
        tell(shown)
    if text in speaker.relay.everything().decode("utf-8", "replace"):
        raise Failure(f"the text {text!r} went over the wire for everybody to read")
    if f"\x03{color}" not in line.raw:
        raise Failure(f"BitlBee did not colour {text!r} as {'a trusted' if color == '03' else 'an untrusted'} message")


def scene(couple):
    """The scene of BitlBee's wiki, in the words of BitlBee 3.6."""
    alice, bob = couple.alice.person, couple.bob.person
    with step("Do they really talk to each other? Alice asks a question only Bob can answer", "the proof"):
        alice.command('otr smpq bob "question question question" answer')
        alice.expect_text("smp: initiating with bob...", "root")
        bob.expect_text('smp: initiated by alice with question: "question question question"', "root")
        bob.expect_text('smp: respond with otr smp alice "<answer>"', "root")
        bob.command("otr smp alice answer")
        bob.expect_text("smp: responding to alice...", "root")
        bob.expect_text("smp alice: correct answer, you are trusted", "root", 30)
        alice.expect_text("smp bob: secrets proved equal, fingerprint trusted", "root", 30)
    tell("  (Two of these lines are worded differently in the wiki: there <answer> has no quotes, and both sides\n"
         "  read \"secrets proved equal, fingerprint trusted\". BitlBee 3.6 says that to Bob when he asks back:)")
    with step("A question convinces only the one who asks, so Bob now does the same with a shared secret", "the proof"):
        bob.command("otr smp alice answer")
        bob.expect_text("smp: initiating with alice...", "root")
        alice.expect_text('smp: initiated by bob - respond with otr smp bob "<secret>"', "root")
        alice.command("otr smp bob answer")
        alice.expect_text("smp: responding to bob...", "root")
        bob.expect_text("smp alice: secrets proved equal, fingerprint trusted", "root", 30)
        alice.expect_text("smp bob: secrets proved equal, fingerprint trusted", "root", 30)


def play():
    wanted = library.from_environment()
    directory = temporary_directory("otr-demo-")
    with step("A private XMPP server and two BitlBees start", "starting"):
        couple = Couple(directory, debian_installation(), wanted.by_library_path(), dialogue)
    with couple, contextlib.ExitStack() as on_the_way_out:
        # Saying goodbye makes BitlBee talk, too; nobody needs to read that.
        on_the_way_out.callback(_shown_from_now_on.clear)
        with step(None, "starting BitlBee"):
            couple.start(signed_up=False)
        for side in couple.sides:
            mapped = side.bitlbee.mapped_libotr()
            tell(f"  {side.user}'s BitlBee (process {side.bitlbee.program.pid}) has mapped {', '.join(mapped) or 'no libotr'}")
            if mapped != [wanted.real_path]:
                raise Failure(f"{side.user}'s BitlBee did not load {wanted.real_path} and nothing else")
        time.sleep(0.1)
        _shown_from_now_on.set()
        with step("Both go on line", "logging in"):
            couple.go_online()
        with step("Each makes a key", "generating a key"):
            for side in couple.sides:
                side.generate_key()
        with step("Alice goes off the record", "the key exchange"):
            couple.connect_otr()
        with step("A message each way, and what an eavesdropper has of it", "a message"):
            say_beside_the_wire(couple.alice, couple.bob, "Shall we meet at the old mill?", "05")
            say_beside_the_wire(couple.bob, couple.alice, "At noon. Bring the map.", "05")
        scene(couple)
        with step("From here on BitlBee shows their messages in the colour of trust", "a message"):
            say_beside_the_wire(couple.alice, couple.bob, "So it is you.", "03")
            say_beside_the_wire(couple.bob, couple.alice, "And you.", "03")
        time.sleep(0.1)
    tell("\nDone: every line was as expected, and every process that was started has been ended.")


def main():
    try:
        play()
    except (Missing, Failure, OSError) as problem:
        tell(f"\nThe demo failed: {problem}")
        return 1
    except KeyboardInterrupt:
        tell("\nInterrupted.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
