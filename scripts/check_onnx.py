#!/usr/bin/env python3
"""Exports both networks of runs as ONNX files, has ONNX's own checker look at them, and holds the samples of ONNX Runtime against those
that `gannet sample` makes of the same latents.

Needs the packages `onnx` and `onnxruntime` (1.23.2 and 1.32.0 are tested):

    scripts/check_onnx.py GANNET RUN...

A table's numbers must have been standardized (`--numbers standard`): quantiles and categories are undone by gannet alone. The program
puts the column of the classes in its place among the others; an exported network takes them as conditions, and it is left out here.

A number may differ by 1e-5 of its column's scale, or of 1 where there is none. What differs more is told, and the exit code is 1.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

ROWS = 1_000
MOST = 1e-5


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


def place_of_classes(program, run, numbers):
    """The place of the one column of a table that is none of its numbers."""
    header = subprocess.run([program, "sample", run, "--count", "1", "--format", "csv", "--out", "-"], check=True, capture_output=True, text=True)
    columns = header.stdout.splitlines()[0].split(",")
    (place,) = [place for place, name in enumerate(columns) if name not in numbers]
    return place


def check(program, run, folder):
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
    (found,) = generator.run(["samples"], inputs)

    np.save(folder / "latents.npy", latents)
    call(program, "sample", run, "--latents", folder / "latents.npy", *labels, "--force", "--out", folder / "s.npy")
    expected = np.load(folder / "s.npy")
    if classes and "columns" in metadata:
        expected = np.delete(expected, place_of_classes(program, run, metadata["columns"]), axis=1)
    assert found.shape == expected.shape, f"{found.shape} instead of {expected.shape}"
    assert found.dtype == expected.dtype, f"{found.dtype} instead of {expected.dtype}"
    assert len(np.unique(found, axis=0)) > ROWS // 2, "the samples are all but one"
    scale = np.array(metadata.get("scale", 1.0))
    scale = np.where(scale == 0.0, 1.0, scale)

    # The discriminator takes samples as it was trained on them; a number for each is enough here.
    _, discriminator = session(program, run, "discriminator", folder)
    judged = {value.name: random.standard_normal((3, value.shape[1]), dtype=np.float32) for value in discriminator.get_inputs()}
    (logits,) = discriminator.run(["logits"], judged)
    assert logits.shape[0] == 3 and np.isfinite(logits).all()
    return float(np.max(np.abs(found - expected) / scale))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the program gannet")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folders of runs")
    arguments = parser.parse_args()
    failed = False
    for run in arguments.runs:
        with tempfile.TemporaryDirectory() as folder:
            apart = check(arguments.program, run, pathlib.Path(folder))
        # NaN fails, too.
        good = apart <= MOST
        failed |= not good
        print(f"{run}: {'agrees' if good else 'DIFFERS'}, to {apart:.1e}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
