#!/usr/bin/env python3
"""What the border to Python costs: microseconds of one `ModularLoss.step`, beside the same in Rust.

    python/benches/step_cost.py [--preset circle] [--batch 32] [--rounds 9] [--rust]

With --rust, `cargo bench --bench modular_step` is measured in turns with it, and a difference of more than 5 microseconds ends the
script with status 1. The least of the rounds counts, to which other programs on the machine add nothing.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

import gannet

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MOST = 5.0
# Steps of a round.
STEPS = 20_000


def of_python(preset, batch):
    """Microseconds of a step from Python, into a buffer."""
    loss = gannet.ModularLoss(preset, batch=batch, threads=1)
    shape = (batch, loss.features)
    places = np.arange(batch * loss.features, dtype=np.float32).reshape(shape)
    fakes, real = np.sin(places * np.float32(0.7)), np.sin((places + 17) * np.float32(0.7))
    gradient = np.empty_like(fakes)
    step = loss.step
    began = time.perf_counter()
    for _ in range(STEPS):
        step(fakes, real, gradient)
    return (time.perf_counter() - began) / STEPS * 1e6


def of_rust(preset, batch):
    """Microseconds of a step in Rust."""
    program = ["cargo", "bench", "--quiet", "--bench", "modular_step", "--", preset, str(batch), str(STEPS)]
    return float(subprocess.run(program, cwd=ROOT, check=True, capture_output=True).stdout)


def main():
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="circle")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--rust", action="store_true")
    args = parser.parse_args()
    python, rust = [], []
    for _ in range(args.rounds):
        python.append(of_python(args.preset, args.batch))
        if args.rust:
            rust.append(of_rust(args.preset, args.batch))
    print(f"{args.preset} {args.batch}: Python {min(python):.2f} us (median {statistics.median(python):.2f})")
    if args.rust:
        more = min(python) - min(rust)
        print(f"Rust {min(rust):.2f} us (median {statistics.median(rust):.2f}); Python costs {more:.2f} us more")
        sys.exit(not more <= MOST)


if __name__ == "__main__":
    main()
