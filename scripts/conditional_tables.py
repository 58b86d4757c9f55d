#!/usr/bin/env python3
"""How well generated rows follow known conditional laws: rows of a rare class with and without --balance, and columns filled by --like.

Both tables are drawn here, so that the law of each column under the others is known. Needs NumPy.

    cargo build --release -p gannet-cli
    python3 scripts/conditional_tables.py --gannet target/release/gannet
"""

import argparse
import csv
import subprocess
import tempfile
from pathlib import Path

import numpy as np

SEEDS = tuple(range(1, 11))
ROWS = 20_000
# The classes of the first table, with their shares, and the laws of their rows: x is normal, y is a line of x and noise, and k is one of
# three texts.
CLASSES = {
    "common": (0.700, (0.0, 1.0), (1.0, 0.5), (0.8, 0.1, 0.1)),
    "usual": (0.295, (3.0, 1.0), (-1.0, 0.5), (0.1, 0.8, 0.1)),
    "rare": (0.005, (1.5, 0.5), (3.0, 0.5), (0.1, 0.2, 0.7)),
}
TEXTS = ("p", "q", "r")
# The slope of y by the category of the second table.
SLOPES = {"up": 2.0, "down": -1.0}


def of_class(generator, name, count):
    """Rows of a class: x, y and k."""
    _, (mean, deviation), (slope, noise), shares = CLASSES[name]
    x = generator.normal(mean, deviation, count)
    y = slope * x + generator.normal(0, noise, count)
    return x, y, generator.choice(3, count, p=shares)


def write(path, header, columns):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(zip(*columns))


def read(path):
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    return {name: [row[place] for row in rows[1:]] for place, name in enumerate(rows[0])}


def kolmogorov_smirnov(one, other):
    """The largest distance between two empirical distribution functions."""
    points = np.concatenate([one, other])
    share = lambda values: np.searchsorted(np.sort(values), points, side="right") / len(values)
    return np.abs(share(one) - share(other)).max()


def distances(name, fresh_x, fresh_y, x, y, found):
    """How far rows of a class are from its law: those of x, y, the noise of y, and k, whose texts have the shares found."""
    _, _, (slope, _), shares = CLASSES[name]
    return (
        kolmogorov_smirnov(x, fresh_x),
        kolmogorov_smirnov(y, fresh_y),
        kolmogorov_smirnov(y - slope * x, fresh_y - slope * fresh_x),
        0.5 * np.abs(found - shares).sum(),
    )


def balance(gannet, folder):
    generator = np.random.default_rng(0)
    names = generator.choice(list(CLASSES), ROWS, p=[CLASSES[name][0] for name in CLASSES])
    x, y, k = np.zeros(ROWS), np.zeros(ROWS), np.zeros(ROWS, dtype=int)
    for name in CLASSES:
        place = names == name
        x[place], y[place], k[place] = of_class(generator, name, place.sum())
    write(folder / "classes.csv", ["kind", "x", "y", "k"], [names, x.round(4), y.round(4), [TEXTS[i] for i in k]])
    counts = ", ".join(f"{name} {(names == name).sum()}" for name in CLASSES)
    print(f"## Balance: {ROWS} rows ({counts}), {len(SEEDS)} seeds; 5,000 rows of each class against as many of its law\n")
    print("| class | trained | KS of x | KS of y | KS of y - slope x | total variation of k |\n|---|---|---:|---:|---:|---:|")
    figures = {}
    for seed in SEEDS:
        for how, option in (("as they are", []), ("--balance", ["--balance"])):
            run = folder / f"balance-{seed}-{len(option)}"
            train = ["train", folder / "classes.csv", "--labels", "kind", "--seed", str(seed), "--quiet", "--out", run]
            subprocess.run([gannet, *train, *option], check=True)
            for name in CLASSES:
                out = folder / f"{run.name}-{name}.csv"
                subprocess.run([gannet, "sample", run, "--where", f"kind={name}", "--count", "5000", "--out", out], check=True, capture_output=True)
                made = read(out)
                assert set(made["kind"]) == {name}
                fresh_x, fresh_y, _ = of_class(generator, name, 5000)
                made_x, made_y = np.array(made["x"], float), np.array(made["y"], float)
                found = np.array([made["k"].count(text) for text in TEXTS]) / 5000
                figures.setdefault((name, how), []).append(distances(name, fresh_x, fresh_y, made_x, made_y, found))
    for name in CLASSES:
        place = names == name
        fresh_x, fresh_y, _ = of_class(generator, name, 5000)
        real = distances(name, fresh_x, fresh_y, x[place], y[place], np.bincount(k[place], minlength=3) / place.sum())
        print(f"| {name} | the rows of the file | " + " | ".join(f"{one:.3f}" for one in real) + " |")
        for how in ("as they are", "--balance"):
            mean, deviation = np.mean(figures[name, how], axis=0), np.std(figures[name, how], axis=0, ddof=1)
            cells = " | ".join(f"{one:.3f} ± {other:.3f}" for one, other in zip(mean, deviation))
            print(f"| {name} | {how} | {cells} |", flush=True)


