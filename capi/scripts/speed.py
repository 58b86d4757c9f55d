#!/usr/bin/env python3
"""What the border to C costs: samples a second of training driven from C beside those of `gannet bench`, in turns.

    capi/scripts/speed.py [--rounds 7] [--threads 1,2]

A round is a whole run of each, of as many steps. A ratio below 0.99 in the median ends the script with status 1. Run it on a machine that
does nothing else. Needs cargo, gcc and bash.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

CAPI = pathlib.Path(__file__).resolve().parent.parent
ROOT = CAPI.parent
LEAST = 0.99
# Preset, values of a sample, batch, steps of a run: some seconds each.
CASES = [("circle", 2, 256, 10_000), ("mnist", 784, 1024, 20)]


def build(place):
    """The program of gannet, and the one in C."""
    command = ["cargo", "build", "--release", "--quiet", "--target-dir", "target"]
    subprocess.run([*command, "--package", "gannet-cli", "--package", "gannet-capi"], cwd=ROOT, check=True)
    subprocess.run([CAPI / "scripts/install.sh", place, ROOT / "target/release"], check=True)
    speed = place / "speed"
    flags = ["-std=c11", "-O2", "-pthread", f"-I{place}/include", f"-L{place}/lib", f"-Wl,-rpath,{place}/lib"]
    subprocess.run(["gcc", *flags, CAPI / "benches/speed.c", "-lgannet", "-lm", "-o", speed], check=True)
    return ROOT / "target/release/gannet", speed


def of_bench(gannet, preset, batch, threads, steps):
    """Samples a second of `gannet bench`."""
    case = ["--preset", preset, "--batch", str(batch), "--threads", threads, "--steps", str(steps)]
    told = subprocess.run([gannet, "bench", "--engine", "native", *case, "--json"], check=True, capture_output=True)
    return json.loads(told.stdout)["samples_per_second"]


def of_c(speed, preset, features, batch, threads, steps):
    """Samples a second driven from C."""
    arguments = [preset, str(features), str(batch), threads, str(steps)]
    return float(subprocess.run([speed, *arguments], check=True, capture_output=True).stdout)


def main():
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", default="1,2")
    args = parser.parse_args()
    slow = False
    with tempfile.TemporaryDirectory() as place:
        gannet, speed = build(pathlib.Path(place))
        print("| preset | batch | threads | bench, samples/s | C, samples/s | C / bench, median | range |")
        print("|---|---:|---:|---:|---:|---:|---:|")
        for preset, features, batch, steps in CASES:
            for threads in args.threads.split(","):
                bench, driven = [], []
                for number in range(args.rounds):
                    turns = [
                        lambda: bench.append(of_bench(gannet, preset, batch, threads, steps)),
                        lambda: driven.append(of_c(speed, preset, features, batch, threads, steps)),
                    ]
                    for turn in turns if number % 2 == 0 else reversed(turns):
                        turn()
                ratios = sorted(one / other for one, other in zip(driven, bench))
                slow |= statistics.median(ratios) < LEAST
                rates = " | ".join(f"{statistics.median(rates):,.0f}" for rates in (bench, driven))
                shares = f"{statistics.median(ratios):.3f} | {ratios[0]:.3f} to {ratios[-1]:.3f}"
                print(f"| {preset} | {batch} | {threads} | {rates} | {shares} |", flush=True)
    sys.exit(slow)


if __name__ == "__main__":
    main()
