"""The subject of the checks: a library, its headers, and how to compile against them."""

import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.dont_write_bytecode = True
sys.path.append(os.path.join(ROOT, "tests", "support"))

from checks import command_output, installed_prefix, scratch  # noqa: E402,F401

# The glibc of Debian 12.
GLIBC = "2.36"


class Problems(list):
    """What is wrong, in lines. Empty: nothing. `count` is how many things were looked at, if they were counted."""

    def __init__(self, lines=(), count=0):
        super().__init__(lines)
        self.count = count

    def unless(self, good, why):
        """Adds a line, or several, unless all is well."""
        if not good:
            self.append(str(why).strip() or "(no words)")

    def same(self, what, found, expected):
        """Compares two values."""
        self.unless(found == expected, f"{what}: found {found}, expected {expected}")

    def same_names(self, found, expected, extras=()):
        """Compares two sets of names."""
        missing, extra = sorted(set(expected) - set(found)), sorted(set(found) - set(expected) - set(extras))
        self.unless(not missing, f"missing ({len(missing)}): {' '.join(missing)}")
        self.unless(not extra, f"not expected ({len(extra)}): {' '.join(extra)}")

    def runs(self, command, **options):
        """Runs a command that must succeed, and returns its output."""
        done = command_output(command, **options)
        self.unless(done.returncode == 0,
                    f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout


class Subject:
    """A library and the directory with its libotr/*.h, for one interface."""

    def __init__(self, interface, library, headers, work, glibc=GLIBC, matrix=os.path.join(HERE, "MATRIX.md"), aclocal=None,
                 rust=None):
        self.interface, self.library, self.headers, self.work = interface, os.path.abspath(library), os.path.abspath(headers), work
        self.glibc, self.matrix = glibc, matrix
        self.directory = os.path.dirname(self.library)
        self.prefix = os.path.dirname(self.headers)
        self.aclocal = aclocal or os.path.join(self.prefix, "share", "aclocal")
        self.environment = dict(os.environ, LD_LIBRARY_PATH=self.directory, LC_ALL="C")
        # Rust source with its macros expanded, instead of this project's, and the result of cbindgen.
        self.rust, self.rust_header = rust, None
        self._hidden = {}

    def write(self, name, text):
        """Writes a file into the scratch directory."""
        path = os.path.join(self.work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as output:
            output.write(text)
        return path

    def compile(self, code, *arguments, standard="gnu11"):
        """Runs gcc on C code; without arguments, only its syntax and types are looked at."""
        source = self.write("code.c", code)
        return command_output(["gcc", f"-std={standard}", "-Werror", "-Wno-array-parameter", f"-I{self.headers}",
                               source, *(arguments or ["-fsyntax-only"])], cwd=self.work)

    def link(self):
        """Options that link to the library."""
        return [f"-L{self.directory}", "-lotr", f"-Wl,-rpath,{self.directory}"]

    def without_gcrypt(self, language):
        """Options that show gcc a machine without libgcrypt's headers."""
        if language not in self._hidden:
            done = command_output([sys.executable, os.path.join(ROOT, "scripts", "without-gcrypt"),
                                   os.path.join(self.work, "without-gcrypt"), language])
            self._hidden[language] = done.stdout.split()
        return self._hidden[language]

    def exported(self):
        """What the library exports: types as nm tells them, by name. Versions are cut off."""
        done = command_output(["nm", "-D", "--defined-only", self.library])
        fields = [line.split() for line in done.stdout.splitlines()]
        return {line[2].split("@")[0]: line[1] for line in fields if len(line) == 3 and not (line[1] == "A" and "@" not in line[2])}

    def dynamic(self, tag):
        """The values of one kind in the dynamic section."""
        done = command_output(["readelf", "--dynamic", "--wide", self.library])
        return re.findall(rf"\({tag}\)\s+(?:.*\[(.*)\]|(.*))", done.stdout)

    def needed(self):
        """The libraries that it needs."""
        return [name for name, _ in self.dynamic("NEEDED")]
