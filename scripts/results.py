#!/usr/bin/env python3
"""Trains every preset with several seeds, measures each run, and writes the tables of docs/results.md.

    scripts/results.py                  all presets but mnist: some ten minutes
    scripts/results.py --mnist DIR      mnist as well, from the four IDX files in DIR: some 20 minutes more
    scripts/results.py --only digits    some presets alone; the tables of the others stay

Needs cargo and Python 3.8 or newer, nothing else. Runs go to a new folder under runs/, or to that of --out, where finished
ones are not trained again. Only what stands between the markers in docs/results.md is replaced.
"""

import argparse
import array
import ast
import datetime
import json
import math
import pathlib
import re
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "target/release/gannet"
DOCUMENT = ROOT / "docs/results.md"

# The medians and the ranges from 5 to 95 % are repeated in src/metrics/references.rs, which the program shows; a test holds
# both against each other. Beside them stands what a right implementation reaches: PyTorch 2.15 or JAX 0.10 on the same recipe. Measures without a reference of their
# own are held against the truth or against real samples.
CIRCLE = {
    "sliced_wasserstein": "sliced 1-Wasserstein distance",
    "mean_radius": "mean radius",
    "radius_sd": "s.d. of the radius",
    "sector_coverage": "share of sectors covered",
}
MIXTURE = {"mean": "mean", "sd": "standard deviation", "wasserstein1": "1-Wasserstein distance"}
SECTIONS = [
    {
        "key": "circle-100",
        "preset": "circle",
        "options": ["--epochs", "100"],
        "seeds": 20,
        "measures": CIRCLE,
        "references": ["0.036-0.039 (two sets of real points: 0.012)", "0.98-1.02", "0.07-0.10", "1.0"],
    },
    {
        "key": "circle-300",
        "preset": "circle",
        "options": ["--epochs", "300"],
        "seeds": 20,
        "measures": CIRCLE,
        "references": ["0.031-0.074", "0.955-1.03", "0.046-0.073", "1.0"],
    },
    {
        "key": "mixture1d",
        "preset": "mixture1d",
        "options": [],
        "seeds": 20,
        "measures": MIXTURE,
        "references": ["4.4-4.6 (true: 4.5)", "0.12-1.26 (true: 2.32)", "0.94-1.80"],
    },
    {
        "key": "mixture1d-deep",
        "preset": "mixture1d-deep",
        "options": [],
        "seeds": 20,
        "measures": MIXTURE,
        "references": ["true: 4.5", "true: 2.32", "to be reached: median at most 0.15"],
    },
    {
        "key": "gaussian2d",
        "preset": "gaussian2d",
        "options": [],
        "seeds": 20,
        "measures": {
            "covariance_error": "largest error of the covariance over 4.25",
            "mean_distance": "distance of the bias from mu",
        },
        "references": ["0.05-0.19 (published runs: 0.18, 0.23)", "0.07-0.15 (published runs: 0.02, 0.05)"],
    },
    {
        "key": "digits",
        "preset": "digits",
        "options": [],
        "seeds": 20,
        "measures": {
            "parzen_nats": "Parzen-window log-likelihood, nats an image",
            "classes_covered": "classes covered",
            "smallest_class": "share of the rarest class",
            "pixel_sd": "s.d. of a pixel, mean of all pixels",
            "nearest": "distance to the nearest real image",
        },
        "references": None,
    },
    {
        "key": "mnist",
        "preset": "mnist",
        "options": ["--epochs", "20", "--save-epochs", "10"],
        "seeds": 3,
        "checkpoint": 10,
        "measures": {
            "parzen_nats_at_checkpoint": "Parzen-window log-likelihood, nats an image, after 10 epochs",
            "parzen_nats": "the same after 20 epochs",
            "classes_covered_at_checkpoint": "classes covered after 10 epochs",
            "classes_covered": "the same after 20 epochs",
        },
        "references": ["65", "71", "10", "10"],
    },
]


