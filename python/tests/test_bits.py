"""The same data, seed and settings give the same bits, whoever trains."""

import hashlib
import json
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gannet
from conftest import needed

ROOT = Path(__file__).resolve().parent.parent.parent
STEPS = 60


def sha256(gan):
    """The hash of the parameters, of a file as the program writes it."""
    return hashlib.sha256(gan._state.trainer.model_bytes()).hexdigest()


def program(*arguments):
    """Runs the program."""
    subprocess.run([sys.executable, "-m", "gannet", *map(str, arguments)], check=True, capture_output=True)


def table(path, columns, names):
    """Writes a table that reads back as the same numbers."""
    lines = [",".join(names)] + [",".join(repr(float(value)) for value in row) for row in zip(*columns)]
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("numbers", ["standard", "quantile"])
def test_the_program_learns_the_same_and_makes_the_same_rows(tmp_path, rows, labelled, numbers):
    rows = np.column_stack([rows[:, 0], np.full(len(rows), 7.5), rows[:, 1:]])
    kinds = np.arange(len(rows)) % 3
    table(tmp_path / "t.csv", [*rows.T, kinds] if labelled else rows.T, "abcd" + "k" * labelled)
    run = tmp_path / "run"
    labels = ["--labels", "k"] if labelled else []
    settings = ["--seed", 5, "--steps", STEPS, "--numbers", numbers, "--quiet", *labels]
    program("train", tmp_path / "t.csv", *settings, "--out", run)
    gan = gannet.Gan(steps=STEPS, random_state=5, standardize=True if numbers == "standard" else None)
    gan.fit(rows, kinds if labelled else None)
    assert sha256(gan) == json.loads((run / "run.json").read_text())["model_sha256"]

    program("sample", run, "--seed", 9, "--count", 40, "--out", tmp_path / "s.csv")
    sampled = np.loadtxt(tmp_path / "s.csv", delimiter=",", skiprows=1)
    # The program writes the decimals of the file, and calibrates quantiles by other samples.
    apart = np.abs(gan.sample(40, random_state=9) - sampled[:, :4])
    assert apart.max() <= 1e-3 if numbers == "standard" else (np.median(apart, axis=0) < 0.05 * rows.std(0) + 1e-9).all()
    if labelled:
        assert (gan.sample(40, 9, return_labels=True)[1] == sampled[:, 4]).all()


@pytest.mark.parametrize("kind", ["csv", "npy", "gaps"])
def test_the_program_learns_the_same_of_columns_with_few_values(tmp_path, rows, kind):
    place = np.arange(len(rows))
    columns = [
        (place % 100 < 6).astype(float),
        np.full(len(rows), -1.5),
        np.where(place % 5 == 0, -9999.0, rows[:, 0]),
        np.array([3.0, 1.0, 2.0])[np.minimum(place % 7, 2)],
        7.0 * (place * place % 211),
        rows[:, 1],
    ]
    if kind == "gaps":
        columns[5][::4] = columns[0][::9] = np.nan
    matrix = np.column_stack(columns)
    file = tmp_path / ("t.csv" if kind == "csv" else "t.npy")
    if kind == "csv":
        table(file, columns, "abcdef")
    else:
        np.save(file, matrix)
    program("train", file, "--seed", 5, "--steps", STEPS, "--quiet", "--out", tmp_path / "run")
    expected = json.loads((tmp_path / "run/run.json").read_text())["model_sha256"]
    assert sha256(gannet.Gan(steps=STEPS, random_state=5).fit(matrix)) == expected
    frame = needed("pandas").DataFrame(matrix)
    frame[[1, 4]] = frame[[1, 4]].astype(np.float32)
    gan = gannet.Gan(steps=STEPS, random_state=5).fit(frame)
    assert sha256(gan) == expected
    stopped = gannet.Gan(steps=STEPS, random_state=5).fit(frame, progress=lambda report: report.step == 23)
    assert sha256(pickle.loads(pickle.dumps(stopped)).train(X=frame)) == expected


def fnv(*arrays):
    """FNV-1a over the bits of arrays of float32."""
    found = 0xCBF29CE484222325
    for byte in b"".join(np.ascontiguousarray(array, "<f4").tobytes() for array in arrays):
        found = (found ^ byte) * 0x100000001B3 % 2**64
    return f"{found:016x}"


