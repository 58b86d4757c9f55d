#!/usr/bin/env python3
"""What watching a run costs: samples a second of `gannet train circle` (batch 32) with everything on, beside the same run with
all of it off, in turns.

    scripts/overhead.py [--rounds 5] [--steps 600000] [--threads 1,2]

On: event files, ten evaluations with measures, pictures, histograms and health, reports as often as by default, checkpoints every
second (by default every minute), the best one. Off: one evaluation before and one after, no event files, no checkpoint but the last. The
time is that from the first to the last step, with all that the training waited for.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PRESET = ["circle", "--batch", "32", "--seed", "1"]


def rate(program, options, steps, place, name):
    """Samples a second of one run."""
    out = pathlib.Path(place) / name
    command = [program, "train", *PRESET, "--steps", str(steps), "--quiet", "--out", out, *options]
    subprocess.run(command, check=True)
    told = json.loads((out / "run.json").read_text())
    return told["steps"] * told["batch"] / (told["seconds"] + told["paused_seconds"])


def main():
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=600_000)
    parser.add_argument("--threads", default="1,2")
    args = parser.parse_args()
    subprocess.run(["cargo", "build", "--release", "--quiet", "--target-dir", "target"], cwd=ROOT, check=True)
    program = ROOT / "target/release/gannet"
    off = ["--no-tensorboard", "--evaluate-every", str(args.steps), "--report-every", str(args.steps)]
    off += ["--checkpoint-seconds", "0", "--best", "none"]
    print("| threads | off, samples/s | on, samples/s | on / off, median | range |\n|---:|---:|---:|---:|---:|")
    for threads in args.threads.split(","):
        rates = {"off": [], "on": []}
        for number in range(args.rounds):
            kinds = [("off", off), ("on", ["--checkpoint-seconds", "1"])]
            for name, options in kinds if number % 2 == 0 else reversed(kinds):
                with tempfile.TemporaryDirectory() as place:
                    rates[name].append(rate(program, [*options, "--threads", threads], args.steps, place, name))
        ratios = sorted(on / off for on, off in zip(rates["on"], rates["off"]))
        medians = [f"{statistics.median(rates[name]):,.0f}" for name in ("off", "on")]
        shares = f"{statistics.median(ratios):.3f} | {ratios[0]:.3f} to {ratios[-1]:.3f}"
        print(f"| {threads} | {medians[0]} | {medians[1]} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
