#!/usr/bin/env python3
"""Measures what PERF.md and docs/perf tell and writes the tables to one Markdown file, to be pasted from.

    scripts/perf_tables.py TABLES.md                   all: some seven minutes beyond the builds, on an idle machine of two cores
    scripts/perf_tables.py TABLES.md --only kernels    some sections alone
    scripts/perf_tables.py TABLES.md --test            everything once, in seconds: the figures mean nothing

Needs cargo and Python 3.8 or newer, nothing else. Each section opens with the day, commit, compiler and machine. The machine
should do nothing else meanwhile: what a table says is only as good as that.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "target/release/gannet"

BOTH = {"engine": "native,matrixmultiply"}
# Each list is one table: arguments of runs of `gannet bench`, whose rows stand below one another.
STEPS = [
    {"preset": "circle", "batch": "32,256,1024,4096,65536", "threads": "1,2", **BOTH},
    {"preset": "mnist", "batch": "100,1024", "threads": "1,2", **BOTH},
    {"preset": "mnist", "batch": "65536", "threads": "2", **BOTH},
    {"preset": "digits,gaussian2d,mixture1d,mixture1d-deep", "batch": "32,1024", **BOTH},
]
# For every instruction set of the machine.
SETS = [
    {"preset": "circle", "batch": "32,256,4096", "engine": "native", "isa": None},
    {"preset": "mnist", "batch": "100,1024", "engine": "native", "isa": None},
    {"preset": "digits,gaussian2d,mixture1d,mixture1d-deep", "batch": "32,1024", "engine": "native", "isa": None},
]
# The default engine beside both others.
THREE = {"engine": "native,matrixmultiply,auto", "isa": None}
ENGINES = [
    {"preset": "circle,digits", "batch": "256", **THREE},
    {"preset": "mnist", "batch": "100,1024", **THREE},
    {"preset": "gaussian2d", "batch": "32,1024", **THREE},
    {"preset": "mixture1d,mixture1d-deep", "batch": "32", **THREE},
]

# Name, title, and what makes the tables: runs of `gannet bench`, or a bench.
SECTIONS = {
    "ceilings": ("Ceilings of the machine", "ceilings"),
    "steps": ("Whole training steps", STEPS),
    "sets": ("Whole training steps by instruction set", SETS),
    "engines": ("Whole training steps by engine and instruction set", ENGINES),
    "waterfall": ("Where the time of a step goes", "waterfall"),
    "products": ("Products by layer shape", "products"),
    "kernels": ("Kernels", "kernels"),
    "scaling": ("Scaling over threads", "scaling"),
    "memory": ("Memory", "memory"),
}


def output(*command):
    """What a command prints; its messages go where ours go."""
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def instruction_sets():
    """Those of the machine."""
    return ",".join(entry["isa"] for entry in json.loads(output(PROGRAM, "info", "--json"))["instruction_sets"])


def median_rows(tables):
    """The rows of the first table, each of its rates and shares the median over all tables."""

    def median_cell(cells):
        if not cells[0].replace(",", "").replace(".", "").rstrip(" %").isdigit():
            return cells[0]
        middle = statistics.median(float(cell.replace(",", "").rstrip(" %")) for cell in cells)
        return f"{middle:.1f} %" if cells[0].endswith("%") else f"{middle:,.0f}"

    rows = zip(*([[cell.strip() for cell in line.strip("|").split("|")] for line in table] for table in tables))
    return ["| " + " | ".join(median_cell(cells) for cells in zip(*row)) + " |" for row in rows]


def whole_steps(runs, test, times):
    """The commands, and one table of what they print; what stands above its rows is the first one's. Medians of so many turns."""
    turns = [one_turn(runs, test) for _ in range(times)]
    commands, lines = turns[0]
    above = 3 + next(index for index, line in enumerate(lines) if line.startswith("|"))
    rows = median_rows([lines[above:] for _, lines in turns]) if times > 1 else lines[above:]
    return "\n".join([",\n".join(commands), "", *([f"Medians of {times} turns."] if times > 1 else []), *lines[:above], *rows])


def one_turn(runs, test):
    """The commands, and the lines of their one table."""
    commands, lines = [], []
    for run in runs:
        run = {name: value or instruction_sets() for name, value in run.items()}
        if test:
            run = {name: value.split(",")[0] for name, value in run.items()}
            run.update(batch="32", steps="1")
        arguments = [word for name, value in run.items() for word in (f"--{name}", value)]
        commands.append(f"`gannet bench --markdown {' '.join(arguments)}`")
        table = output(PROGRAM, "bench", "--markdown", *arguments).splitlines()
        # Two lines of titles with a rule in between.
        first_row = 3 + next(index for index, line in enumerate(table) if line.startswith("|"))
        lines += table[first_row:] if lines else table
    return commands, lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path, help="where the tables go; what it held is lost")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--turns", type=int, default=1, metavar="N", help="whole steps: the medians of N turns")
    parser.add_argument("--test", action="store_true", help="run everything once, quickly")
    arguments = parser.parse_args()

    names = arguments.only or list(SECTIONS)
    subprocess.run(["cargo", "build", "--release", "--target-dir", "target"], cwd=ROOT, check=True)
    benches = [word for name in names if isinstance(SECTIONS[name][1], str) for word in ("--bench", SECTIONS[name][1])]
    if benches:
        subprocess.run(["cargo", "bench", "--no-run", *benches], cwd=ROOT, check=True)

    start = time.monotonic()
    text = "# Tables of docs/perf\n"
    for name in names:
        title, maker = SECTIONS[name]
        print(f"{name} ({time.monotonic() - start:.0f} s since the builds)", flush=True)
        if isinstance(maker, str):
            options = ["--test"] if arguments.test else []
            tables = output("cargo", "bench", "--quiet", "--bench", maker, "--", *options)
            tables = f"`cargo bench --bench {maker}`\n\n{tables}"
        else:
            tables = whole_steps(maker, arguments.test, arguments.turns)
        text += f"\n## {title}\n\n{tables}\n"
        # After each section, so that nothing is lost where a later one fails.
        arguments.file.write_text(text, encoding="utf-8")
    print(f"done after {time.monotonic() - start:.0f} s; the tables are in {arguments.file}")


if __name__ == "__main__":
    main()