@pytest.mark.skipif(gannet.info()["isa"] == "portable", reason="the documents have the bits of a fused multiply-add")
def test_one_job_has_the_bits_of_the_documents(tmp_path):
    """The job of `capi/tests/c/one_job.c`, which Rust and C do in `capi/tests/c_programs.rs`: their hashes stand in the same two files."""
    images = np.frombuffer((ROOT / "assets/digits.bin").read_bytes(), np.uint8).reshape(-1, 64).astype(np.float32) / 8 - 1
    trainer = gannet.Trainer("digits", images, batch=64, seed=1, threads=2)
    trainer.run(300)
    model = hashlib.sha256(trainer.model_bytes()).hexdigest()
    assert f"| `digits` | 64 | 300 | 1 | `{model}` |" in (ROOT / "docs/hashes.md").read_text()
    program("train", "digits", "--batch", 64, "--steps", 300, "--seed", 1, "--quiet", "--out", tmp_path / "run")
    assert json.loads((tmp_path / "run/run.json").read_text())["model_sha256"] == model
    samples = trainer.sampler().sample(100, seed=3, first=10)

    rows, index = images[:64], np.arange(64 * 64)
    fakes = ((index * 7919 % 2001).astype(np.float32) / np.float32(1000) - np.float32(1)).reshape(64, 64)
    loss = gannet.ModularLoss("digits", batch=64, seed=1, threads=2)
    for _ in range(5):
        gradient, _ = loss.step(fakes, rows)
    network = gannet.Network("digits", "discriminator", batch=64, seed=1, threads=2)
    answers = network.forward(rows, training_seed=5)
    of_rows = network.backward(np.ones((64, 1), np.float32))
    found = {
        "samples": fnv(samples),
        "loss": fnv(gradient, *loss.parameters().values()),
        "network": fnv(answers, of_rows, *network.gradients().values()),
    }
    assert found == dict(line.split() for line in (ROOT / "capi/tests/one_job.txt").read_text().splitlines())


def test_defaults_are_the_programs(tmp_path, rows):
    table(tmp_path / "t.csv", rows.T, "abc")
    command = [sys.executable, "-m", "gannet", "train", tmp_path / "t.csv", "--plan"]
    plan = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    steps, batch = re.search(r"^steps +([0-9,]+) of ([0-9,]+) samples", plan, re.MULTILINE).groups()
    gan = gannet.Gan(threads=1).fit(rows, progress=lambda report: True)
    assert (gan._state.planned, gan._state.batch) == (int(steps.replace(",", "")), int(batch))


def test_the_same_bits_at_any_number_of_threads(rows):
    one, two = (gannet.Gan(steps=STEPS, threads=threads).fit(rows) for threads in (1, 2))
    assert sha256(one) == sha256(two)
    assert sha256(one) != sha256(gannet.Gan(steps=STEPS, random_state=1).fit(rows))


@pytest.mark.parametrize("kind", ["float64", "float32", "fortran", "strided", "list", "frame"])
def test_the_same_bits_of_any_array(rows, kind):
    # Numbers of 32 bits stand for the shortest decimals: these are the same in 64.
    rows = np.round(rows * 8) / 8
    wide = np.zeros((len(rows) * 2, 7))
    wide[::2, 1::2] = rows
    made = {
        "float64": lambda: rows,
        "float32": lambda: rows.astype(np.float32),
        "fortran": lambda: np.asfortranarray(rows),
        "strided": lambda: wide[::2, 1::2],
        "list": lambda: rows.tolist(),
        "frame": lambda: needed("pandas").DataFrame(rows, columns=list("abc")),
    }[kind]()
    for spec in (None, "ring8"):
        used = made if spec is None else (made.iloc[:, :2] if kind == "frame" else np.asarray(made)[:, :2])
        usual = rows if spec is None else rows[:, :2]
        gans = [gannet.Gan(spec, steps=5, batch=32).fit(data) for data in (usual, used)]
        assert sha256(gans[0]) == sha256(gans[1])


@pytest.mark.parametrize("how", ["train", "interrupted", "file", "pickle"])
def test_stopped_and_gone_on_is_as_never_stopped(tmp_path, rows, how):
    whole = gannet.Gan(steps=STEPS, report_every=1).fit(rows)
    gan = gannet.Gan(steps=STEPS, report_every=1)
    gan.fit(rows, progress=lambda report: report.step == 23)
    assert gan.n_steps_ == 23
    if how == "train":
        gan.train(7).train()
    elif how == "interrupted":
        with pytest.raises(KeyboardInterrupt):
            gan.train(progress=lambda report: (_ for _ in ()).throw(KeyboardInterrupt()))
        assert gan.n_steps_ == 24
        gan.train()
    elif how == "file":
        gan.save(tmp_path / "gan.safetensors")
        gan = gannet.Gan.load(tmp_path / "gan.safetensors").train(X=rows)
    else:
        gan = pickle.loads(pickle.dumps(gan)).train(X=rows)
    assert gan.n_steps_ == STEPS
    assert sha256(gan) == sha256(whole)
    assert all((gan.history_[name] == whole.history_[name]).all() for name in ("step", "generator_loss"))


def test_a_longer_training_is_as_one_that_was_planned_so(rows):
    settings = {"run": {"preset": "circle-best"}}
    data = rows[:, :2].astype(np.float32) / 100
    gan = gannet.Gan(settings, steps=10, batch=32).fit(data)
    schedule = json.loads(gan._state.spec.with_length(30).to_json())["spec"]["schedule"]
    assert (schedule["decay"], schedule["steps"]) == ("cosine", 30)
    before = gan._state.trainer.parameters()
    gan.train(20)
    assert (gan.n_steps_, gan._state.planned) == (30, 30)
    after = gan._state.trainer.parameters()
    assert any((before[name] != after[name]).any() for name in before), "the learning rates are not down to 0"
