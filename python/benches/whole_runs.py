#!/usr/bin/env python3
"""What the border to Python costs a whole run: samples a second of a Trainer beside those of `gannet bench`, in turns.

    python/benches/whole_runs.py [--rounds 7] [--threads 1,2]

A round is a whole run of each, of as many steps. A ratio below 0.99 in the median ends the
script with status 1. Run it on a machine that does nothing else.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

import numpy as np

import gannet

LEAST = 0.99
# Preset, values of a sample, batch, steps of a run: some seconds each.
CASES = [("circle", 2, 256, 10_000), ("mnist", 784, 1024, 20)]


def of_bench(preset, batch, threads, steps):
    """Samples a second of `gannet bench`."""
    case = ["--preset", preset, "--batch", str(batch), "--threads", str(threads), "--steps", str(steps)]
    command = [sys.executable, "-m", "gannet", "bench", "--engine", "native", *case, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["samples_per_second"]


def of_python(preset, features, batch, threads, steps):
    """Samples a second driven from Python."""
    places = np.arange(max(batch, 1024) * features, dtype=np.uint64)
    rows = ((places * 7919 % 2001) / 1000 - 1).astype(np.float32).reshape(-1, features)
    trainer = gannet.Trainer(preset, rows, batch=batch, threads=threads, engine="native")
    trainer.run(1)
    began = time.perf_counter()
    trainer.run(steps)
    return batch * steps / (time.perf_counter() - began)


def main():
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", default="1,2")
    args = parser.parse_args()
    slow = False
    print("| preset | batch | threads | bench, samples/s | Python, samples/s | Python / bench, median | range |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for preset, features, batch, steps in CASES:
        for threads in map(int, args.threads.split(",")):
            bench, driven = [], []
            for number in range(args.rounds):
                turns = [
                    lambda: bench.append(of_bench(preset, batch, threads, steps)),
                    lambda: driven.append(of_python(preset, features, batch, threads, steps)),
                ]
                for turn in turns if number % 2 == 0 else reversed(turns):
                    turn()
            ratios = sorted(one / other for one, other in zip(driven, bench))
            slow |= not statistics.median(ratios) >= LEAST
            rates = " | ".join(f"{statistics.median(rates):,.0f}" for rates in (bench, driven))
            shares = f"{statistics.median(ratios):.3f} | {ratios[0]:.3f} to {ratios[-1]:.3f}"
            print(f"| {preset} | {batch} | {threads} | {rates} | {shares} |", flush=True)
    sys.exit(slow)


if __name__ == "__main__":
    main()
