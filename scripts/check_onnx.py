#!/usr/bin/env python3
"""Exports both networks of runs as ONNX files, has ONNX's own checker look at them, and holds what ONNX Runtime makes of them against gannet:
samples of a generator against those that `gannet sample` makes of the same latents, logits of a discriminator against those that NumPy makes in
64 bits of the weights that `gannet export` writes for PyTorch.

Needs the packages `onnx` and `onnxruntime` (1.23.2 and 1.32.0 are tested):

    scripts/check_onnx.py GANNET RUN...

The program puts the column of the classes among the others, and columns that no generator makes; here the columns of the exported network count.

A number may differ by 1e-5 of its column's scale: of a table learned by quantiles the range of the column, of 1 where there is no table, and of
logits the largest. What differs more is told, and the exit code is 1. Numbers on a grid, and such as are frequent, jump where the scores of
both lie on either side of a border: a few may.
"""

import argparse
import csv
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

ROWS = 1_000
MOST = 1e-5
# The part of the rows that may lie on the other side of a jump.
MOST_JUMPS = 0.002


def call(*arguments):
    """Runs the program, and shows what it says if it fails."""
    outcome = subprocess.run(arguments, stderr=subprocess.PIPE, text=True)
    if outcome.returncode:
        sys.exit(outcome.stderr)


def session(program, run, network, folder):
    """The exported network: its metadata, and a session that runs it."""
    path = folder / f"{network}.onnx"
    call(program, "export", run, "--network", network, "--format", "onnx", "--force", "--out", path)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]
    metadata = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    return metadata, onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def columns_of(program, run):
    """The names of all columns of a table."""
    header = subprocess.run([program, "sample", run, "--count", "1", "--format", "csv", "--out", "-"], check=True, capture_output=True, text=True)
    return next(csv.reader(header.stdout.splitlines()))


def check_probabilities(metadata, samples, probabilities):
    """The group of each column has a sum of 1, and its largest value is what the samples have."""
    first = 0
    for name, size in metadata["groups"]:
        group = probabilities[:, first : first + size]
        first += size
        assert np.abs(group.sum(axis=1) - 1.0).max() < 1e-5, name
        values = samples[:, metadata["columns"].index(name)]
        best = group.argmax(axis=1)
        if name in metadata.get("categories", {}):
            assert size >= len(metadata["categories"][name])
            assert (values[~np.isnan(values)] == best[~np.isnan(values)]).all(), name
        elif size == 2 and np.isnan(values).any():
            assert (np.isnan(values) == (best == 1)).all(), name
    assert first == probabilities.shape[1]


def check_generator(program, run, folder):
    """How far the samples of a run lie apart."""
    metadata, generator = session(program, run, "generator", folder)
    random = np.random.default_rng(1)
    latents = random.standard_normal((ROWS, generator.get_inputs()[0].shape[1]), dtype=np.float32)
    inputs, labels = {"latents": latents}, []
    classes = metadata.get("classes", [])
    if classes:
        labels = ["--label", ",".join(classes)]
        inputs["conditions"] = np.eye(len(classes), dtype=np.float32)[np.arange(ROWS) % len(classes)]
    assert [value.name for value in generator.get_inputs()] == list(inputs)
    outputs = dict(zip((value.name for value in generator.get_outputs()), generator.run(None, inputs)))
    found = outputs["samples"]

    np.save(folder / "latents.npy", latents)
    call(program, "sample", run, "--latents", folder / "latents.npy", *labels, "--force", "--out", folder / "s.npy")
    expected = np.load(folder / "s.npy")
    if "columns" in metadata:
        names = columns_of(program, run)
        expected = expected[:, [names.index(name) for name in metadata["columns"]]]
    assert found.shape == expected.shape, f"{found.shape} instead of {expected.shape}"
    assert found.dtype == expected.dtype, f"{found.dtype} instead of {expected.dtype}"
    assert len(np.unique(found, axis=0)) > ROWS // 2, "the samples are all but one"
    assert (("probabilities" in outputs) == ("groups" in metadata)), "groups have probabilities"
    if "groups" in metadata:
        check_probabilities(metadata, found, outputs["probabilities"])

    is_missing = np.isnan(expected)
    range_of = np.ptp(np.where(is_missing, np.nanmean(expected, axis=0), expected), axis=0)
    scale = np.array(metadata.get("scale", range_of if "columns" in metadata else 1.0))
    scale = np.where(scale == 0.0, 1.0, scale)
    apart = np.where(is_missing & np.isnan(found), 0.0, np.abs(found - expected) / scale)
    if "scale" not in metadata and "columns" in metadata:
        # The border of a jump lies between few of them.
        jumps = ~(apart <= MOST)
        assert jumps.sum(axis=0).max() <= MOST_JUMPS * ROWS, f"of the columns so many differ: {jumps.sum(axis=0)}"
        apart = np.where(jumps, 0.0, apart)
    return float(np.max(apart))


def tensors_of(path):
    """The tensors of a safetensors file."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    values = data[8 + length :]
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    of = lambda entry: np.frombuffer(values[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"]).astype(np.float64)
    return {name: of(entry) for name, entry in header.items()}


def computed(modules, tensors, x):
    """What the modules of a printed Sequential make of rows, in 64 bits."""
    for index, (name, arguments) in enumerate(re.findall(r"nn\.(\w+)\(([^)]*)\)", modules.removeprefix("nn.Sequential("))):
        of = lambda part: tensors.get(f"{index}.{part}", 0.0)
        if name == "Linear":
            x = x @ of("weight").T + of("bias")
        elif name == "LayerNorm":
            x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5) * of("weight") + of("bias")
        elif name == "BatchNorm1d":
            x = (x - of("running_mean")) / np.sqrt(of("running_var") + 1e-5) * of("weight") + of("bias")
        elif name == "LeakyReLU":
            x = np.where(x > 0, x, float(arguments) * x)
        else:
            x = {"ReLU": lambda x: np.maximum(x, 0), "Tanh": np.tanh, "Sigmoid": lambda x: 1 / (1 + np.exp(-x)), "Dropout": lambda x: x}[name](x)
    return x


def check_discriminator(program, run, folder):
    """How far the logits of a run lie apart."""
    _, discriminator = session(program, run, "discriminator", folder)
    random = np.random.default_rng(2)
    judged = {value.name: random.standard_normal((ROWS, value.shape[1]), dtype=np.float32) for value in discriminator.get_inputs()}
    (found,) = discriminator.run(["logits"], judged)
    path = folder / "d.safetensors"
    printed = subprocess.run([program, "export", run, "--network", "discriminator", "--force", "--out", path], check=True, capture_output=True, text=True)
    _, modules = printed.stdout.strip().split(" = ", 1)
    expected = computed(modules, tensors_of(path), np.concatenate(list(judged.values()), axis=1).astype(np.float64))
    assert found.shape == expected.shape, f"{found.shape} instead of {expected.shape}"
    assert np.ptp(expected) > 0, "the logits are all one"
    return float(np.max(np.abs(found - expected)) / np.abs(expected).max())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the program gannet")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folders of runs")
    arguments = parser.parse_args()
    failed = False
    for run in arguments.runs:
        with tempfile.TemporaryDirectory() as folder:
            apart = [check(arguments.program, run, pathlib.Path(folder)) for check in (check_generator, check_discriminator)]
        # NaN fails, too.
        good = all(part <= MOST for part in apart)
        failed |= not good
        print(f"{run}: {'agrees' if good else 'DIFFERS'}, samples to {apart[0]:.1e}, logits to {apart[1]:.1e}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
