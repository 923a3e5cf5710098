"""Checks of the headers."""

import glob
import os
import platform
import re
from concurrent.futures import ThreadPoolExecutor

from subject import Problems, command_output

# By the names that older compilers know, too.
STANDARDS = {"c": ["c89", "c99", "c11", "c17", "c2x"], "c++": ["c++98", "c++11", "c++14", "c++17", "c++20", "c++2b"]}
MOST = {"c": ["c89", "c99", "c11", "c17", "gnu2x"], "c++": ["c++98", "c++17", "c++20"]}
FEW = {"c": ["c89", "c17"], "c++": ["c++17"]}
# A client that compiles with all warnings on sees the headers' as well, unless they are system headers. `long long` is not
# in C89, and libgcrypt's own header has it.
WARNINGS = ["-Wall", "-Wextra", "-Wundef", "-pedantic", "-Wno-long-long", "-Werror"]
OF_LANGUAGE = {"c": ["-Wstrict-prototypes"], "c++": []}


def compile_each(subject, texts, options=lambda language: [], standards=MOST, compiler="gcc"):
    """Compiles texts in each standard."""
    problems = Problems()
    jobs = []
    for language, names in standards.items():
        for number, (what, text) in enumerate(texts.items()):
            source = subject.write(f"each/{number}.{'c' if language == 'c' else 'cc'}", text)
            jobs += [(f"{what}, {compiler} {name}", [compiler, "-x", language, f"-std={name}", *WARNINGS, *OF_LANGUAGE[language],
                                                     *options(language), "-fsyntax-only", f"-I{subject.headers}", source])
                     for name in names]
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        for (what, _), done in zip(jobs, pool.map(lambda job: command_output(job[1]), jobs)):
            problems.unless(done.returncode == 0, f"{what}: {done.stderr}")
    return problems


def each_alone(subject, options=lambda language: []):
    """Each header alone, and all of them in several orders."""
    directory = os.path.join(subject.headers, "libotr")
    names = sorted(name[:-2] for name in os.listdir(directory) if name.endswith(".h"))
    if options("c") and os.path.exists(os.path.join(directory, "gcrypt-subset", "gcrypt.h")):
        names.append("gcrypt-subset/gcrypt")
    texts = {f"{name}.h alone": f"#include <libotr/{name}.h>\nint alone;\n" for name in names}
    problems = compile_each(subject, texts, options)
    orders = [(names[turn:] + names[:turn])[::-1] for turn in range(0, len(names), 3)]
    problems += compile_each(subject, {f"{order[0]}.h, {order[1]}.h, ...": "".join(
        f"#include <libotr/{name}.h>\n" for name in order) + "int all;\n" for order in orders}, options, FEW)
    return problems


def together(subject):
    """All headers, in the order of C libotr, compile from C89 to C23 and C++98 to C++23 without a warning."""
    return compile_each(subject, {"all": subject.interface.includes() + "int all;\n"}, standards=STANDARDS)


def for_32_bits():
    """Options by which compilers for x86-64 compile for its 32-bit mode. Debian's have the libraries' headers for themselves alone,
    which do for both."""
    machine = command_output(["gcc", "-print-multiarch"]).stdout.strip()
    places = [f"/usr/include/{machine}", *glob.glob(f"/usr/include/{machine}/c++/*")]
    return ["-m32", *(word for place in places for word in ("-idirafter", place))]


def compilers(subject):
    """So they do with clang, and with both compilers for 32 bits (-m32)."""
    code = subject.interface.includes() + "int all;\n"
    texts = {"all": code, "all, without gcrypt.h": "#define LIBOTR_NO_GCRYPT_H\n" + code}
    problems = compile_each(subject, texts, standards=STANDARDS, compiler="clang")
    if platform.machine() == "x86_64":
        options = for_32_bits()
        for compiler in ("gcc", "clang"):
            problems += compile_each(subject, texts, lambda language: options, STANDARDS, compiler)
    return problems


