"""Checks of the exported functions and of the public structs as the Rust sources have them. Nothing else would find a wrong
argument there, because the linker only checks names.

rustc expands the macros of the sources, cbindgen makes a C header of that (rust-header/), and gcc compares its types with those
of the headers and of the reference. For gcc, an enumeration is only compatible with the integer type that represents it."""

import os
import re
from dataclasses import dataclass

from facts import HELPERS
from headers import assertions
from subject import ROOT, Problems, command_output

# Where Rust has another name, or another form, than C, and why. What stands behind a name is compared as well; only of the
# opaque types, of which nothing but pointers crosses the border, and of the atomic number this table has the last word.
TYPES = {
    "Mpi": ("struct gcry_mpi", "opaque: what libgcrypt's pointers point at is libgcrypt's, or an object of ours"),
    "Sexp": ("struct gcry_sexp", "opaque, likewise"),
    "Cipher": ("struct gcry_cipher_handle", "opaque, likewise"),
    "Digest": ("struct gcry_md_handle", "opaque, likewise"),
    "const AtomicU32": ("unsigned int", "a number that the library writes, in a static of Rust"),
    "GcryError": ("gcry_error_t", "a struct of one number in Rust, marked transparent"),
    "UserState": ("struct s_OtrlUserState", "a name of C for the pointer alone, OtrlUserState"),
    "DhKeypair": ("DH_keypair", "Rust writes names of types so"),
    "DhSesskeys": ("DH_sesskeys", "likewise"),
    "OtrlInstag": ("otrl_instag_t", "likewise"),
    "OtrlSmpEvent": ("OtrlSMPEvent", "likewise"),
    "OtrlSmProgState": ("OtrlSMProgState", "likewise"),
    "NextExpectedSmp": ("NextExpectedSMP", "likewise"),
}
MEMBERS = {
    "next_expected": ("nextExpected", "Rust writes names of members so"),
    "tlv_type": ("type", "a keyword of Rust"),
    "private_": ("priv", "an abbreviation; cbindgen adds the line, since the word is one of C++"),
    "public_": ("pub", "a keyword of Rust; likewise"),
    "mark0": (None, "padding in C, by which the library knows its own blocks"),
    "mark1": (None, "likewise"),
    "mark2": (None, "likewise"),
    "mark3": (None, "likewise"),
}
# The reference's tags of structs that are not s_ and the name.
TAGS = {"ConnContext": "context", "ConnContextPriv": "context_priv", "Fingerprint": "s_fingerprint",
        "struct s_OtrlUserState": "s_OtrlUserState"}

