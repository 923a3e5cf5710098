"""The six programs of libotr, compared with ours of the same names: arguments, input and output."""

import functools
import os
import random
import select
import subprocess

import corpus

PROGRAMS = ("otr_parse", "otr_sesskeys", "otr_mackey", "otr_readforge", "otr_modify", "otr_remac")
SEED = int(os.environ.get("OTR_TOOLKIT_SEED", "1"))
CASES = int(os.environ.get("OTR_TOOLKIT_CASES", "4000"))
BATCH = 50
# Where Debian's package libotr5-bin puts them.
LIBOTRS = "/usr/bin"
KEY = bytes(range(16))


def start(directory, program, arguments, **options):
    """Starts a program by its plain name, which stands in its usage."""
    return subprocess.Popen([program, *arguments], executable=os.path.join(directory, program), **options)


def result(directory, program, arguments=(), given=b"", output=subprocess.PIPE):
    """Exit status (negative after a signal), output and errors of a program."""
    process = start(directory, program, arguments, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.PIPE)
    try:
        out, errors = process.communicate(given, timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return "it hangs", b"", b""
    return process.returncode, out, errors


class Pair:
    """The installed programs, and libotr's."""

    def __init__(self, checks, prefix):
        self.checks = checks
        self.ours = os.path.join(prefix, "bin")
        self.libotrs = LIBOTRS

    def same(self, what, program, arguments=(), given=b""):
        """Counts one check, that both do the same; returns what that is."""
        ours = result(self.ours, program, arguments, given)
        libotrs = result(self.libotrs, program, arguments, given)
        self.checks.check(f"{program}: {what}", ours == libotrs,
                          f"ours     {str(ours)[:1500]}\nlibotr's {str(libotrs)[:1500]}\n"
                          f"arguments {str(arguments)[:500]}\ninput {given[:1500]}")
        return libotrs


@functools.cache
def conversations(prefix, work):
    """All recorded messages, by the name of the conversation; and the one of potr's."""
    recorded = corpus.libotr_conversations(prefix, work)
    potr = corpus.PotrConversation()
    recorded["potr"] = potr.wire
    return recorded, potr


def recorded_conversations(checks, prefix, work):
    """Whole conversations through otr_parse, and each message by itself."""
    pair = Pair(checks, prefix)
    recorded, _ = conversations(prefix, work)
    shown = b""
    for name, messages in recorded.items():
        _, out, _ = pair.same(f"all of {name}", "otr_parse", (), b"\n".join(messages))
        shown += out
        for number, message in enumerate(messages):
            pair.same(f"message {number} of {name}", "otr_parse", (), message)
    # Or else there was nothing to compare.
    for title in ("D-H Commit", "D-H Key", "Reveal Signature", "Signature", "Key Exchange", "Data"):
        checks.check(f"the conversations have a {title} Message", f"\n{title} Message:\n".encode() in b"\n" + shown)
    for line in (b"Version: 01", b"Version: 02", b"Version: 03", b"Revealed MAC keys:\n\t\tKey 1: ", b"Flags: 1"):
        checks.check(f"the conversations have {line.decode()!r}", b"\t" + line in shown)
    everything = b"\n".join(b"\n".join(messages) for messages in recorded.values())
    for piece in (b"?OTR,", b"?OTR|", b"?OTRv2?", b"?OTR Error:", b" \t  \t\t\t\t \t \t \t  "):
        checks.check(f"the conversations have {piece.decode()!r}", piece in everything)


def known_keys(checks, prefix, work):
    """A conversation whose keys are known: they are derived, and its messages read, changed and forged with them."""
    pair = Pair(checks, prefix)
    _, potr = conversations(prefix, work)
    for dh, theirs, session in potr.pairs[:8]:
        arguments = (f"{dh.priv:080x}", f"{theirs:0384x}")
        _, out, _ = pair.same("the keys of a session", "otr_sesskeys", arguments)
        for title, key in (("Sending   AES key", session.sendenc), ("Sending   MAC key", session.sendmac),
                           ("Receiving AES key", session.rcvenc), ("Receiving MAC key", session.rcvmac)):
            checks.check(f"otr_sesskeys: potr's {title}", f"{title}: {key.hex()}\n".encode() in out, out)
    read = 0
    for message, session in potr.data_messages():
        key, mac = session.sendenc.hex(), session.sendmac.hex()
        pair.same("the MAC key of a session", "otr_mackey", (key,))
        _, out, _ = pair.same("a message is read", "otr_readforge", (key,), message)
        read += b"Plaintext: ``text" in out
        pair.same("a wrong key", "otr_readforge", (KEY.hex(),), message)
        _, out, _ = pair.same("a message is forged", "otr_readforge", (key, "--help"), b"noise " + message + b" noise")
        pair.same("a forged message is read", "otr_readforge", (key,), out)
        pair.same("it can be forged without its key", "otr_readforge", (KEY.hex(), "anything " * 50), message)
        for offset in ("0", "5", " 7x", "1000", "4294967295", "-1"):
            _, out, _ = pair.same(f"a piece is changed at {offset}", "otr_modify", (mac, "text", "TEXT", offset), message)
            pair.same("a changed message is read", "otr_readforge", (key,), out)
        pair.same("a wrong MAC key", "otr_modify", ("00" * 20, "text", "TEXT", "0"), message)
        pair.same("nothing is changed", "otr_modify", (mac, "", "", "0"), message)
    checks.check("messages of potr's could be read", read >= 6, read)
    dice = random.Random(SEED)
    for version in (1, 2, 3):
        for revealed in (b"", bytes(20), dice.randbytes(47), dice.randbytes(19)):
            message = corpus.data_message(version, bytes(20), dice.randbytes(40), revealed, dh=bytes(3) + dice.randbytes(189))
            name = f"version {version} with {len(revealed)} bytes of MAC keys"
            _, out, _ = pair.same(f"{name} is forged", "otr_readforge", (KEY.hex(), f"text\t{version}"), message)
            _, out, _ = pair.same(f"{name} is read", "otr_readforge", (KEY.hex(),), out.split(b"\n")[0])
            checks.check(f"{name} was read", out == f"Plaintext: ``text\t{version}''\n".encode(), out)
            pair.same(name, "otr_parse", (), message)
            pair.same(f"{name} is changed", "otr_modify", ("00" * 20, "abc", "xyz", "3"), message)


def arguments_of_every_kind(checks, prefix, work):
    """Arguments, good and bad, in every place."""
    pair = Pair(checks, prefix)
    del work
    keys = ("", "0", "00", "0g", "G0", "00" * 16, "Ab" * 16, "00" * 17, "00" * 20, "zz" * 16, "-x", "\udcff\udcff", "00 0")
    public = ("", "00", "01", "02", "05", "0005", "ff" * 192, "ff" * 193, "ab" * 1000, f"{corpus.potr_peer.crypt.DH_MODULUS:x}",
              f"{corpus.potr_peer.crypt.DH_MODULUS - 1:x}", f"{corpus.potr_peer.crypt.DH_MODULUS + 5:x}", "x", "xy")
    for key in keys:
        pair.same(f"the key {key!r}", "otr_mackey", (key,))
        pair.same(f"the key {key!r}", "otr_readforge", (key,))
        pair.same(f"the key {key!r}", "otr_modify", (key, "a", "b", "0"))
        pair.same(f"the key {key!r}", "otr_remac", (key, *"12345", "02", "00" * 8, "", ""))
    for private in ("", "00", "01", "02", "0002", "ff" * 40, "x", "xy"):
        for theirs in public:
            pair.same(f"{private[:9]!r} and {theirs[:9]!r}", "otr_sesskeys", (private, theirs))
    for program in PROGRAMS:
        for count in range(13):
            if not (program == "otr_parse" and count == 0):
                pair.same(f"{count} arguments", program, ("00",) * count)
    numbers = ("0", "1", "+1", "-1", " 1", "\t\n\v\f\r 1", "1 2", "1x", "", " ", "x", "-", "+", "--1", "+-1", "- 1", "0x10",
               "010", "255", "256", "65535", "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295",
               "4294967296", "4294967297", "-4294967295", "-4294967296", "9223372036854775807", "9223372036854775808",
               "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616",
               "-18446744073709551615", "-18446744073709551616", "9" * 60, "-" +"9" * 60, "1\udcff", "\u00a01")
    good = ["00" * 20, "257", "258", "1", "3", "4", "0005", "00" * 8, "abcd", "00" * 20]
    _, out, _ = pair.same("good pieces", "otr_remac", good)
    checks.check("otr_remac gives a message", out.startswith(b"?OTR:AAMD") and out.endswith(b".\n"), out)
    for place in range(1, 6):
        for number in numbers:
            pair.same(f"number {place} is {number!r}", "otr_remac", good[:place] + [number] + good[place + 1:])
    for place in (0, 6, 7, 8, 9):
        for text in ("", "0", "00", "0000", "gg", "00" * 7, "00" * 9, "Ff" * 20, "00" * 300, "ab" * 5000):
            pair.same(f"piece {place} is {text[:9]!r}", "otr_remac", good[:place] + [text] + good[place + 1:])
    message = corpus.data_message(2, bytes(20), b"encrypted")
    for number in numbers:
        pair.same(f"the offset is {number!r}", "otr_modify", ("00" * 20, "abc", "xyz", number), message)
    pair.same("texts of two lengths", "otr_modify", ("00" * 20, "abc", "xy", "0"), message)


def garbage(checks, prefix, work):
    """Damaged messages and noise."""
    pair = Pair(checks, prefix)
    recorded, _ = conversations(prefix, work)
    messages = [message for conversation in recorded.values() for message in conversation if message]
    damaged = list(corpus.garbage(messages, SEED, CASES))
    for first in range(0, len(damaged), BATCH):
        batch = damaged[first:first + BATCH]
        if result(pair.ours, "otr_parse", (), b"".join(batch)) == result(pair.libotrs, "otr_parse", (), b"".join(batch)):
            checks.passed += 1
            continue
        # One of them, or several together: this names it.
        for number, text in enumerate(batch):
            pair.same(f"damaged message {first + number} of seed {SEED}", "otr_parse", (), text)
        pair.same(f"damaged messages from {first} on of seed {SEED}", "otr_parse", (), b"".join(batch))
    dice = random.Random(SEED)
    for number in range(CASES // 40):
        stream = dice.randbytes(dice.randrange(4000)) + dice.choice((b"?OTR:", b"?OTR", b"")
                                ) + dice.randbytes(dice.randrange(300))
        pair.same(f"noise {number} of seed {SEED}", "otr_parse", (), stream)
    data = [message for message in messages if message[:9] in (b"?OTR:AAMD", b"?OTR:AAID", b"?OTR:AAED")]
    for number, text in enumerate(corpus.garbage(data, SEED + 1, CASES // 20)):
        pair.same(f"damaged data message {number} of seed {SEED}", "otr_readforge", (KEY.hex(), "forged"), text)
        pair.same(f"damaged data message {number} of seed {SEED}", "otr_modify", ("00" * 20, "a", "b", "0"), text)
    # With a MAC that is right: what libotr has not checked before it was made.
    for number in range(CASES // 40):
        message = corpus.data_message(dice.choice((1, 2, 3)), bytes(20), dice.randbytes(dice.choice((0, 1, 16, 17, 100))),
                                      dice.randbytes(dice.randrange(50)), (0, dice.randrange(1 << 32)),
                                      bytes(dice.randrange(3)) + dice.randbytes(dice.randrange(200)), dice.randbytes(8))
        pair.same(f"odd data message {number} of seed {SEED}", "otr_modify",
                  ("00" * 20, "abc", "xyz", str(dice.randrange(20))), message)
    for number, text in enumerate(
        (b"", b"?OTR:", b"?OTR:.", b"?OTR?", b"text", b"?OTR:AAMC.", b"?OTR:AAMD.", b"?OTR:AAED", b"?OTR:\0AAMD.")):
        for program, arguments in (
            ("otr_parse", ()),
            ("otr_readforge", (KEY.hex(),)),
            ("otr_modify", ("00" * 20, "a", "b", "0"))):
            pair.same(f"short input {number}", program, arguments, text)


def where_libotrs_program_crashes(checks, prefix, work):
    """A number of more than 16 MiB: libgcrypt does not read it, and libotr's programs use what was not read."""
    del work
    pair = Pair(checks, prefix)

    def field(body):
        return len(body).to_bytes(4, "big") + body

    def encoded(raw):
        return b"?OTR:" + corpus.base64.b64encode(raw) + b".\n"

    small = encoded(b"\0\2\x0a" + field(b"\5"))
    for excess in (0, 1):
        number = field(b"\1" * ((16 << 20) + excess))
        cases = (("D-H Key", b"\0\2\x0a" + number),
                 ("Key Exchange", b"\0\1\x0a\0" + field(b"\5") * 3 + number + bytes(4) + field(b"\5") + bytes(40)),
                 ("Data", b"\0\3\3" + bytes(17) + number + bytes(8) + field(b"") + bytes(20) + field(b"")))
        for name, raw in cases:
            what = f"a {name} message with a number of 16 MiB and {excess} bytes"
            if excess == 0:
                pair.same(what, "otr_parse", (), encoded(raw))
                continue
            libotrs = result(pair.libotrs, "otr_parse", (), encoded(raw))
            checks.check(f"{what} still crashes libotr's otr_parse", libotrs[0] == -11, str(libotrs)[:300])
            expected = f"Invalid {name} Message\n\nD-H Key Message:\n\tVersion: 02\n\tD-H Key: 05\n\n".encode()
            checks.equal(f"{what} is invalid for ours", result(
                pair.ours, "otr_parse", (), encoded(raw) + small), (0, expected, b""))
            if name == "Data":
                libotrs = result(pair.libotrs, "otr_readforge", (KEY.hex(), "text"), encoded(raw))
                checks.check(f"{what} still crashes libotr's otr_readforge", libotrs[0] == -11, str(libotrs)[:300])
                checks.equal(f"{what} is invalid for our otr_readforge", result(pair.ours, "otr_readforge",
                             (KEY.hex(), "text"), encoded(raw)), (1, b"", b"Invalid OTR Data Message found on stdin.\n"))


def what_is_different_on_purpose(checks, prefix, work):
    """--help and --version; an argument that libotr's program does not name; output that cannot be written."""
    del work
    pair = Pair(checks, prefix)
    for program in PROGRAMS + ("otr-keys",):
        status, out, errors = result(pair.ours, program, ("--help",))
        checks.check(f"{program} --help", status == 0 and out.startswith(f"Usage: {program}".encode()) and b"--version" in out
                     and not errors, (status, out, errors))
        status, out, errors = result(pair.ours, program, ("--version",))
        checks.check(f"{program} --version", status == 0 and out.startswith(program.encode() + b" ") and out.count(b"\n") == 1
                     and not errors, (status, out, errors))
    ours = result(pair.ours, "otr_sesskeys", ("00" * 41, "05"))
    libotrs = result(pair.libotrs, "otr_sesskeys", ("00" * 41, "05"))
    checks.equal("otr_sesskeys: a private key that is too long is said to be", ours,
                 (1, b"", b"The private key must be at most 80 hex chars long.\n" + libotrs[2]))
    with open("/dev/full", "wb") as full:
        status, _, errors = result(pair.ours, "otr_mackey", ("00" * 16,), output=full)
        checks.check("a full disk is said to be full", status == 1 and b"cannot be written" in errors, (status, errors))
    with open(os.devnull, "wb") as nothing:
        place = os.open("/", os.O_RDONLY)
        process = start(pair.ours, "otr_parse", (), stdin=place, stdout=nothing, stderr=subprocess.PIPE)
        _, errors = process.communicate(timeout=60)
        os.close(place)
        checks.check("input that cannot be read is said to be that",
                     process.returncode == 1 and b"cannot be read" in errors, errors)
    reading, writing = os.pipe()
    os.close(reading)
    status, _, errors = result(pair.ours, "otr_parse", (), corpus.data_message(2, bytes(20), b"x"), output=writing)
    os.close(writing)
    checks.equal("when nobody reads on, the exit status is that of SIGPIPE in a shell", (status, errors), (141, b""))


def each_message_at_once(checks, prefix, work):
    """otr_parse shows a message when it has come, and not when the pipe is closed."""
    del work
    for directory, whose in ((os.path.join(prefix, "bin"), "ours"), (LIBOTRS, "libotr's")):
        process = start(directory, "otr_parse", (), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        seen = []
        for _ in range(2):
            process.stdin.write(b"text " + corpus.data_message(3, bytes(20), b"x"))
            shown = b""
            while not shown.endswith(b"\n\n"):
                ready, _, _ = select.select([process.stdout], [], [], 10)
                piece = os.read(process.stdout.fileno(), 65536) if ready else b""
                if not piece:
                    break
                shown += piece
            seen.append(shown.startswith(b"Data Message:\n") and shown.endswith(b"\n\n"))
        process.stdin.close()
        checks.equal(f"otr_parse ({whose}) shows each message at once", seen, [True, True])
        checks.equal(f"otr_parse ({whose}) ends with its input", process.wait(timeout=10), 0)
        process.stdout.close()


PARTS = [recorded_conversations, known_keys, arguments_of_every_kind, garbage, where_libotrs_program_crashes,
         what_is_different_on_purpose, each_message_at_once]
