"""Runs programs that report their checks in TAP, the Test Anything Protocol: a line `ok` or `not ok` for each, and the plan `1..N`.

`# TODO` in a line marks a known defect (here: of the C libotr), and `# SKIP` gives the reason why a check was not made. A program without
a plan has not finished; one whose exit status contradicts its lines has failed."""

import os
import re
import signal
import subprocess
import time

LINE = re.compile(r"^(ok|not ok)\b[\s\d]*-?\s*(.*?)(?:\s+#\s*((?i:TODO|SKIP))\b\s*(.*))?$")
TAIL = 40


def execute(command, timeout, **options):
    """The output of a command, and its exit status; "too late" if it takes longer. What it has started ends with it."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True, **options)
    try:
        output, _ = process.communicate(timeout=timeout)
        status = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        status = f"too late: it took more than {timeout} s"
    finally:
        end_group(process)
    return output.decode(errors="replace"), status


def end_group(process):
    """Ends a program that leads a group of processes, and all that it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def read(checks, output, status, label=""):
    """Counts the checks in the output of a program that ended with this status."""
    at = f"{label}: " if label else ""
    lines = output.splitlines()
    counted = failed = 0
    for line in lines:
        found = LINE.match(line)
        if not found:
            continue
        verdict, what, directive, words = found.groups()
        counted += 1
        if (directive or "").upper() == "SKIP":
            checks.skip(f"{at}{what}", words)
        elif (directive or "").upper() == "TODO" and verdict == "not ok":
            checks.known += 1
        else:
            failed += verdict == "not ok"
            checks.ok(verdict == "ok", f"{at}{what}")
    plans = [int(line[3:]) for line in lines if re.fullmatch(r"1\.\.\d+", line)]
    tail = "\n".join(lines[-TAIL:])
    if not plans:
        checks.ok(False, f"{at}it comes to its end: there is no plan, exit status {status}", tail)
    elif len(plans) > 1 or plans[0] != counted:
        checks.ok(False, f"{at}it makes all its checks: the plan is {plans}, {counted} were made, exit status {status}", tail)
    elif not counted:
        checks.ok(False, f"{at}it checks something", tail)
    elif status != 0 and not failed:
        checks.ok(False, f"{at}it ends well: exit status {status}", tail)


def run(checks, command, timeout, label="", **options):
    """Runs a program and counts its checks. Its output, for what else it may have said."""
    started = time.monotonic()
    output, status = execute([str(word) for word in command], timeout, **options)
    read(checks, output, status, label)
    notes = [line for line in output.splitlines() if line.startswith("#")]
    print("\n".join([f"{label or command[-1]}: {time.monotonic() - started:.1f} s", *notes]))
    return output


def run_counted(checks, command, timeout=900, **options):
    """Runs a program of this project's whose last line is "N passed, M failed" (", K skipped" may follow), and counts these."""
    output, status = execute([str(word) for word in command], timeout, **options)
    print(output[-20000:])
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    found = re.fullmatch(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?", lines[-1]) if lines else None
    tail = "\n".join(lines[-TAIL:])
    if not found:
        checks.ok(False, f"it ends with a line 'N passed, M failed', exit status {status}", tail)
        return output
    left_out = [line for line in lines if re.match(r"(not run|skipped) - ", line)]
    for line in left_out:
        checks.skip(*line.split(" - ", 1)[1].rsplit(": ", 1))
    if found[3] and int(found[3]) != len(left_out):
        checks.ok(False, f"it says what it has left out: {len(left_out)} of {found[3]}", tail)
    complaints = [line for line in lines if re.match(r"(FAIL|not ok)\b", line)]
    failed = int(found[2])
    checks.passed += int(found[1])
    for number in range(failed):
        checks.ok(False, complaints[number] if number < len(complaints) else "and another check",
                  tail if number == failed - 1 else "")
    if not failed and (status != 0 or not checks.passed):
        checks.ok(False, f"it ends well: exit status {status}, {found[1]} passed", tail)
    return output
