"""Files: how each library reads the same file, what it writes, and how it reads what the other wrote."""

import base64
import os
import re

import compare
from explained import EXPLAINED
from world import Crash, to_hex

PRINT = "0123456789abcdef0123456789ABCDEF01234567"
OTHER = "fedcba9876543210fedcba9876543210fedcba98"

NAMES = [b"", b"with space", b'quote"inside', b"back\\slash", b"(parens)", b"123", b"#hash#", b"|bar|", "Gr\u00fc\u00dfe".encode(),
         b"\xff\xfe", b"\x01\x02", b"a\tb", b"semi;colon", b"x" * 200, b"y" * 1000, b"-", b"a.b/c_d:e*f+g=h", b"0abc", b"bob@example.org/home"]


def line(*fields, end=b"\n"):
    return b"\t".join(f if isinstance(f, bytes) else f.encode() for f in fields) + end


FINGERPRINTS = {
    "plain": line("bob", "alice", "prpl", PRINT),
    "trusted": line("bob", "alice", "prpl", PRINT, "verified"),
    "several": line("bob", "alice", "prpl", PRINT, "smp") + line("bob", "alice", "prpl", OTHER) + line("anna", "alice", "prpl", PRINT)
               + line("zoe", "al", "prpl", PRINT) + line("bob", "alice", "other", PRINT),
    "no last newline": line("bob", "alice", "prpl", PRINT, end=b""),
    "no last newline, trusted": line("bob", "alice", "prpl", PRINT, "verified", end=b""),
    "crlf": line("bob", "alice", "prpl", PRINT, end=b"\r\n") + line("anna", "alice", "prpl", PRINT, "verified", end=b"\r\n"),
    "cr in the middle": line("bob", "alice", "prpl", PRINT, "veri\rfied"),
    "empty": b"",
    "empty lines": b"\n\n" + line("bob", "alice", "prpl", PRINT) + b"\n",
    "comment": b"# comment\n" + line("bob", "alice", "prpl", PRINT),
    "duplicates": line("bob", "alice", "prpl", PRINT, "one") + line("bob", "alice", "prpl", PRINT, "two") + line("bob", "alice", "prpl", PRINT),
    "too few fields": line("bob", "alice", "prpl") + line("bob", "alice") + line("bob") + line("anna", "alice", "prpl", PRINT),
    "too many fields": line("bob", "alice", "prpl", PRINT, "trust", "more", "and more"),
    "empty fields": line("", "", "", PRINT) + line("bob", "", "prpl", PRINT) + line("", "alice", "prpl", PRINT, ""),
    "spaces": line(" bob ", "al ice", " prpl", PRINT, " trusted by me "),
    "utf-8": line("b\u00f6b", "\u0430\u043b\u0438\u0441\u0430", "prpl", PRINT, "gepr\u00fcft"),
    "not utf-8": line(b"b\xffb", b"\xfe", "prpl", PRINT, b"\xff"),
    "short fingerprint": line("bob", "alice", "prpl", PRINT[:-1]) + line("bob", "alice", "prpl", PRINT[:-2]) + line("bob", "alice", "prpl", ""),
    "long fingerprint": line("bob", "alice", "prpl", PRINT + "0") + line("bob", "alice", "prpl", PRINT + "00"),
    "not hex": line("bob", "alice", "prpl", "g" + PRINT[1:]) + line("bob", "alice", "prpl", PRINT[:10] + " " + PRINT[11:]),
    "1000 bytes": line("b" * 900, "alice", "prpl", PRINT) + line("anna", "alice", "prpl", PRINT),
    "998 bytes": line("b" * (998 - 1 - len("alice\tprpl\t") - 41), "alice", "prpl", PRINT) + line("anna", "alice", "prpl", PRINT),
    "999 bytes": line("b" * (999 - 1 - len("alice\tprpl\t") - 41), "alice", "prpl", PRINT) + line("anna", "alice", "prpl", PRINT),
    "a line too long": line("b" * 2000, "alice", "prpl", PRINT) + line("anna", "alice", "prpl", PRINT),
    "a long trust": line("bob", "alice", "prpl", PRINT, "t" * 800),
    "NUL": line(b"b\0b", "alice", "prpl", PRINT) + line("anna", "alice", "prpl", PRINT),
    "quotes": line('"bob"', "'alice'", "prpl", PRINT, '"verified"'),
    "lower and upper": line("bob", "alice", "prpl", PRINT.lower()) + line("bob", "alice", "prpl", PRINT.upper(), "x"),
}

