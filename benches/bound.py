"""How long the rows of a run take at least on this machine: the times of benches/kernels, beside the measured ones.

A bound is what is left if nothing but the arithmetic took time: each square and product modulo p as long as the fastest kernel needs
for one, and SHA-1, AES-CTR and base64 of a message alone."""

import os
import shutil
import subprocess

from report import amount

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
KERNELS = os.path.join(HERE, "kernels")
COUNTS = os.path.join(ROOT, "crates", "otr-protocol", "src", "tests", "products.txt")
PROGRAM = ["cargo", "run", "--release", "--quiet", "--bin", "multiplication"]
ROUNDS = 200

# The rows and parts of the driver whose products are counted.
COUNTED = [("ake3", "both"), ("round-trip", "both"), ("smp", "both"),
           *(("smp-steps", f"step{step}") for step in ("1", "2a", "2b", "3", "4", "5"))]
# Those of messages, and the columns of their primitives.
MESSAGES = [("message-64", "64 B"), ("message-1024", "1 kB"), ("message-16384", "16 kB")]
PRIMITIVES = ["sha1", "aes-ctr", "base64"]


def build():
    """Builds the program of benches/kernels, with the versions of crates that the library has; whether that worked."""
    ours, theirs = [os.path.join(directory, "Cargo.lock") for directory in (ROOT, KERNELS)]
    if not os.path.exists(theirs) or os.path.getmtime(theirs) < os.path.getmtime(ours):
        shutil.copyfile(ours, theirs)
    command = ["build" if word == "run" else word for word in PROGRAM]
    return shutil.which("cargo") is not None and subprocess.call(command, cwd=KERNELS) == 0


def measure(percent):
    """The tables of the program, as it prints them."""
    rounds = str(max(3, ROUNDS * percent // 100))
    environment = {"OTR_ROUNDS": rounds} | os.environ
    return subprocess.check_output(PROGRAM, cwd=KERNELS, text=True, env=environment)


def tables(output):
    """The tables that the program has printed, by their titles."""
    parts = [part.strip() for part in output.split("\n\n") if part.strip()]
    return {part.split("|")[1].strip(): part for part in parts}


def figures(table):
    """A table's figures in ns, by row and column."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {name: {column: float(cell) for column, cell in zip(lines[0][1:], cells) if cell} for name, *cells in lines[2:]}


def counts():
    """The squares and products of each row and part of the driver; the part "both" has those of all steps."""
    of_each = {}
    with open(COUNTS, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                row, step, squares, products = line.split()
                for part in (step, "both"):
                    before = of_each.get((row, part), (0, 0))
                    of_each[row, part] = (before[0] + int(squares), before[1] + int(products))
    return of_each


def line_of(cells):
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


def of_products(kernels, measured):
    """The table of what is bound by products modulo p. `measured` has the Row of each row and part of the driver."""
    ours = {name: times for name, times in kernels.items() if name != "openssl"}
    if not ours:
        return ""
    fastest = min(ours, key=lambda name: ours[name]["square"] + ours[name]["product"])
    lines = [f"| bound by products ({fastest}) | squares | products | bound | measured | ratio |", "|---|---:|---:|---:|---:|---:|"]
    counted = counts()
    for key in COUNTED:
        squares, products = counted[key]
        bound = squares * ours[fastest]["square"] + products * ours[fastest]["product"]
        row = measured[key]
        lines.append(line_of([row.name, f"{squares:,}", f"{products:,}", amount(bound, "ns"), amount(row.ours, "ns"),
                              f"{row.ours / bound:.2f}"]))
    return "\n".join(lines) + "\n"


def of_messages(primitives, measured):
    """The table of what is bound by SHA-1, AES and base64."""
    if not set(PRIMITIVES) <= set(primitives):
        return ""
    lines = ["| bound by SHA-1, AES and base64 | SHA-1 | AES-CTR | base64 | bound | measured | ratio |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    for row_of_driver, size in MESSAGES:
        times = [primitives[name][size] for name in PRIMITIVES]
        row = measured[row_of_driver, "both"]
        lines.append(line_of([row.name, *(amount(time, "ns") for time in [*times, sum(times), row.ours]),
                              f"{row.ours / sum(times):.2f}"]))
    return "\n".join(lines) + "\n"


def markdown(output, measured):
    """Two texts: the tables of the kernels, and those of the bounds, which are of medians as the measured times are."""
    printed = tables(output)
    kernels = [table for title, table in printed.items() if title.startswith("kernels")]
    medians = [figures(printed.get(title, "")) for title in ("kernels: median round, ns", "messages: median round, ns")]
    bounds = [of_products(medians[0], measured), of_messages(medians[1], measured)]
    return "\n\n".join(kernels) + "\n" * bool(kernels), "\n".join(bound for bound in bounds if bound)
