#!/usr/bin/env python3
"""Trains every preset on each instruction set with a fused multiply-add at 1, 2 and 3 threads, holds the hashes of the
models against each other, and writes the table of docs/hashes.md.

    scripts/hashes.py                   all presets but mnist: a minute; the rows of mnist stay
    scripts/hashes.py --data DIR        mnist as well, from the four IDX files in DIR: some minutes more
    scripts/hashes.py --check           writes nothing; the hashes must be those of the table

Needs cargo and Python 3.8 or newer, nothing else.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "target/release/gannet"
DOCUMENT = ROOT / "docs/hashes.md"

SEED = 1
THREADS = [1, 2, 3]
# The preset's own batch, and one that several threads share, its last tile not full.
RUNS = [
    ("circle", 32, 1000),
    ("circle", 1000, 200),
    ("mixture1d", 32, 1000),
    ("mixture1d", 1000, 200),
    ("mixture1d-deep", 256, 300),
    ("mixture1d-deep", 1000, 200),
    ("gaussian2d", 32, 1000),
    ("gaussian2d", 1000, 200),
    ("digits", 64, 300),
    ("digits", 300, 100),
    ("mnist", 100, 20),
    ("mnist", 1100, 3),
]


def output(*command):
    """Standard output of a command that must succeed."""
    return subprocess.run([str(part) for part in command], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def train(preset, batch, steps, isa, threads, data, folder):
    """The hash of the model of one run, as `gannet train` gives it."""
    options = ["--batch", batch, "--steps", steps, "--seed", SEED, "--engine", "native", "--isa", isa]
    options += ["--threads", threads, "--evaluate-every", steps, "--save-epochs", 0]
    options += ["--data", data] if preset == "mnist" else []
    run = folder / f"{preset}-{batch}-{isa}-{threads}"
    return json.loads(output(PROGRAM, "train", preset, *options, "--out", run, "--quiet", "--json"))["model_sha256"]


def recorded():
    """The hashes of the table: those of the runs that it has."""
    row = re.compile(r"^\| `([\w-]+)` \| (\d+) \| (\d+) \| (\d+) \| `(\w+)` \|$", re.MULTILINE)
    rows = row.findall(DOCUMENT.read_text())
    return {(preset, int(batch), int(steps)): sha256 for preset, batch, steps, seed, sha256 in rows if int(seed) == SEED}


def write(hashes):
    """Puts the table of `hashes` between the markers."""
    lines = ["| preset | batch | steps | seed | SHA-256 of `model.safetensors` |", "|---|---:|---:|---:|---|"]
    for run in RUNS:
        if run in hashes:
            preset, batch, steps = run
            lines.append(f"| `{preset}` | {batch} | {steps} | {SEED} | `{hashes[run]}` |")
    text = DOCUMENT.read_text()
    pattern = re.compile(r"(<!-- hashes -->\n).*?(<!-- end -->)", re.DOTALL)
    assert len(pattern.findall(text)) == 1, "docs/hashes.md has no place for the table"
    table = "\n".join(lines)
    DOCUMENT.write_text(pattern.sub(lambda found: f"{found[1]}{table}\n{found[2]}", text))
    print(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="DIR", type=pathlib.Path, help="folder with the IDX files of MNIST")
    parser.add_argument("--check", action="store_true", help="compare with docs/hashes.md instead of writing it")
    arguments = parser.parse_args()

    subprocess.run(["cargo", "build", "--release", "--target-dir", "target"], cwd=ROOT, check=True)
    sets = [entry["isa"] for entry in json.loads(output(PROGRAM, "info", "--json"))["instruction_sets"]]
    fused = [isa for isa in sets if isa != "portable"]
    if not fused:
        sys.exit("this processor has neither AVX2 with FMA nor AVX-512")
    data = arguments.data and arguments.data.resolve()
    before = recorded()
    hashes = dict(before)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for run in RUNS:
            if run[0] == "mnist" and not data:
                continue
            found = {
                (isa, threads): train(*run, isa, threads, data, pathlib.Path(folder)) for isa in fused for threads in THREADS
            }
            hashes[run] = next(iter(found.values()))
            name = f"{run[0]}, batch {run[1]}, {run[2]} steps"
            if len(set(found.values())) > 1:
                failures += 1
                print(f"{name}: the models differ", *(f"  {key}: {found[key]}" for key in found), sep="\n")
            elif arguments.check and before.get(run) != hashes[run]:
                failures += 1
                print(f"{name}: {hashes[run]} instead of {before.get(run)}")
            else:
                print(f"{name}: the same on {' and '.join(fused)} at {', '.join(map(str, THREADS))} threads", flush=True)
    if failures:
        sys.exit(1)
    if not arguments.check:
        write(hashes)


if __name__ == "__main__":
    main()
