"""The four presets, the data made for them, and the timing that the Python peers share."""

import dataclasses
import json
import math
import statistics
import sys
import time

import numpy as np

# A row is timed this long, in so many parts of which the median counts: as `gannet bench` does it.
ROW_SECONDS = 1.0
PARTS = 9


@dataclasses.dataclass(frozen=True)
class Preset:
    """Networks, objective, order, optimizer and data of a preset."""

    generator: tuple
    discriminator: tuple
    # The negative slope of the hidden layers' ReLU.
    slope: float
    # After each hidden layer of D.
    dropout: float
    tanh_output: bool
    # What G minimizes: "minimax", "non-saturating" or "softmax".
    objective: str
    # D's loss is this factor times the sum of its means over real samples and fakes.
    discriminator_factor: float
    # "discriminator-first" (new latents for G), "discriminator-first-shared" or "generator-first-shared" (the same fakes).
    order: str
    # "adam" or "sgd".
    optimizer: str
    learning_rate: float
    samples: int
    shuffled: bool
    # Whether R1 and R2, each of weight 1, join D's loss in every step.
    penalized: bool = False

    @property
    def latents(self):
        return self.generator[0]

    @property
    def features(self):
        return self.generator[-1]


PRESETS = {
    "circle": Preset(
        (2, 16, 32, 2), (2, 128, 64, 32, 1), 0.0, 0.2, False,
        "minimax", 1.0, "discriminator-first", "adam", 0.001, 1_024, True,
    ),
    "mixture1d": Preset(
        (1, 3, 1), (1, 1), 0.0, 0.0, False,
        "non-saturating", 0.5, "generator-first-shared", "sgd", 0.01, 10_000, True,
    ),
    "gaussian2d": Preset(
        (2, 2), (2, 20, 10, 2), 0.0, 0.0, False,
        "softmax", 1.0, "discriminator-first-shared", "adam", 0.01, 3_200, False,
    ),
    "mnist": Preset(
        (100, 256, 512, 1024, 784), (784, 1024, 512, 256, 1), 0.2, 0.3, True,
        "non-saturating", 1.0, "discriminator-first", "adam", 0.0002, 60_000, True,
    ),
}  # fmt: skip

PRESETS |= {f"{name}+r1r2": dataclasses.replace(PRESETS[name], penalized=True) for name in ("circle", "mnist")}


def made_data(preset, batch):
    """Samples in [-1, 1) and, where the preset shuffles, the order in which they are gathered.

    Never fewer samples than a batch. The order is shuffled once: a peer does not pay for doing it again each epoch.
    """
    random = np.random.default_rng(1)
    count = max(preset.samples, batch)
    samples = random.uniform(-1, 1, (count, preset.features)).astype(np.float32)
    order = random.permutation(count) if preset.shuffled else np.arange(count)
    return samples, order


def initial(sizes):
    """Weights [outputs, inputs] and biases as PyTorch draws them: U(-1/sqrt(inputs), 1/sqrt(inputs))."""
    random = np.random.default_rng(2)
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        bound = 1 / math.sqrt(inputs)
        weight = random.uniform(-bound, bound, (outputs, inputs)).astype(np.float32)
        layers.append((weight, random.uniform(-bound, bound, outputs).astype(np.float32)))
    return layers


def measure(run):
    """The median units a second of `run(units)`, which returns when the units are done."""
    part = ROW_SECONDS / PARTS

    def seconds(units):
        start = time.perf_counter()
        run(units)
        return time.perf_counter() - start

    # The first unit may be compiled first.
    seconds(1)
    start = time.perf_counter()
    # As many units as fill a part: doubled until they can be timed, which also warms everything up.
    units = 1
    while (taken := seconds(units)) < part / 4:
        units *= 2
    units = max(1, round(units * part / taken))
    rates = []
    for _ in range(PARTS):
        rates.append(units / seconds(units))
        # A unit may take seconds: then fewer parts have to do.
        if time.perf_counter() - start > 4 * ROW_SECONDS:
            break
    return statistics.median(rates)


def report(rate, losses, **settings):
    """Prints the result, unless training broke down: then ends with an error."""
    if not all(math.isfinite(loss) for loss in losses):
        sys.exit(f"the losses are not finite: {losses}")
    print(json.dumps({"samples_per_second": rate, "losses": losses, **settings}))