TARGET = os.path.join(os.path.abspath(os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target")), "abi-check")


@dataclass
class Header:
    """What cbindgen's header declares: C code by name, with the names of C for the types."""

    functions: dict
    objects: dict
    structs: dict
    aliases: dict
    # Rust's names for types of function pointers, of which C has none.
    callbacks: str


def as_c(text):
    """C code with the names of C for the types."""
    for rust, (name, _) in TYPES.items():
        text = re.sub(rf"\b{rust}\b", name, text)
    return text


def read(text):
    """Takes cbindgen's header apart."""
    numbers = dict(re.findall(r"^#define (\w+) (\d+)$", text, re.M))
    text = as_c(re.sub(r"\[([A-Z]\w*)\]", lambda length: f"[{numbers[length[1]]}]", text))
    bodies = re.findall(r"^typedef struct \{\n(.*?)^\} ([\w ]+);", text, re.M | re.S)
    return Header(
        functions={name: line for line, name in re.findall(r"^((?!typedef|extern)\w.*?\b(\w+)\(.*\);)$", text, re.M)},
        objects={name: kind for kind, name in re.findall(r"^extern ([^()]*)\b(\w+);$", text, re.M)},
        structs={name: body for body, name in bodies if "opaque[0]" not in body},
        aliases={name: kind for kind, name in re.findall(r"^typedef ([^{}()\n]*\W)(\w+);$", text, re.M)},
        callbacks="".join(re.findall(r"^typedef .*\(\*\w+\)\(.*;\n", text, re.M)))


def expanded(abi, problems):
    """This project's sources in one text, without macros."""
    # A stable compiler expands as well, but does not promise that the form stays: hence RUSTC_BOOTSTRAP.
    return problems.runs(["cargo", "rustc", "--lib", "--locked", "--quiet", "--profile", "check", "--no-default-features",
                          "--features", f"abi{abi}", "--target-dir", TARGET, "--", "-Zunpretty=expanded"],
                         cwd=ROOT, env=dict(os.environ, RUSTC_BOOTSTRAP="otr"), timeout=500)


def header(subject):
    """cbindgen's header of the sources, and why there is none. It is made once."""
    if subject.rust_header is None:
        problems = Problems()
        source = subject.rust or subject.write("expanded.rs", expanded(subject.interface.abi, problems))
        text = "" if problems else problems.runs(
            ["cargo", "run", "--locked", "--quiet", "--target-dir", TARGET, "--manifest-path",
             os.path.join(ROOT, "abi-check", "rust-header", "Cargo.toml"), "--", source], timeout=500)
        subject.rust_header = (None if problems else read(text), problems)
    return subject.rust_header


def compatible(left, right):
    """The claim that two C types are compatible."""
    return f"__builtin_types_compatible_p({left}, {right})"


def functions(subject):
    """Rust's exported functions have the types of the headers and of the reference."""
    rust, problems = header(subject)
    if problems:
        return problems
    interface, claims = subject.interface, {}
    reference = interface.prototypes()
    # libgcrypt has a parameter of this name, which is a macro where errno.h is included.
    code = "#include <stdint.h>\n#undef errno\n" + rust.callbacks
    for name, line in rust.functions.items():
        code += line.replace(f"{name}(", f"rust_{name}(", 1) + "\n"
        if name in reference:
            code += reference[name].replace(f"{name}(", f"reference_{name}(", 1) + "\n"
            claims[f"Rust's {line} is as in the reference, {reference[name]}"] = compatible(
                f"__typeof__(rust_{name})", f"__typeof__(reference_{name})")
        if name not in interface.undeclared:
            claims[f"Rust's {line} is as in the headers"] = compatible(f"__typeof__(rust_{name})", f"__typeof__({name})")
    for name, kind in rust.objects.items():
        claims[f"Rust's {kind} {name} is an object of the reference"] = f"sizeof({kind}) == {dict(interface.objects).get(name, 0)}"
    problems = assertions(subject, claims, code)
    problems.same_names([*rust.functions, *rust.objects], interface.symbols() + HELPERS)
    return problems


def members(body):
    """The names of a struct's members, in order."""
    body = re.sub(r"/\*.*?\*/|\{.*?\}", "", body, flags=re.S)
    return [one or other for one, other in re.findall(r"\(\*(\w+)\)\([^;]*;|(\w+)(?:\[\d+\])*;", body)]


def reference_structs(interface):
    """The bodies of the reference's structs, by tag or name."""
    text = "\n".join(interface.lines("layout")) + "\n"
    found = re.findall(r"^(?:struct (\w+)|typedef struct) \{\n(.*?)^\}(?: (\w+))?;", text, re.M | re.S)
    return {tag or name: body for tag, body, name in found}


def types(subject):
    """Rust's structs and numbers have the members, in order, and the types of the headers and of the reference."""
    rust, problems = header(subject)
    if problems:
        return problems
    reference, claims, code = reference_structs(subject.interface), {}, "#include <stdint.h>\n" + rust.callbacks
    problems, seen = Problems(), set()
    for name, kind in rust.aliases.items():
        claims[f"{name} is {kind}, as in the headers"] = compatible(kind, name)
    for name, body in rust.structs.items():
        tag = TAGS.get(name, name if name in reference else f"s_{name}")
        seen.add(tag)
        if tag not in reference:
            continue
        # Enumerators cannot be declared twice.
        there = re.sub(r"\b(\w+)(?=\s*= \d+,)", rf"{tag}_\1", reference[tag])
        code += f"struct rust_{tag} {{\n{body}}};\nstruct reference_{tag} {{\n{there}}};\n"
        in_rust = [(member, MEMBERS.get(member, (member, ""))[0]) for member in members(body)]
        problems.same(f"{name}: the members in Rust, in order", [c for _, c in in_rust if c], members(reference[tag]))
        claims[f"{name} in Rust has the size that it has in the headers"] = f"sizeof(struct rust_{tag}) == sizeof({name})"
        for member, in_c in in_rust:
            if in_c is None:
                continue
            mine = f"__typeof__(((struct rust_{tag} *)0)->{member})"
            for whose, struct in ("headers", name), ("reference", f"struct reference_{tag}"):
                claims[f"{name}.{member} in Rust has its type in the {whose}"] = compatible(
                    mine, f"__typeof__((({struct} *)0)->{in_c})")
            claims[f"{name}.{member} in Rust has its place in the headers"] = \
                f"offsetof(struct rust_{tag}, {member}) == offsetof({name}, {in_c})"
    problems.same_names(seen, reference)
    found = assertions(subject, claims, code)
    return Problems(problems + found, found.count)
