"""otr-keys, with files of libotr, potr and otr.js; libotr itself reads the files that it writes."""

import ctypes
import hashlib
import json
import os
import shutil
import stat
import tempfile
from pathlib import Path

import corpus
from six_programs import result

DATA = corpus.ROOT / "tests" / "data"
STORE, OTR_JS = DATA / "store", DATA / "otr.js"


def human(digits):
    """A fingerprint as clients show it."""
    return " ".join(digits[start:start + 8] for start in range(0, 40, 8)).upper()


class Libotr:
    """Debian's libotr, asked what is in files."""

    def __init__(self):
        self.library = ctypes.CDLL("libotr.so.5")
        self.library.otrl_init(4, 1, 1)
        self.library.otrl_userstate_create.restype = ctypes.c_void_p
        self.library.otrl_privkey_fingerprint.restype = ctypes.c_char_p
        self.library.otrl_privkey_fingerprint.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p]

    def state(self):
        """A new user state."""
        return ctypes.c_void_p(self.library.otrl_userstate_create())

    def fingerprint(self, path, account, protocol):
        """The fingerprint of an account in a key file."""
        us = self.state()
        if self.library.otrl_privkey_read(us, str(path).encode()):
            return "it does not read it"
        space = ctypes.create_string_buffer(45)
        found = self.library.otrl_privkey_fingerprint(us, space, account, protocol)
        return found.decode() if found else "it has none"

    def rewritten(self, path, what):
        """The lines of a fingerprint or instance tag file, read and written by libotr."""
        us, out = self.state(), f"{path}.libotr"
        read, write = {"fingerprints": ("otrl_privkey_read_fingerprints", "otrl_privkey_write_fingerprints"),
                       "tags": ("otrl_instag_read", "otrl_instag_write")}[what]
        if getattr(self.library, read)(us, str(path).encode(), *([None, None] if what == "fingerprints" else [])):
            return "it does not read it"
        if getattr(self.library, write)(us, out.encode()):
            return "it does not write it"
        return sorted(Path(out).read_bytes().splitlines())


class Keys:
    """otr-keys in a directory of its own."""

    def __init__(self, checks, prefix, work):
        self.checks = checks
        self.program = os.path.join(prefix, "bin")
        self.place = Path(tempfile.mkdtemp(dir=work))
        self.libotr = Libotr()

    def path(self, name, contents=None, mode=0o600):
        """A file there."""
        path = self.place / name
        if contents is not None:
            path.write_bytes(contents)
            path.chmod(mode)
        return path

    def run(self, *arguments, given=b""):
        """Exit status, output and errors."""
        return result(self.program, "otr-keys", [str(argument) for argument in arguments], given)

    def good(self, what, *arguments, given=b""):
        """Counts one check, that it succeeds without a word of complaint; returns its output."""
        status, out, errors = self.run(*arguments, given=given)
        self.checks.check(f"otr-keys: {what}", status == 0 and not errors, (status, out, errors))
        return out.decode("utf-8", "surrogateescape")

    def bad(self, what, sentence, *arguments, given=b""):
        """Counts one check, that it fails and says this."""
        status, out, errors = self.run(*arguments, given=given)
        self.checks.check(f"otr-keys: {what}", status == 1 and sentence.encode() in errors, (status, out, errors))
        return out

    def equal(self, what, found, expected):
        """Counts one check."""
        self.checks.equal(f"otr-keys: {what}", found, expected)


