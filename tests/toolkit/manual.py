"""The manual pages: installed, free of warnings, and complete."""

import os
import re
import subprocess

from six_programs import PROGRAMS, result

PAGES = [f"man1/{program}.1" for program in (*PROGRAMS, "otr-keys")] + ["man7/libotr.7"]


def rendered(path):
    """A page as man shows it, and what it complains of."""
    done = subprocess.run(["man", "--warnings=w", "-l", path], capture_output=True, text=True, timeout=60,
                          env=dict(os.environ, MANWIDTH="100", LC_ALL="C.UTF-8", MAN_KEEP_FORMATTING=""))
    return re.sub(".\b", "", done.stdout), done.stderr + ("" if done.returncode == 0 else f"exit status {done.returncode}")


def manual_pages(checks, prefix, work):
    """Each page as it is installed."""
    del work
    texts = {}
    for page in PAGES:
        path = os.path.join(prefix, "share/man", page)
        if not os.path.exists(path):
            checks.check(f"{page} is installed", False, path)
            continue
        texts[page], complaints = rendered(path)
        checks.equal(f"{page}: warnings", complaints, "")
        for section in ("NAME", "DESCRIPTION", "SEE ALSO"):
            checks.check(f"{page} has a section {section}", re.search(rf"^{section}$", texts[page], re.M), texts[page])
        for other, number in re.findall(r"\.Xr ([\w.-]+) (\d)", open(path, encoding="utf-8").read()):
            checks.check(f"{page} refers to a page that is there: {other}({number})",
                         f"man{number}/{other}.{number}" in PAGES or other == "ld.so")
    for program in (*PROGRAMS, "otr-keys"):
        _, usage, _ = result(os.path.join(prefix, "bin"), program, ("--help",))
        page = texts.get(f"man1/{program}.1", "")
        for option in sorted(set(re.findall(r"--[a-z]+", usage.decode()))):
            checks.check(f"{program}(1) has {option}", re.search(rf"--?{option[2:]}\b", page), page)
    usage = result(os.path.join(prefix, "bin"), "otr-keys", ("--help",))[1].decode()
    commands = re.findall(r"^  ([a-z]+) [A-Z]", usage, re.M)
    checks.equal("otr-keys has six commands", len(commands), 6)
    for command in commands:
        checks.check(f"otr-keys(1) has {command}", re.search(rf"^ +{command}\b", texts.get("man1/otr-keys.1", ""), re.M))


PARTS = [manual_pages]
