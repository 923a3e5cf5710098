"""A check of the running library, through its headers."""

import os

from subject import HERE, Problems, command_output


def live(subject):
    """What the library writes into public structs is where the headers say."""
    problems = Problems()
    program = os.path.join(subject.work, "live")
    with open(os.path.join(HERE, "live.c"), encoding="utf-8") as source:
        code = source.read()
    # Not as position-independent code: so it gets a copy of the library's object, as old programs have.
    done = subject.compile("extern unsigned int otrl_api_version;\n" + code, "-g", "-fno-pic", "-no-pie", "-o", program,
                           *subject.link(), "-lgcrypt")
    problems.unless(done.returncode == 0, f"the program is not built: {done.stderr}")
    if done.returncode == 0:
        done = command_output([program], cwd=subject.work, env=subject.environment, timeout=120)
        problems.unless(done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}{done.stderr}")
        problems.unless(done.stdout.endswith(" checked, 0 wrong\n") or done.returncode, done.stdout)
    return problems
