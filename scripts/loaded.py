#!/usr/bin/env python3
"""How much of its rate a run of two threads keeps where other programs want the processor too: measures training steps alone
and beside two busy loops, in turns, and prints a table in Markdown.

    scripts/loaded.py                some three minutes
    scripts/loaded.py --rounds 3     fewer measurements

Everything runs on two processors, where two busy loops leave a run of two threads half of the time. What it keeps beyond or
below is the scheduler's doing, and that of workers that wait for each other. Needs cargo, Linux and Python 3.8 or newer.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "target/release/gannet"
CASES = [("circle", 4096), ("mnist", 1024)]
LOOPS = 2
# What a loaded run must keep.
LEAST = 0.4


def rate(preset, batch):
    """Samples a second of a run of two threads."""
    command = [PROGRAM, "bench", "--preset", preset, "--batch", batch, "--threads", 2, "--engine", "native", "--json"]
    found = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(found)["samples_per_second"]


def beside_loops(measure, *arguments):
    """What `measure` finds while the busy loops run."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(LOOPS)]
    try:
        time.sleep(0.5)
        return measure(*arguments)
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="measurements of each kind [default: 9]")
    arguments = parser.parse_args()

    subprocess.run(["cargo", "build", "--release", "--target-dir", "target"], cwd=ROOT, check=True)
    processors = sorted(os.sched_getaffinity(0))[:2]
    if len(processors) < 2:
        sys.exit("this needs two processors")
    os.sched_setaffinity(0, processors)
    lines = [
        "| preset | batch | samples/s alone | beside two busy loops | kept (median of pairs) | range |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    enough = True
    for preset, batch in CASES:
        pairs = [(rate(preset, batch), beside_loops(rate, preset, batch)) for _ in range(arguments.rounds)]
        alone, loaded = (statistics.median(column) for column in zip(*pairs))
        kept = [beside / before for before, beside in pairs]
        median = statistics.median(kept)
        enough = enough and median >= LEAST
        lines.append(
            f"| {preset} | {batch} | {alone:,.0f} | {loaded:,.0f} | {100 * median:.0f} %"
            f" | {100 * min(kept):.0f} to {100 * max(kept):.0f} % |"
        )
        print(lines[-1], file=sys.stderr, flush=True)
    print("\n".join(lines))
    if not enough:
        sys.exit(f"a run keeps less than {100 * LEAST:.0f} % of its rate")


if __name__ == "__main__":
    main()