def like(gannet, folder):
    generator = np.random.default_rng(1)
    names = generator.choice(list(SLOPES), ROWS, p=[0.7, 0.3])
    x = generator.normal(0, 1, ROWS)
    y = np.array([SLOPES[name] for name in names]) * x + generator.normal(0, 0.5, ROWS)
    write(folder / "lines.csv", ["way", "x", "y"], [names, x.round(4), y.round(4)])
    places = (-1.5, -0.5, 0.0, 0.5, 1.5)
    given = [(name, at) for name in SLOPES for at in places for _ in range(1000)]
    write(folder / "given.csv", ["way", "x"], list(zip(*given)))
    write(folder / "backwards.csv", ["y"], [[1.0] * 1000])
    print(f"\n## Like: {ROWS} rows, y = 2 x (up, 70 %) or -x (down) with noise of 0.5; 1,000 given rows for each line, mean over {len(SEEDS)} seeds\n")
    print("| way | x | mean of y: law | filled | deviation of y: law | filled |\n|---|---:|---:|---:|---:|---:|")
    filled, ups, noises = {}, [], []
    for seed in SEEDS:
        run = folder / f"like-{seed}"
        subprocess.run([gannet, "train", folder / "lines.csv", "--seed", str(seed), "--quiet", "--out", run], check=True)
        out = folder / f"{run.name}.csv"
        subprocess.run([gannet, "sample", run, "--count", "20000", "--out", out], check=True, capture_output=True)
        made = read(out)
        ways, numbers = np.array(made["way"]), np.array([made["x"], made["y"]], float)
        lines = [(ways == name, slope) for name, slope in SLOPES.items()]
        noises.append([(numbers[1] - slope * numbers[0])[of_way].std() for of_way, slope in lines])
        for file in ("given", "backwards"):
            out = folder / f"{run.name}-{file}.csv"
            subprocess.run([gannet, "sample", run, "--like", folder / f"{file}.csv", "--out", out], check=True, capture_output=True)
            made = read(out)
            if file == "backwards":
                ups.append(made["way"].count("up") / 1000)
                continue
            values = np.array(made["y"], float)
            assert made["way"] == [name for name, _ in given] and made["x"] == [str(at) for _, at in given]
            for start, (name, at) in zip(range(0, len(given), 1000), given[::1000]):
                part = values[start : start + 1000]
                filled.setdefault((name, at), []).append((part.mean(), part.std()))
    for (name, at), found in filled.items():
        mean, deviation = np.mean(found, axis=0)
        print(f"| {name} | {at} | {SLOPES[name] * at:.2f} | {mean:.2f} | 0.50 | {deviation:.2f} |", flush=True)
    up, down = np.mean(noises, axis=0)
    print(f"\nThe noise of y in the generator's own rows: {up:.2f} where they are up, {down:.2f} where they are down; by the law 0.50.")
    # By Bayes: y is normal with the deviation sqrt(slope^2 + 0.25) in each of the two.
    density = lambda name, share: share * np.exp(-0.5 / (SLOPES[name] ** 2 + 0.25)) / np.sqrt(SLOPES[name] ** 2 + 0.25)
    law = density("up", 0.7) / (density("up", 0.7) + density("down", 0.3))
    print(f"\nGiven y = 1 alone, {np.mean(ups):.3f} of the rows are up; by the law {law:.3f}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gannet", required=True, help="the program")
    parser.add_argument("--part", choices=("balance", "like"), help="one of the two alone")
    options = parser.parse_args()
    gannet = str(Path(options.gannet).resolve())
    with tempfile.TemporaryDirectory() as folder:
        if options.part != "like":
            balance(gannet, Path(folder))
        if options.part != "balance":
            like(gannet, Path(folder))


if __name__ == "__main__":
    main()