def alone(subject):
    """Each header compiles alone, and all in any order."""
    return each_alone(subject)


def no_gcrypt_h(subject):
    """The same on a machine without gcrypt.h."""
    problems = each_alone(subject, subject.without_gcrypt)
    source = subject.write("direct.c", "#include <gcrypt.h>\n")
    done = command_output(["gcc", *subject.without_gcrypt("c"), "-fsyntax-only", source])
    problems.unless("gcrypt.h: No such file" in done.stderr, "gcrypt.h is there after all")
    return problems


def assertions(subject, claims, declarations=""):
    """The constant expressions in `claims`, a dictionary from what each one says, that are not true."""
    before = subject.interface.includes() + declarations
    code = before + "".join(f'_Static_assert({claim}, "{number}:failed");\n' for number, claim in enumerate(claims.values()))
    done = subject.compile(code, "-fsyntax-only", "-fmax-errors=0")
    problems = Problems(count=len(claims))
    if not claims:
        problems.append("there is nothing to check")
    if done.returncode == 0:
        return problems
    false = {int(number) for number in re.findall(r'"(\d+):failed"', done.stderr)}
    # The others may not even compile: look at them one by one, unless the headers themselves do not.
    headers = subject.compile(subject.interface.includes())
    if headers.returncode:
        problems.append(f"the headers do not compile: {headers.stderr}")
        return problems
    lines = {number + before.count("\n") + 1: number for number in range(len(claims))}
    broken = {lines[int(line)] for line in re.findall(r"code\.c:(\d+):\d+: error", done.stderr) if int(line) in lines}
    for number, (what, claim) in enumerate(claims.items()):
        problems.unless(number not in false | broken, f"{what}: not so ({claim})")
    problems.unless(problems or not done.stderr, done.stderr)
    return problems


def layout(subject):
    """Every public struct: the offset and size of each member, and the size of the whole."""
    claims = {}
    struct, end, padding, members = None, 0, 0, []
    for line in subject.interface.lines("layout"):
        opened = re.match(r"(?:struct (\w+)|typedef struct) \{", line)
        member = re.search(r"\s/\*\s+(\d+)\s+(\d+) \*/$", line)
        if opened:
            struct, end, padding, members = opened[1] and f"struct {opened[1]}", 0, 0, []
        elif member:
            offset, size = int(member[1]), int(member[2])
            name = re.search(r"\(\*(\w+)\)\(|(\w+)(?:\[\d+\])*;", line)
            members.append((name[1] or name[2], offset, size))
            end = max(end, offset + size)
        elif "padding:" in line:
            padding = int(re.search(r"padding: (\d+)", line)[1])
        elif line.startswith("}") and members:
            struct = struct or re.match(r"\} (\w+);", line)[1]
            for name, offset, size in members:
                claims[f"{struct}.{name} is at {offset}"] = f"offsetof({struct}, {name}) == {offset}"
                claims[f"{struct}.{name} takes {size}"] = f"sizeof((({struct} *)0)->{name}) == {size}"
            claims[f"{struct} takes {end + padding}"] = f"sizeof({struct}) == {end + padding}"
    return assertions(subject, claims)


def enumerators(subject):
    """Every enumerator and its value."""
    claims = {}
    for line in subject.interface.lines("enums"):
        for name, value in re.findall(r"(\w+)=(-?\d+)", line.split(":", 1)[1]):
            claims[f"{name} is {value}"] = f"{name} == {value}"
    return assertions(subject, claims)