TAGS = {
    "plain": line("alice", "prpl", "00001000"),
    "several": line("alice", "prpl", "00001000") + line("bob", "prpl", "deadbeef") + line("alice", "other", "FFFFFFFF"),
    "comment": b"# WARNING! You shouldn't copy this file to another computer\n" + line("alice", "prpl", "00001000"),
    "no last newline": line("alice", "prpl", "00001000", end=b""),
    "crlf": line("alice", "prpl", "00001000", end=b"\r\n") + line("bob", "prpl", "00002000", end=b"\r\n"),
    "empty": b"",
    "empty lines": b"\n\n" + line("alice", "prpl", "00001000") + b"\n",
    "too small": line("alice", "prpl", "000000ff") + line("bob", "prpl", "00000100") + line("carl", "prpl", "00000000"),
    "short": line("alice", "prpl", "1000") + line("bob", "prpl", "1234567") + line("carl", "prpl", ""),
    "long": line("alice", "prpl", "000010000") + line("bob", "prpl", "123456789a"),
    "not hex": line("alice", "prpl", "0000100g") + line("bob", "prpl", " 0001000") + line("carl", "prpl", "0x001000"),
    "too few fields": line("alice", "prpl") + line("alice") + line("bob", "prpl", "00001000"),
    "too many fields": line("alice", "prpl", "00001000", "more"),
    "duplicates": line("alice", "prpl", "00001000") + line("alice", "prpl", "00002000"),
    "odd names": line("", "", "00001000") + line(" a ", "p q", "00002000") + line("\u00fc", b"\xff", "00003000") + line('"q"', "'", "00004000"),
    "1000 bytes": line("a" * 900, "prpl", "00001000") + line("bob", "prpl", "00002000"),
    "too long": line("a" * 2000, "prpl", "00001000") + line("bob", "prpl", "00002000"),
}

KEYS_HEAD = b"(privkeys\n"
ACCOUNT = b'(account (name "x") (protocol p) (private-key (dsa (p #00%s#) (q #%s#) (g #02#) (y #04#) (x #02#))))' % (b"C1" * 128, b"D1" * 20)
KEYS = {
    "empty": b"",
    "no keys": b"(privkeys)",
    "no keys, spaces": b" ( privkeys \n ) \n",
    "not privkeys": b"(something)",
    "unclosed": b"(privkeys",
    "text": b"hello",
    "two lists": b"(privkeys)(privkeys)",
    "account without anything": b"(privkeys (account))",
    "account without a key": b"(privkeys (account (name x) (protocol p)))",
    "account without a name": b"(privkeys (account (protocol p) (private-key (dsa (p #03#)))))",
    "account without a protocol": b"(privkeys (account (name x) (private-key (dsa (p #03#)))))",
    "another algorithm": b"(privkeys (account (name x) (protocol p) (private-key (rsa (n #03#) (e #03#)))))",
    "an unknown field": b"(privkeys (foo bar) )",
    "parameters missing": b"(privkeys (account (name x) (protocol p) (private-key (dsa (p #03#) (q #03#)))))",
    "NUL": b"(privkeys\0)",
    "binary": bytes(range(256)),
    "bad hex": b"(privkeys (account (name #0g#)))",
    "bad quote": b'(privkeys (account (name "x)))',
    "too many brackets": b"(privkeys))",
}