def output(*command):
    """Standard output of a command that must succeed."""
    return subprocess.run([str(part) for part in command], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def train_and_measure(section, seed, folder, data):
    """One run: its measures, and `seconds` of training."""
    run = folder / f"{section['key']}-seed{seed}"
    options = section["options"] + (["--data", data] if data else [])
    if not (run / "run.json").exists():
        output(PROGRAM, "train", section["preset"], "--seed", seed, *options, "--quiet", "--out", run)
    training = json.loads((run / "run.json").read_text())
    measures = dict(evaluate(run, data), seconds=training["seconds"])
    if "checkpoint" in section:
        checkpoint = run / f"models/epoch-{section['checkpoint']:03}.safetensors"
        measures.update((f"{name}_at_checkpoint", value) for name, value in evaluate(checkpoint, data).items())
    if section["preset"] == "digits":
        images = folder / "digits.npy"
        output(PROGRAM, "sample", run, "--count", Digits.WINDOWS, "--seed", seed + 1, "--out", images, "--force")
        measures.update(Digits.shared().measure(read_npy(images)))
    return measures


def evaluate(model, data):
    """The measures of a run, or of a model file in it."""
    options = ["--data", data] if data else []
    return json.loads(output(PROGRAM, "evaluate", model, *options, "--json"))["metrics"]


def read_npy(path):
    """The rows of a two-dimensional .npy file of little-endian f32, as tuples."""
    content = path.read_bytes()
    start = 10 + int.from_bytes(content[8:10], "little")
    header = ast.literal_eval(content[10:start].decode())
    assert header["descr"] == "<f4" and not header["fortran_order"], header
    values = array.array("f")
    values.frombytes(content[start:])
    width = math.prod(header["shape"][1:])
    return [tuple(values[i : i + width]) for i in range(0, len(values), width)]


class Digits:
    """Measures of generated digits beside the same measures of real ones.

    There is no test set: the reference uses one half of the 1,797 images against the other. Pixels are in [0, 1].
    """

    WINDOWS = 799
    VALIDATION = 100
    # As in gannet's own estimate: ten values from 0.1 to 1, evenly spaced in the logarithm.
    SIGMAS = [10 ** (i / 9 - 1) for i in range(10)]
    instance = None

    @classmethod
    def shared(cls):
        """The one instance: the images are read once."""
        cls.instance = cls.instance or cls()
        return cls.instance

    def __init__(self):
        pixels = (ROOT / "assets/digits.bin").read_bytes()
        self.real = [tuple(p / 16 for p in pixels[i : i + 64]) for i in range(0, len(pixels), 64)]
        self.labels = (ROOT / "assets/digits_labels.bin").read_bytes()
        self.validation = self.real[: self.VALIDATION]
        self.test = self.real[self.VALIDATION + self.WINDOWS :]

    def measure(self, samples):
        """Of samples with pixels in [-1, 1]."""
        samples = [tuple(0.5 * value + 0.5 for value in row) for row in samples]
        nearest = [min((math.dist(row, other), label) for other, label in zip(self.real, self.labels)) for row in samples]
        counts = [sum(label == digit for _, label in nearest) for digit in range(10)]
        return {
            "parzen_nats": self.likelihood(samples),
            "smallest_class": min(counts) / len(samples),
            "nearest": statistics.mean(distance for distance, _ in nearest),
        }

    def references(self):
        """The same of real images, in the order of the table."""
        windows = self.real[self.VALIDATION : self.VALIDATION + self.WINDOWS]
        near = statistics.mean(
            min(math.dist(row, other) for j, other in enumerate(self.real) if j != i)
            for i, row in enumerate(self.real[: self.WINDOWS])
        )
        smallest = min(self.labels.count(digit) for digit in range(10)) / len(self.labels)
        nats = self.likelihood(windows)
        return [f"real: {nats:.1f}", "10", f"real: {smallest:.3f}", "real: 0.460", f"real, to another one: {near:.2f}"]

    def likelihood(self, windows):
        """Mean log-density of the test images under Parzen windows, their width chosen on the validation images."""
        squares = [[math.dist(row, window) ** 2 for window in windows] for row in self.validation]
        sigma = max(self.SIGMAS, key=lambda sigma: self.mean_density(squares, sigma))
        return self.mean_density([[math.dist(row, window) ** 2 for window in windows] for row in self.test], sigma)

    @staticmethod
    def mean_density(rows, sigma):
        def density(squares):
            nearest = min(squares)
            total = sum(math.exp((nearest - square) / (2 * sigma * sigma)) for square in squares)
            return math.log(total / len(squares)) - nearest / (2 * sigma * sigma)

        return statistics.mean(map(density, rows)) - 32 * math.log(2 * math.pi * sigma * sigma)


def number(value):
    """As many figures as the references have."""
    if value == round(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def quantile(values, share):
    """The quantile of a few values, by linear interpolation between them."""
    values = sorted(values)
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


def table(section, runs):
    """The Markdown of a section."""
    options = "".join(f" {option}" for option in section["options"])
    data = " --data DIR" if section["preset"] == "mnist" else ""
    references = section["references"] or Digits.shared().references()
    seconds = statistics.median(run["seconds"] for run in runs)
    checkpoint = ""
    if "checkpoint" in section:
        checkpoint = f" and `gannet evaluate RUN/models/epoch-{section['checkpoint']:03}.safetensors`"
    lines = [
        f"`gannet train {section['preset']}{options}{data} --seed S --out RUN` and `gannet evaluate RUN`{checkpoint},"
        f" S = 0 to {len(runs) - 1}; training took {number(seconds)} s (median).",
        "",
        f"| measure | median | 5 to 95 % | range | {'PyTorch, JAX' if section['references'] else 'reference'} |",
        "|---|---:|---:|---:|---|",
    ]
    for (field, words), reference in zip(section["measures"].items(), references):
        values = [run[field] for run in runs]
        span = f"{number(min(values))} to {number(max(values))}"
        most = f"{number(quantile(values, 0.05))} to {number(quantile(values, 0.95))}" if len(values) >= 5 else "too few seeds"
        lines.append(f"| {words} | {number(statistics.median(values))} | {most} | {span} | {reference} |")
    return "\n".join(lines)


def provenance():
    """Where and with what the figures came about."""
    info = json.loads(output(PROGRAM, "info", "--json"))
    commit = output("git", "rev-parse", "--short=10", "HEAD").strip()
    changed = " with changes" if output("git", "status", "--porcelain", "src", "assets", "cli").strip() else ""
    rustc = output("rustc", "--version").split()[1]
    return (
        f"{datetime.date.today()}, commit {commit}{changed}, {info['processor']} ({info['cores']} cores,"
        f" {info['isa']}), engine {info['engines'][0]}, rustc {rustc}."
    )


def replace(text, key, content):
    """`text` with `content` between the markers of `key`."""
    pattern = re.compile(rf"(<!-- {re.escape(key)} -->\n).*?(<!-- end -->)", re.DOTALL)
    assert len(pattern.findall(text)) == 1, f"docs/results.md has no place for {key}"
    return pattern.sub(lambda found: f"{found[1]}{content}\n{found[2]}", text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", metavar="DIR", help="folder with the IDX files of MNIST")
    parser.add_argument("--only", metavar="PRESET", nargs="+", help="these presets alone")
    parser.add_argument("--out", metavar="DIR", type=pathlib.Path, help="folder of the runs; those that it has are kept")
    arguments = parser.parse_args()

    subprocess.run(["cargo", "build", "--release", "--target-dir", "target"], cwd=ROOT, check=True)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        folder = arguments.out.resolve()
    else:
        (ROOT / "runs").mkdir(exist_ok=True)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="results-", dir=ROOT / "runs"))
    data = arguments.mnist and pathlib.Path(arguments.mnist).resolve()
    for section in SECTIONS:
        mnist = section["preset"] == "mnist"
        if (mnist and not data) or (arguments.only and section["preset"] not in arguments.only):
            continue
        runs = []
        for seed in range(section["seeds"]):
            runs.append(train_and_measure(section, seed, folder, data if mnist else None))
            print(section["key"], "seed", seed, {name: round(value, 4) for name, value in runs[-1].items()}, flush=True)
        # Each section at once: a run that is cut short keeps what is measured.
        written = replace(DOCUMENT.read_text(), section["key"], f"{table(section, runs)}\n\n{provenance()}")
        DOCUMENT.write_text(written)
    print(f"the runs are in {folder}")


if __name__ == "__main__":
    main()
