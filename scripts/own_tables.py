#!/usr/bin/env python3
"""Writes the tables of docs/own-data.md: those that the defaults for own data were chosen by, and the rows that they were measured on.

    scripts/own_tables.py DIR        NAME.csv to train on, and NAME-test.csv, rows that the training does not see

Needs Python 3.9 or newer, NumPy, SciPy and scikit-learn. All are drawn from one stream, in this order, so that a table is the same every time.
"""

import argparse
import pathlib

import numpy as np
from scipy.stats import norm, t
from sklearn import datasets

ROWS, TEST_ROWS, MANY_ROWS = 20_000, 5_000, 100_000


def mix1(random, count):
    """Three normal distributions of different width."""
    mode = random.choice(3, count, p=[0.5, 0.3, 0.2])
    return np.c_[np.array([-3, 0, 5.0])[mode] + np.array([0.3, 1, 0.6])[mode] * random.normal(size=count)]


def ring8(random, count):
    """Eight narrow modes on a circle."""
    angle = random.integers(8, size=count) * np.pi / 4
    return np.c_[np.cos(angle), np.sin(angle)] + 0.01 * random.normal(size=(count, 2))


def grid25(random, count):
    """Twenty-five narrow modes."""
    return (random.integers(5, size=(count, 2)) * 2 - 4) + 0.05 * random.normal(size=(count, 2))


def moons(count, seed):
    """Two half circles."""
    return datasets.make_moons(count, noise=0.05, random_state=seed)[0]


def swiss(count, seed):
    """A spiral."""
    return datasets.make_swiss_roll(count, noise=0.2, random_state=seed)[0][:, [0, 2]]


def mixed(random, count, columns, seed):
    """Correlated normal numbers, their columns in turn normal, log-normal, bimodal, heavy-tailed, and of seven values."""
    fixed = np.random.default_rng(seed)
    rank = max(2, columns // 2)
    weights = fixed.normal(size=(columns, rank)) / np.sqrt(rank)
    normal = random.normal(size=(count, rank)) @ weights.T + 0.4 * random.normal(size=(count, columns))
    normal /= normal.std(0)
    forms = [
        lambda z: z,
        np.exp,
        lambda z: np.sign(z) * 2 + 0.5 * z,
        lambda z: t.ppf(np.clip(norm.cdf(z), 1e-9, 1 - 1e-9), 3),
        lambda z: np.round(np.clip(2 * z + 3, 0, 6)),
    ]
    return np.stack([forms[column % 5](normal[:, column]) for column in range(columns)], 1)


def low(random, count, columns, dimensions, seed):
    """Four clusters in a few dimensions, mapped to many columns, with noise."""
    fixed = np.random.default_rng(seed)
    weights, cluster = fixed.normal(size=(columns, dimensions)), random.integers(4, size=count)
    centers = fixed.normal(size=(4, dimensions)) * 1.5
    points = centers[cluster] + random.normal(size=(count, dimensions))
    return points @ weights.T / np.sqrt(dimensions) + 0.1 * random.normal(size=(count, columns))


def tables():
    """Every table with its name."""
    random = np.random.default_rng(1)
    yield "mix1", mix1(random, ROWS)
    yield "mix1-150", mix1(random, 150)
    yield "ring8", ring8(random, MANY_ROWS)
    yield "grid25", grid25(random, MANY_ROWS)
    yield "ring8-1000", ring8(random, 1_000)
    yield "moons", moons(ROWS, 1)
    yield "moons-150", moons(150, 2)
    yield "swiss", swiss(ROWS, 1)
    yield "mixed5", mixed(random, ROWS, 5, 5)
    yield "mixed10", mixed(random, ROWS, 10, 10)
    yield "mixed10-300", mixed(random, 300, 10, 10)
    yield "mixed30", mixed(random, ROWS, 30, 30)
    yield "low100", low(random, ROWS, 100, 8, 3)
    yield "low100-500", low(random, 500, 100, 8, 3)
    yield "mix1-test", mix1(random, TEST_ROWS)
    yield "ring8-test", ring8(random, TEST_ROWS)
    yield "grid25-test", grid25(random, TEST_ROWS)
    yield "moons-test", moons(TEST_ROWS, 9)
    yield "swiss-test", swiss(TEST_ROWS, 9)
    for columns in (5, 10, 30):
        yield f"mixed{columns}-test", mixed(random, TEST_ROWS, columns, columns)
    yield "low100-test", low(random, TEST_ROWS, 100, 8, 3)
    for name in ("iris", "wine", "breast_cancer"):
        rows = getattr(datasets, f"load_{name}")().data
        order = np.random.default_rng(0).permutation(len(rows))
        train = len(rows) * 2 // 3
        yield f"{name}-train", rows[order[:train]]
        yield f"{name}-test", rows[order[train:]]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", metavar="DIR", type=pathlib.Path)
    folder = arguments.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables():
        header = ",".join(f"c{column}" for column in range(rows.shape[1]))
        np.savetxt(folder / f"{name}.csv", rows, delimiter=",", header=header, comments="", fmt="%.7g")


if __name__ == "__main__":
    main()