def constants(subject):
    """Every macro with a value."""
    claims, texts = {}, []
    for line in subject.interface.lines("constants"):
        name, value = re.match(r"#define (\w+) (.*)", line).groups()
        if name.startswith("OTRL_VERSION"):
            continue
        if value.startswith('"'):
            texts.append((name, value))
        else:
            claims[f"{name} is {value}"] = f"({name}) == ({value})"
    for expression, value in subject.interface.expressions:
        claims[f"{expression} is {value}"] = f"{expression} == {value}"
    problems = assertions(subject, claims)
    program = os.path.join(subject.work, "texts")
    code = subject.interface.includes() + "#include <string.h>\n#include <stdio.h>\nint main(void) {\n" + "".join(
        f'    if (strcmp({name}, {value})) puts("{name} is another text");\n' for name, value in texts)
    code += '    printf("%s %d.%d.%d\\n", OTRL_VERSION, OTRL_VERSION_MAJOR, OTRL_VERSION_MINOR, OTRL_VERSION_SUB);\n}\n'
    done = subject.compile(code, "-o", program)
    problems.unless(done.returncode == 0, done.stderr)
    if done.returncode == 0:
        *others, versions = command_output([program]).stdout.splitlines() or [""]
        problems.extend(others)
        problems.unless(versions in [f"{version} {version}" for version in subject.interface.versions],
                        f"the version is {versions}")
    return problems


def macro_names(text):
    """The names that a C text defines."""
    return set(re.findall(r"^ *# *define (\w+)", text, re.M))


def macros(subject):
    """Every macro is there."""
    problems = Problems()
    done = subject.compile(subject.interface.includes(), "-E", "-dM")
    problems.unless(done.returncode == 0, done.stderr)
    missing = set(subject.interface.lines("macros")) - macro_names(done.stdout)
    problems.unless(not missing, f"missing: {' '.join(sorted(missing))}")
    return problems


def prototypes(subject):
    """Every function is declared, with its type: a declaration of the reference is compatible."""
    problems = Problems()
    include = subject.interface.includes()
    known = subject.interface.prototypes()
    unknown = set(subject.interface.symbols()) ^ {*known, *dict(subject.interface.objects)}
    problems.unless(not unknown, f"the reference has no prototype, or no symbol, for {' '.join(sorted(unknown))}")
    one_by_one = {name: ("" if name in subject.interface.undeclared else
                         f"void (*const declared_{name})(void) = (void (*)(void))&{name};\n") + prototype + "\n"
                  for name, prototype in known.items()}
    # All at once, and only if that fails each one alone, to say which.
    if problems or subject.compile(include + "".join(one_by_one.values())).returncode == 0:
        return problems
    done = subject.compile(include)
    if done.returncode:
        problems.append(f"the headers do not compile: {done.stderr}")
        return problems
    for name, code in one_by_one.items():
        done = subject.compile(include + code)
        problems.unless(done.returncode == 0, f"{name}: {done.stderr}")
    return problems


def stub(subject, output, *options, symbols=None):
    """Compiles a library of nothing but the interface's functions, empty, from the headers. The compiler's result."""
    objects = dict(subject.interface.objects)
    code = subject.interface.includes() + "".join(f"unsigned int {name} = 0;\n" for name in objects)
    code += "".join(f"{prototype.rstrip(';')} {{ __builtin_trap(); }}\n"
                    for name, prototype in subject.interface.prototypes().items() if symbols is None or name in symbols)
    # C23 lets the parameters of a definition go without names.
    return subject.compile(code, "-Wno-return-type", "-g", "-fPIC", "-shared", f"-Wl,-soname,{subject.interface.soname}",
                           *options, "-o", output, standard="gnu2x")


def abidiff(subject, *options):
    """abidiff's opinion of a stub library compiled from the headers. (Debugging information of the real library would not
    do: another language names types its own way, and a distribution's library has none.)"""
    problems = Problems()
    output = os.path.join(subject.work, "stub.so")
    done = stub(subject, output, *options)
    problems.unless(done.returncode == 0, f"the stub library does not compile: {done.stderr}")
    if done.returncode == 0:
        done = command_output(["abidiff", subject.interface.file("abi", "abi"), output], timeout=300)
        problems.unless(done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return problems


def types(subject):
    """abidiff finds no difference of types between the reference and the headers."""
    return abidiff(subject)


def types_without_gcrypt(subject):
    """The same with the headers' own types instead of libgcrypt's."""
    return abidiff(subject, "-DLIBOTR_NO_GCRYPT_H")
