"""A message as one line: everything that is not random, and the length of the rest."""

import base64
import re
import struct

TAG_BASE = b" \t  \t\t\t\t \t \t \t  "
TAGS = {b" \t \t  \t ": "v1", b"  \t\t  \t ": "v2", b"  \t\t  \t\t": "v3"}


class Short(Exception):
    """The message ends too soon."""


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise Short
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def block(self):
        return self.take(self.number(4))

    def rest(self):
        return self.data[self.at:]


def text(data):
    """Text in which the whitespace tags are named."""
    out = repr(data)[1:]
    at = data.find(TAG_BASE)
    if at >= 0:
        end, found = at + 16, []
        while data[end:end + 8] in TAGS:
            found.append(TAGS[data[end:end + 8]])
            end += 8
        out = repr(data[:at])[1:] + f" tag[{' '.join(found)}] " + repr(data[end:])[1:]
    return out


def armoured(message):
    """The bytes inside the armour, or None."""
    if not message.startswith(b"?OTR:") or b"." not in message:
        return None
    inner = message[5:message.index(b".")]
    try:
        return base64.b64decode(inner, validate=True)
    except ValueError:
        return None


def encoded(data):
    """The fields of an encoded message."""
    r = Reader(data)
    version, kind = r.number(2), r.number(1)
    out = f"v{version} "
    if version == 3:
        out += f"from={r.number(4):x} to={r.number(4):x} "
    if kind == 0x02:
        out += f"dh-commit encgx={len(r.block())} hashgx={len(r.block())}"
    elif kind == 0x0a:
        if version == 1:
            out += f"key-exchange reply={r.number(1)}"
            for name in "pqge":
                out += f" {name}={len(r.block())}"
            out += f" keyid={r.number(4)} y={len(r.block())} sig={len(r.take(40))}"
        else:
            out += f"dh-key gy={len(r.block())}"
    elif kind == 0x11:
        out += f"reveal-sig r={len(r.block())} sig={len(r.block())} mac={len(r.take(20))}"
    elif kind == 0x12:
        out += f"signature sig={len(r.block())} mac={len(r.take(20))}"
    elif kind == 0x03:
        out += "data"
        if version > 1:
            out += f" flags={r.number(1)}"
        out += f" sender={r.number(4)} recipient={r.number(4)} y={len(r.block())} ctr={r.take(8).hex()}"
        out += f" text={len(r.block())} mac={len(r.take(20))} revealed={len(r.block())}"
    else:
        out += f"type={kind:x}"
    if r.rest():
        out += f" rest={len(r.rest())}"
    return out


def describe(message):
    """One line for a message as it goes over the wire; None is NULL."""
    if message is None:
        return "NULL"
    piece = re.match(rb"\?OTR(\|[0-9a-fA-F]+\|[0-9a-fA-F]+)?,(\d+),(\d+),([^,]*),$", message, re.S)
    if piece:
        head, number, count, body = piece.groups()
        body_text = "armour" if re.fullmatch(rb"[A-Za-z0-9+/=?:.]*", body) else text(body)
        return f"fragment {(head or b'').decode()} {number.decode()}/{count.decode()} {body_text} {len(body)} of {len(message)}"
    data = armoured(message)
    if data is None and len(message) > 100 and b"?OTR" in message:
        # The letters are random, what does not belong there is not.
        return "like " + re.sub(r"[A-Za-z0-9+/]{20,}", lambda m: f"{{{len(m[0])}}}", text(message))
    if data is None:
        return text(message) if len(message) < 2000 else f"{len(message)} bytes {text(message[:60])}"
    after = message[message.index(b".") + 1:]
    try:
        out = encoded(data)
    except (Short, struct.error):
        out = f"cut off, {len(data)} bytes"
    return f"[{out}]" + (f" and {text(after)}" if after else "")