class Files:
    """The same steps on both libraries, each in a directory of its own."""

    def __init__(self, tally, pool):
        self.tally, self.pool = tally, pool
        self.place = pool.directory / f"files.{os.getpid()}"
        self.place.mkdir(exist_ok=True)

    def ask(self, library, *words):
        driver = self.pool.drivers[library]
        try:
            return driver.ask(" ".join(map(str, words)))
        except Crash as crash:
            return [f"> {crash}"]

    def fresh(self, library):
        self.ask(library, "reset")
        self.ask(library, "user 0 alice 7")
        return self.pool.drivers[library]

    def rewritten(self, library, content, read, write):
        """What this library answers when it reads this, and the file that it then writes."""
        source, target = self.place / "in", self.place / f"out.{library}"
        source.write_bytes(content)
        target.unlink(missing_ok=True)
        self.fresh(library)
        answer = [a for a in self.ask(library, "files 0", read, source) if not a.startswith("ctx")]
        answer += self.ask(library, "files 0", write, target)[:1]
        return answer, target.read_bytes() if target.exists() else None

    def table(self, what, cases, read, write):
        for name, content in cases.items():
            real, real_file = self.rewritten("real", content, read, write)
            ours, our_file = self.rewritten("ours", content, read, write)
            answers = [a for a in real if not a.startswith("cb")] == [a for a in ours if not a.startswith("cb")]
            same = answers and real_file == our_file
            self.tally.ok(same or explained(f"{what}: {name}", real, ours, real_file, our_file), f"{what}: {name}",
                          f"  - {real} {real_file!r}\n  + {ours} {our_file!r}"[:3000])
            for reader, file in (("real", our_file), ("ours", real_file)):
                if same and file is not None:
                    once, again = self.rewritten(reader, file, read, write)
                    twice, again_too = self.rewritten("real" if reader == "ours" else "ours", file, read, write)
                    self.tally.ok(again == again_too, f"{what}: {name}, what one wrote and {reader} read and wrote",
                                  f"  {once} {again!r}\n  {twice} {again_too!r}"[:2000])

    def key_errors(self):
        for name, content in KEYS.items():
            answers = []
            for library in ("real", "ours"):
                source = self.place / "in"
                source.write_bytes(content)
                self.fresh(library)
                answers.append(self.ask(library, "files 0 readkeys", source))
            self.tally.ok(answers[0] == answers[1] or explained(f"keys: {name}", *answers, None, None), f"keys: {name}",
                          f"  - {answers[0]}\n  + {answers[1]}"[:1500])
        for name, path in (("no file", self.place / "nothing"), ("a directory", self.place), ("a device", "/dev/null")):
            # What libotr answers for keys in an empty device is left over from an earlier call.
            for read in ("readkeys", "readprints", "readtags")[name == "a device":]:
                answers = []
                for library in ("real", "ours"):
                    self.fresh(library)
                    answers.append(self.ask(library, "files 0", read, path))
                self.tally.ok(answers[0] == answers[1], f"{read}: {name}", f"  - {answers[0]}\n  + {answers[1]}")

    def odd_keys(self):
        """Keys of accounts with odd names: made by ours, rewritten by each when it makes one more."""
        path = self.place / "keys"
        self.fresh("ours")
        for name in NAMES:
            self.ask("ours", "files 0 generate", path, to_hex(name), to_hex(b"p " + name[:20]))
        made = path.read_bytes()
        files, lists = {}, {}
        for library in ("real", "ours"):
            self.fresh(library)
            answer = self.ask(library, "files 0 readkeys", path)
            lists[library] = [a for a in answer if a.startswith(("us", "ret"))]
            target = self.place / f"keys.{library}"
            self.ask(library, "files 0 generate", target, to_hex("one more"), to_hex("p"))
            files[library] = target.read_bytes() if target.exists() else b""
        self.tally.ok(lists["real"] == lists["ours"] and len(NAMES) == made.count(b"(account"), "keys of accounts with odd names are read",
                      f"  - {lists['real']}\n  + {lists['ours']}"[:3000])
        cut = {library: accounts(data) for library, data in files.items()}
        self.tally.ok(cut["real"] == cut["ours"] and len(cut["ours"]) == len(NAMES), "and written again byte for byte",
                      f"  - {files['real'][:300]!r}\n  + {files['ours'][:300]!r}")
        # Each reads what the other has written, with the other's new key.
        for library, other in (("real", "ours"), ("ours", "real")):
            self.fresh(library)
            answer = self.ask(library, "files 0 readkeys", self.place / f"keys.{other}")
            self.tally.ok("ret readkeys err=0" in answer and any("keys=one more/p/" in a or ",one more/p/" in a for a in answer),
                          f"{library} reads the key file of {other}", str(answer)[:1000])

    def key_forms(self):
        """A key file in every form that an S-expression can have, as each reads it; and, for some, as each writes it again."""
        whole = self.pool.key("alice", 0).read_bytes()
        account = whole[whole.index(b"(account"):whole.rindex(b")")]
        name = re.search(rb"\(name [^)]*\)", whole)[0]
        forms = {
            "as it is": whole,
            "crlf": whole.replace(b"\n", b"\r\n"),
            "no last newline": whole.rstrip(b"\n"),
            "one line": whole.replace(b"\n", b" "),
            "tabs": whole.replace(b" ", b"\t"),
            "something after it": whole + b"(more)",
            "text after it": whole + b"# comment\n",
            "a comment before it": b"; comment\n" + whole,
            "an account twice": whole.replace(account, account + account),
            "an account with another name": whole.replace(account, account + account.replace(name, b"(name other)")),
            "an unknown field of the file": whole.replace(account, b"(unknown field)" + account),
            "an unknown field of the account": whole.replace(name, name + b"(unknown field)"),
            "an unknown field of the key": whole.replace(b"(dsa", b"(dsa (unknown #01#)"),
            "the key first": re.sub(rb"(\(name [^)]*\))(.*?)(\(private-key.*?\)\s*\)\s*\))", rb"\3\2\1", whole, count=1, flags=re.S),
            "small digits": re.sub(rb"#[0-9A-F]+#", lambda m: m[0].lower(), whole),
            "digits apart": re.sub(rb"#([0-9A-F]{20})", rb"#\1\n  ", whole),
            "base64": re.sub(rb"#([0-9A-F]+)#", lambda m: b"|" + base64.b64encode(bytes.fromhex(m[1].decode())) + b"|", whole),
        }
        names = {"a quoted name": b'"alice"', "a name in hex": b"#616c696365#", "a name in base64": b"|YWxpY2U=|", "a name with its length": b"5:alice",
                 "an escaped name": b'"al\\x69ce"', "an octal name": b'"al\\151ce"', "a name with a NUL": b"#616c00#", "a UTF-8 name": "\u00fc".encode(),
                 "a quoted UTF-8 name": '"\u00fc"'.encode(), "no name": b'""', "a long name": b'"' + b"x" * 1000 + b'"'}
        for what, form in names.items():
            forms[what] = whole.replace(name, b"(name " + form + b")")
        for what, content in forms.items():
            answers = []
            for library in ("real", "ours"):
                source = self.place / "in"
                source.write_bytes(content)
                self.fresh(library)
                answer = self.ask(library, "files 0 readkeys", source) + self.ask(library, "keys 0 print")
                target = self.place / f"out.{library}"
                target.unlink(missing_ok=True)
                if what in ("crlf", "base64", "an account twice", "an unknown field of the key"):
                    self.ask(library, "files 0 generate", target, to_hex("one more"), to_hex("p"))
                answers.append((answer, accounts(target.read_bytes()) if target.exists() else None))
            self.tally.ok(answers[0] == answers[1] or explained(f"keys: {what}", *answers, None, None), f"keys: {what}",
                          f"  - {answers[0]}\n  + {answers[1]}"[:2500])

    def odd_prints(self):
        """Fingerprints of people with odd names, which each has in memory and writes; the other reads and writes them again."""
        names = [n for n in NAMES if b"\t" not in n and len(n) < 900]
        for what, known in (("odd names", [(n, b"alice", b"prpl", b"verified") for n in names]),
                            ("odd accounts", [(b"bob", n, b"prpl", b"") for n in names]),
                            ("odd protocols", [(b"bob", b"alice", n, None) for n in names]),
                            ("odd trust", [(b"bob%d" % i, b"alice", b"prpl", n) for i, n in enumerate(names)]),
                            ("names that cannot be read back", [(n, b"alice", b"prpl", None) for n in (b"a\tb", b"y" * 1000, b"a\nb", b"bob")])):
            files = {}
            for library in ("real", "ours"):
                self.fresh(library)
                for number, (name, account, protocol, trust) in enumerate(known):
                    self.ask(library, "files 0 knowprint -", to_hex(name), to_hex(account), to_hex(protocol),
                             f"{number:02x}" * 20, to_hex(trust))
                path = self.place / f"prints.{library}"
                path.unlink(missing_ok=True)
                self.ask(library, "files 0 writeprints", path)
                files[library] = path.read_bytes()
            good = files["real"] == files["ours"]
            self.tally.ok(good or explained(f"fingerprints: {what}", None, None, *files.values()), f"fingerprints in memory: {what}",
                          f"  - {files['real']!r}\n  + {files['ours']!r}"[:3000])
            for library, other in (("real", "ours"), ("ours", "real")) if good else ():
                again = self.rewritten(library, files[other], "readprints", "writeprints")[1]
                back = self.rewritten(other, again, "readprints", "writeprints")[1]
                self.tally.ok(back == files[other], f"fingerprints in memory: {what}, read and written by {library} and by {other} again",
                              f"  - {files[other]!r}\n  + {back!r}"[:2000])

    def odd_tags(self):
        """Tags of accounts with odd names, made and written by each."""
        files = {}
        for library in ("real", "ours"):
            self.fresh(library)
            path = self.place / f"tags.{library}"
            for name in NAMES:
                # Names that libotr cannot read back are left out.
                if b"\t" not in name and len(name) < 900:
                    self.ask(library, "files 0 maketag", path, to_hex(name), to_hex("prpl"))
            files[library] = path.read_bytes()
        self.tally.ok(files["real"] == files["ours"], "tags of accounts with odd names", f"  - {files['real']!r}\n  + {files['ours']!r}"[:3000])


def accounts(data):
    """The accounts in a key file, without the one that was made last."""
    blocks = data.split(b" (account\n")
    return [b.removesuffix(b")\n") for b in blocks if b"one more" not in b and not b.startswith(b"(privkeys")]


def explained(name, real, ours, real_file, our_file):
    """The entry of the allow-list for this file, if there is one."""
    del real, ours, real_file, our_file
    for entry in EXPLAINED:
        if entry.scenarios and compare.re.fullmatch(entry.scenarios, name):
            entry.used += 1
            return entry
    return None


def run(tally, pool):
    files = Files(tally, pool)
    files.table("fingerprints", FINGERPRINTS, "readprints", "writeprints")
    files.table("tags", TAGS, "readtags", "writetags")
    files.key_errors()
    files.key_forms()
    files.odd_prints()
    files.odd_tags()
    files.odd_keys()
    for path in files.place.iterdir():
        path.unlink()
    files.place.rmdir()