def potr_key():
    """A key file of potr, the key's fingerprint, and its secret in hexadecimal digits."""
    potr_peer = corpus.potr_peer
    potr_peer.install()
    key = potr_peer.PotrPeer.key or potr_peer.Key.generate()
    secret = key.x.to_bytes((key.x.bit_length() + 7) // 8, "big")
    return key.serializePrivateKey(), key.cfingerprint(), secret.hex()


def listing_keys(checks, prefix, work):
    """What is shown of each kind of file, and what is not."""
    keys = Keys(checks, prefix, work)
    prints = (STORE / "private_keys.fingerprints").read_text().split()
    private = keys.path("otr.private_key", (STORE / "private_keys").read_bytes())
    lines = keys.good("list of private keys", "list", private).splitlines()
    keys.equal("list shows each key", [line.split("\t")[-1] for line in lines], [human(line) for line in prints])
    keys.equal("names do not break lines", lines[0].split("\t")[:3], ["key", "tab\\there\\nnewline", "IRC"])
    shown = keys.good("fingerprints", "fingerprints", private).splitlines()
    keys.equal("fingerprints come first", [line.split("\t")[0] for line in shown], [human(line) for line in prints])

    packed, fingerprint, secret = potr_key()
    potr = keys.path("me.key3", packed)
    for name, path, digits in (
        ("potr", potr, fingerprint),
        ("otr.js, packed", OTR_JS / "packed", (OTR_JS / "fingerprint").read_text().strip()),
        ("otr.js, JSON", OTR_JS / "key.json", (OTR_JS / "fingerprint").read_text().strip())):
        keys.equal(f"a key of {name}", keys.good(f"list {name}", "list", path), f"key\t-\t-\t{human(digits)}\n")
    quoted = keys.path("quoted.json", json.dumps((OTR_JS / "packed").read_text().strip()).encode())
    keys.equal("a packed key in quotes", keys.good("list quoted", "list", quoted),
               keys.good("list packed", "list", OTR_JS / "packed"))
    keys.equal("standard input", keys.good("list -", "list", "-", given=packed), keys.good("list", "list", potr))

    # No part of any number is seen unless it is asked for.
    for command in (
        ("list", potr),
        ("fingerprints", potr),
        ("check", potr),
        ("convert", potr, keys.path("new"),
         "--account", "a", "--protocol", "p")):
        _, out, errors = keys.run(*command)
        checks.check(f"otr-keys {command[0]} keeps the private key to itself",
                     secret.encode() not in (out + errors).lower())
    shown = keys.good("list --private", "list", "--private", potr)
    checks.check("otr-keys list --private shows it", f"\tx\t{secret}\n" in shown, shown)

    fingerprints = keys.good("list of fingerprints", "list", STORE / "fingerprints").splitlines()
    keys.equal(
        "fingerprints are shown", fingerprints[2],
        f"fingerprint\tZoe space\talice\tirc\t{human('00' * 19 + 'ac')}\ttwo words")
    tags = keys.good("list of instance tags", "list", STORE / "instance_tags").splitlines()
    keys.equal("instance tags are shown", tags[2], "tag\tb\u00fcrger with space\tprpl-irc\tcf17c780")
    escape = keys.path("escape", b"\x1b[2J\xff\xe2\x80\xae\tb\tc\t" + b"0" * 40 + b"\t\n")
    checks.check("otr-keys shows no control characters", keys.good("list of odd names", "list", escape).startswith(
        "fingerprint\t\\u{1b}[2J\\xff\\u{202e}\tb\tc\t"), keys.run("list", escape))


def checking_keys(checks, prefix, work):
    """What is wrong with files."""
    keys = Keys(checks, prefix, work)
    whole = (STORE / "private_keys").read_bytes()
    for name, contents in (
        ("private", whole),
        ("potr", potr_key() [0]),
        ("otr.js", (OTR_JS / "packed").read_bytes()),
        ("fingerprints", b"a\tb\tc\t" +b"1" * 40 +b"\tsmp\n# comment\n\n"),
        ("tags", (STORE / "instance_tags").read_bytes())):
        checks.check(f"otr-keys check: {name} is good", keys.good(f"check {name}",
                     "check", keys.path(name, contents)).endswith("good\n"))
    cut = keys.path("cut", whole[:-40])
    keys.bad("a piece of a key file", "it is damaged", "check", cut)
    lost = keys.path("lost", whole.replace(b"(protocol IRC)", b"(protoco1 IRC)", 1))
    keys.bad("an account without its protocol", "it is damaged", "check", lost)
    numbers = whole.split(b"(x #", 2)
    other = numbers[0] + b"(x #" + numbers[1].replace(numbers[1][:8], b"00000001", 1) + b"(x #" + numbers[2]
    keys.bad("another private half", "its halves do not belong together", "check", keys.path("other", other))
    twice = keys.path("twice", whole[:-2] + whole[len(b"(privkeys\n"):])
    keys.bad("accounts that are there twice", "is there more than once", "check", twice)
    keys.bad("a key that others may read", "others may read or write it", "check", keys.path("open", whole, 0o644))
    keys.bad("a line that is none", "line 2 cannot be read", "check", keys.path("l", b"a\tb\tc\t" + b"1" * 40 + b"\t\nx\ty\n"))
    keys.bad("a digit that is none", "line 1 cannot be read", "check", "--type",
             "fingerprints", keys.path("l", b"a\tb\tc\t" + b"g" * 40 + b"\t\n"))
    keys.bad("a line without an end", "line 2 has no end", "check", keys.path(
                 "l", b"a\tb\tc\t" +b"1" * 40 +b"\t\nd\tb\tc\t" +b"1" * 40))
    keys.bad("a fingerprint that is there twice", "more than once", "check",
             keys.path("l", (b"a\tb\tc\t" + b"1" * 40 + b"\t\n") * 2))
    keys.bad("two tags", "more than one instance tag", "check", keys.path("l", b"a\tb\t00000100\na\tb\t00000101\n"))
    keys.bad("a tag that is too small", "line 2 cannot be read", "check", keys.path("l", b"a\tb\t00000100\nd\tb\t000000ff\n"))
    keys.bad("nothing of what is known", "it holds no keys", "check", keys.path("l", b"some text\n"))
    keys.bad("no file", "cannot be read: No such file", "check", keys.place / "nowhere")
    keys.bad("a piece of a key of potr", "it holds no key of this kind",
             "check", "--type", "potr-key", keys.path("l", potr_key()[0][:-1]))
    out = keys.bad("one bad file of two", "it is damaged", "check", cut, keys.path("private"))
    checks.check("otr-keys check: the other one gets its turn", b"private: private keys, 8 in all, good\n" in out, out)
    for arguments in (
        (),
        ("frobnicate",),
        ("list",),
        ("list", "--frobnicate", "x"),
        ("convert", "x"),
        ("list", "--type", "x", "y")):
        keys.bad(f"usage {arguments}", "Usage: otr-keys COMMAND", *arguments)


def copying_keys(checks, prefix, work):
    """Backups, and putting them back."""
    keys = Keys(checks, prefix, work)
    whole = (STORE / "private_keys").read_bytes()
    private = keys.path("otr.private_key", whole, 0o640)
    keys.good("backup", "backup", private)
    copy = keys.path("otr.private_key.backup")
    keys.equal("a backup holds the same", copy.read_bytes(), whole)
    keys.equal("a backup is private", stat.S_IMODE(copy.stat().st_mode), 0o600)
    keys.bad("a backup that is there", "it is there already", "backup", private)
    keys.good("backup with a name", "backup", private, keys.path("copy"))
    keys.equal("it has that name", keys.path("copy").read_bytes(), whole)
    damaged = keys.path("damaged", whole[:-40])
    keys.bad("a damaged file is copied, and said to be damaged", "it was copied as it is", "backup", damaged)
    keys.equal("it was copied", keys.path("damaged.backup").read_bytes(), whole[:-40])

    private.write_bytes(whole[:-40])
    keys.good("restore", "restore", copy, private)
    keys.equal("a file is restored", private.read_bytes(), whole)
    keys.equal("it is private", stat.S_IMODE(private.stat().st_mode), 0o600)
    keys.equal("what was there is kept", keys.path("otr.private_key.backup.1").read_bytes(), whole[:-40])
    keys.equal("the backup stays", copy.read_bytes(), whole)
    keys.bad("a damaged backup", "nothing was changed", "restore", damaged, private)
    keys.bad("a backup of another kind",
             "nothing was changed: it holds private keys", "restore", STORE / "fingerprints", private)
    keys.equal("neither changed anything", private.read_bytes(), whole)
    keys.good("restore where nothing is", "restore", copy, keys.path("anew"))
    keys.equal("it is there", keys.path("anew").read_bytes(), whole)
    keys.equal("nothing else is left behind", [name for name in os.listdir(keys.place) if name.startswith(".")], [])


def converting_keys(checks, prefix, work):
    """Keys of potr and otr.js, and files of libotr, into files that libotr reads."""
    keys = Keys(checks, prefix, work)
    packed, fingerprint, _ = potr_key()
    potr, target = keys.path("me.key3", packed), keys.path("otr.private_key")
    keys.bad("a key without an owner", "give --account and --protocol", "convert", potr, target)
    keys.good("potr to libotr", "convert", potr, target, "--account", "me@here", "--protocol", "prpl-jabber")
    keys.equal("libotr reads potr's key", keys.libotr.fingerprint(target, b"me@here", b"prpl-jabber"), human(fingerprint))
    keys.equal("the new file is private", stat.S_IMODE(target.stat().st_mode), 0o600)
    expected = human((OTR_JS / "fingerprint").read_text().strip())
    for name in ("packed", "key.json"):
        keys.good(f"otr.js to libotr, {name}", "convert", OTR_JS / name, target, "--account=js " + name, "--protocol", "irc")
        keys.equal(f"libotr reads otr.js' {name}", keys.libotr.fingerprint(target, b"js " + name.encode(), b"irc"), expected)
    keys.equal("the other keys are still there", keys.libotr.fingerprint(
        target, b"me@here", b"prpl-jabber"), human(fingerprint))
    before = target.read_bytes()
    keys.good("the same key again", "convert", OTR_JS / "packed", target, "--account=js packed", "--protocol", "irc")
    keys.equal("it changes nothing", target.read_bytes(), before)
    keys.bad("another key for an account", "has another key", "convert",
             potr, target, "--account=js packed", "--protocol", "irc")
    keys.bad("private keys on standard output", "with --private only", "convert", STORE / "private_keys", "-")
    keys.equal("private keys as they were", keys.good("convert to -", "convert", STORE / "private_keys",
               "-", "--private").encode("utf-8", "surrogateescape"), (STORE / "private_keys").read_bytes())
    keys.good("libotr to libotr", "convert", STORE / "private_keys", target)
    keys.equal("eleven keys", len(keys.good("list", "list", target).splitlines()), 11)
    keys.bad("fingerprints into keys", "nothing was changed: it holds private keys", "convert", STORE / "fingerprints", target)
    keys.bad("a damaged target", "nothing was changed: it is damaged", "convert",
             potr, keys.path("cut", before[:-9]), "--account=a", "--protocol=b")
    keys.equal("it is as it was", keys.path("cut").read_bytes(), before[:-9])

    digits = hashlib.sha1(b"somebody").hexdigest()
    fpr = keys.path("me.fpr", f"bob@there\tme@here\txmpp\t{digits}\tsmp\r\n".encode())
    target = keys.path("otr.fingerprints")
    keys.good("potr's fingerprints", "convert", fpr, target, "--protocol", "prpl-jabber")
    line = f"bob@there\tme@here\tprpl-jabber\t{digits}\tsmp".encode()
    keys.equal("libotr reads potr's fingerprints", keys.libotr.rewritten(target, "fingerprints"), [line])
    keys.good("libotr's fingerprints", "convert", STORE / "fingerprints", target)
    keys.equal("libotr reads them all", line in keys.libotr.rewritten(target, "fingerprints"), True)
    keys.equal("as many as there were", len(keys.libotr.rewritten(target, "fingerprints")),
               len((STORE / "fingerprints").read_bytes().splitlines()) + 1)
    target = keys.path("otr.instance_tags")
    shutil.copy(STORE / "instance_tags", target)
    keys.good("a new account's tag", "convert", keys.path("tags", b"me\tprpl-jabber\t12345678\n"), target)
    keys.equal("libotr reads it", b"me\tprpl-jabber\t12345678" in keys.libotr.rewritten(target, "tags"), True)
    keys.bad("another tag", "has another instance tag", "convert", keys.path("tags", b"me\tprpl-jabber\t12345679\n"), target)
    keys.equal("no copies are left, as nothing was lost",
               [name for name in os.listdir(keys.place) if "backup" in name], [])
    noted = keys.path("noted", b"# a note\na\tb\tc\t" + b"1" * 40 + b"\tsmp\n")
    keys.good("into a file with a comment", "convert", fpr, noted)
    keys.equal("a copy has the comment", keys.path("noted.backup").read_bytes().splitlines()[0], b"# a note")
    keys.bad("a name with a newline", "a name has a tab or a newline in it",
             "convert", fpr, keys.path("new"), "--account", "a\nb")
    checks.check("otr-keys: it made no file", not keys.path("new").exists())


PARTS = [listing_keys, checking_keys, copying_keys, converting_keys]
