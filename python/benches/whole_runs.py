#!/usr/bin/env python3
"""What the border to Python costs a whole run: samples a second of a Trainer beside those of `gannet bench`, in turns.

    python/benches/whole_runs.py [--rounds 7] [--threads 1,2] [--pytorch]

A round is a whole run of each, of as many steps. A ratio below 0.99 in the median ends the
script with status 1. Run it on a machine that does nothing else. With --pytorch the same training in PyTorch, which has to be
installed, takes its turns in the same process: that of benches/peers.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

import gannet

LEAST = 0.99
PEERS = pathlib.Path(__file__).resolve().parent.parent.parent / "benches/peers/python"
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


def of_pytorch(preset, batch, threads, steps):
    """Samples a second of the same training in PyTorch, in this process."""
    sys.path.insert(0, str(PEERS))
    import torch
    from torch_peer import PRESETS, Gan

    torch.set_num_threads(threads)
    gan = Gan(PRESETS[preset], batch, "fused")
    batches = gan.batches()
    gan.run(batches, 2)
    # PyTorch takes seconds for what gannet does in one.
    steps = max(5, steps // 5)
    began = time.perf_counter()
    gan.run(batches, steps)
    return batch * steps / (time.perf_counter() - began)


def main():
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--pytorch", action="store_true")
    args = parser.parse_args()
    slow = False
    more = [" PyTorch, samples/s | Python / PyTorch |", "---:|---:|"] if args.pytorch else ["", ""]
    print(f"| preset | batch | threads | bench, samples/s | Python, samples/s | Python / bench, median | range |{more[0]}")
    print(f"|---|---:|---:|---:|---:|---:|---:|{more[1]}")
    for preset, features, batch, steps in CASES:
        for threads in map(int, args.threads.split(",")):
            bench, driven, of_peer = [], [], []
            for number in range(args.rounds):
                turns = [
                    lambda: bench.append(of_bench(preset, batch, threads, steps)),
                    lambda: driven.append(of_python(preset, features, batch, threads, steps)),
                ]
                if args.pytorch:
                    turns.append(lambda: of_peer.append(of_pytorch(preset, batch, threads, steps)))
                for turn in turns if number % 2 == 0 else reversed(turns):
                    turn()
            ratios = sorted(one / other for one, other in zip(driven, bench))
            slow |= not statistics.median(ratios) >= LEAST
            rates = " | ".join(f"{statistics.median(rates):,.0f}" for rates in (bench, driven))
            shares = f"{statistics.median(ratios):.3f} | {ratios[0]:.3f} to {ratios[-1]:.3f}"
            peer = ""
            if args.pytorch:
                times = statistics.median(one / other for one, other in zip(driven, of_peer))
                peer = f" {statistics.median(of_peer):,.0f} | {times:.2f} |"
            print(f"| {preset} | {batch} | {threads} | {rates} | {shares} |{peer}", flush=True)
    sys.exit(slow)


if __name__ == "__main__":
    main()
