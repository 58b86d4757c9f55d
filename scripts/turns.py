#!/usr/bin/env python3
"""How fast the steps of one checkout are, over those of another: both run at the same time, and take turns of a fraction of a second, so
that other guests of the machine slow both down alike. Prints a table in Markdown.

    scripts/turns.py OLD NEW                              mnist at two batches, some three minutes
    scripts/turns.py OLD NEW circle:256:1 mnist:100:2     preset, batch and threads of each case
    scripts/turns.py OLD NEW --isa avx2 --rounds 21

OLD and NEW are folders of the project. Each build is warmed up by a step before its turn, since the other one has used the caches.
Needs cargo and Python 3.8 or newer.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess

CASES = ["mnist:100:1", "mnist:100:2", "mnist:1024:1", "mnist:1024:2"]


def executable(checkout):
    """The bench that makes steps on demand, built in a checkout."""
    command = ["cargo", "bench", "--no-run", "--bench", "turns", "--features", "internals", "--message-format", "json"]
    # In a common target directory the second build would take the place of the first.
    environment = {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"}
    done = subprocess.run(command, cwd=checkout, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    lines = done.stdout.splitlines()
    found = [message["executable"] for message in map(json.loads, lines) if message.get("executable")]
    return found[-1]


def commit(checkout):
    """The commit of a checkout, with a mark where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    return subprocess.run(command, cwd=checkout, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Build:
    """One of the two, waiting for its turn."""

    def __init__(self, program, preset, batch, threads, isa):
        environment = dict(os.environ, **({"GANNET_ISA": isa} if isa else {}))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([program, preset, batch, threads, "--bench"], env=environment, **pipes)

    def seconds(self, steps):
        """What so many steps take."""
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"a build ended with {self.process.wait()}")
        return float(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def compare(programs, case, isa, rounds, span):
    """The quartiles of the new build's speed over the old one's."""
    builds = [Build(program, *case.split(":"), isa) for program in programs]
    # The first steps take memory, and tell how many make a turn.
    for build in builds:
        build.seconds(3)
    steps = max(1, round(span / (builds[0].seconds(8) / 8)))
    ratios = []
    for number in range(rounds):
        taken = {}
        for index in [0, 1] if number % 2 == 0 else [1, 0]:
            builds[index].seconds(1)
            taken[index] = builds[index].seconds(steps)
        ratios.append(taken[0] / taken[1])
    for build in builds:
        build.end()
    return statistics.quantiles(ratios, n=4)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=pathlib.Path)
    parser.add_argument("new", type=pathlib.Path)
    parser.add_argument("cases", nargs="*", default=CASES, metavar="PRESET:BATCH:THREADS")
    parser.add_argument("--isa", help="the instruction set of both (the best)")
    parser.add_argument("--rounds", type=int, default=51, help="turns of each build (51)")
    parser.add_argument("--span", type=float, default=0.15, help="seconds of a turn (0.15)")
    arguments = parser.parse_intermixed_args()
    checkouts = [arguments.old, arguments.new]
    programs = [executable(checkout) for checkout in checkouts]
    print(f"{' and '.join(map(commit, checkouts))}, {arguments.isa or 'the best instruction set'}, {arguments.rounds} rounds\n")
    print("| preset | batch | threads | new over old | quartiles |\n|---|---:|---:|---:|---:|")
    for case in arguments.cases:
        lower, median, upper = compare(programs, case, arguments.isa, arguments.rounds, arguments.span)
        print(f"| {' | '.join(case.split(':'))} | {median:.3f} | {lower:.3f} to {upper:.3f} |", flush=True)


if __name__ == "__main__":
    main()
