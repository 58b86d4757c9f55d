"""What the tests share."""

import importlib
import os

import numpy as np
import pytest

# Networks of a few units, so that steps take microseconds.
SMALL = {
    "gan": {
        "generator": {"layers": [{"inputs": 2, "outputs": 8}, {"inputs": 8, "outputs": 3}]},
        "discriminator": {"layers": [{"inputs": 3, "outputs": 8}, {"inputs": 8, "outputs": 1}]},
        "generator_optimizer": {"kind": "adam", "learning_rate": 0.001},
        "discriminator_optimizer": {"kind": "adam", "learning_rate": 0.001},
    }
}


def needed(name):
    """The module of this name. Without it the caller is skipped; where GANNET_CI is set, a skipped test is a failed one."""
    return importlib.import_module(name) if "GANNET_CI" in os.environ else pytest.importorskip(name)


@pytest.fixture
def small():
    """Settings of a small GAN of three features."""
    return SMALL


@pytest.fixture
def rows():
    """A table of three columns of different scales."""
    random = np.random.default_rng(3)
    return np.round(random.normal([5, -3, 100], [1, 2, 30], (300, 3)), 4)


@pytest.fixture
def floats(rows):
    """The same table near 0, as float32 in C order."""
    return ((rows - rows.mean(0)) / rows.std(0)).astype(np.float32)
