"""Trainers and samplers."""

import os
import signal
import threading
import time

import numpy as np
import pytest

import gannet


@pytest.fixture
def trainer(small, floats):
    """A small trainer."""
    return gannet.Trainer(small, floats, batch=16, seed=7, threads=1)


def same(one, other):
    """Whether two dicts of arrays are the same bits."""
    return one.keys() == other.keys() and all((one[name] == other[name]).all() for name in one)


def test_reports_come_when_they_are_due(trainer):
    told = []
    last = trainer.run(25, report_every=10, progress=lambda report: told.append(report))
    assert [report.step for report in told] == [10, 20, 25] and last.step == 25 == trainer.steps_done
    assert np.isfinite([last.discriminator_loss, last.generator_loss, last.real_probability]).all()
    assert np.isnan(last.penalty) and "step=25" in repr(last)
    assert trainer.run(3).step == 28
    assert trainer.run(0) is None


def test_many_slices_are_one_run(small, floats):
    one, other = (gannet.Trainer(small, floats, batch=16, threads=1) for _ in range(2))
    one.run(1000)
    told = []
    other.run(1000, report_every=7, progress=lambda report: told.append(report.step))
    assert told == [*range(7, 1000, 7), 1000]
    assert same(one.parameters(), other.parameters())


def test_a_true_answer_ends_the_run(trainer):
    assert trainer.run(100, report_every=5, progress=lambda report: report.step == 15).step == 15
    assert trainer.steps_done == 15


def test_stop_ends_a_run(trainer):
    trainer.stop()
    assert trainer.run(10) is None and trainer.steps_done == 0
    threading.Timer(0.2, trainer.stop).start()
    began = time.monotonic()
    trainer.run(10**9)
    assert time.monotonic() - began < 20 and trainer.steps_done > 0
    assert trainer.run(3).step == trainer.steps_done


@pytest.fixture
def ctrl_c():
    """Ctrl-C as Python has it: a shell starts what runs in its background without."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_a_run(trainer):
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    late = threading.Timer(20, trainer.stop)
    late.start()
    with pytest.raises(KeyboardInterrupt):
        trainer.run(10**9)
    late.cancel()
    assert time.monotonic() - began < 20
    done = trainer.steps_done
    assert done > 0 and trainer.run(5).step == done + 5


def test_other_threads_run_meanwhile(trainer):
    counted = 0
    runner = threading.Thread(target=trainer.run, args=(10**9,))
    runner.start()
    began = time.monotonic()
    while time.monotonic() - began < 0.3:
        counted += 1
    with pytest.raises(gannet.BusyError, match="from one thread at a time"):
        trainer.parameters()
    with pytest.raises(gannet.BusyError):
        trainer.run(1)
    trainer.stop()
    runner.join(20)
    assert not runner.is_alive() and counted > 1000


def test_turns_alone_are_a_step(small, floats):
    whole, apart = (gannet.Trainer(small, floats, batch=16, threads=1) for _ in range(2))
    whole.run(10)
    for _ in range(10):
        assert np.isnan(apart.step_discriminator().generator_loss)
        assert np.isnan(apart.step_generator().discriminator_loss)
    assert same(whole.parameters(), apart.parameters())


def test_an_answer_of_the_callers_trains_the_generator_alone(trainer):
    """Fakes that are pulled to (1, 2, 3) by half the squared distance."""
    target, distances = np.array([1, 2, 3], np.float32), []

    def answer(fakes):
        assert fakes.shape == (16, 3) and fakes.dtype == np.float32
        distances.append(np.abs(fakes - target).mean())
        return (fakes - target) / len(fakes)

    trainer.set_learning_rate("generator", 0.05)
    before = trainer.parameters()
    for _ in range(200):
        trainer.step_generator_with(answer)
    after = trainer.parameters()
    assert distances[-1] < 0.2 * distances[0] and trainer.steps_done == 200
    assert all((before[name] == after[name]).all() == name.startswith("discriminator") for name in before)
    for wrong, kind, part in [
        (lambda fakes: 1 / 0, ZeroDivisionError, "division"),
        (lambda fakes: fakes[:3], gannet.ShapeError, "the gradient"),
        (lambda fakes: "x", TypeError, "real numbers"),
        (lambda fakes: fakes * np.inf, gannet.DataError, "gradient"),
        (lambda fakes: trainer.run(1), gannet.BusyError, "from its own callbacks"),
        (3, TypeError, "callable"),
    ]:
        with pytest.raises(kind) as raised:
            trainer.step_generator_with(wrong)
        assert part in str(raised.value), str(raised.value)
    assert same(trainer.parameters(), after) and trainer.steps_done == 200, "what is refused changes nothing"


def test_gradients_are_those_of_the_last_update(small, floats):
    """The rule of plain gradient descent."""
    descent = {"kind": "sgd", "learning_rate": 0.5}
    gan = {**small["gan"], "generator_optimizer": descent, "discriminator_optimizer": descent}
    trainer = gannet.Trainer({"gan": gan}, floats, batch=16, threads=1)
    assert all((values == 0).all() for values in trainer.gradients().values())
    before = trainer.parameters()
    trainer.run(1)
    after, gradients = trainer.parameters(), trainer.gradients()
    assert gradients.keys() == after.keys() and (gradients["generator.0.weight"] != 0).any()
    assert all(np.allclose(after[name], before[name] - 0.5 * gradients[name], rtol=0, atol=1e-6) for name in before)


def test_steps_for_epochs(trainer):
    assert trainer.steps_for_epochs(3) == -(-3 * 300 // 16)
    with pytest.raises(OverflowError):
        trainer.steps_for_epochs(-1)


def test_parameters(trainer):
    parameters = trainer.parameters()
    assert list(parameters)[:2] == ["generator.0.weight", "generator.0.bias"]
    assert {name: values.shape for name, values in parameters.items()} == {
        "generator.0.weight": (8, 2),
        "generator.0.bias": (8,),
        "generator.1.weight": (3, 8),
        "generator.1.bias": (3,),
        "discriminator.0.weight": (8, 3),
        "discriminator.0.bias": (8,),
        "discriminator.1.weight": (1, 8),
        "discriminator.1.bias": (1,),
    }
    trainer.set_parameters({"generator.1.bias": [1, 2, 3], "discriminator.0.weight": np.ones((8, 3), order="F")})
    changed = trainer.parameters()
    assert changed["generator.1.bias"].tolist() == [1, 2, 3] and (changed["discriminator.0.weight"] == 1).all()
    assert (changed["generator.0.weight"] == parameters["generator.0.weight"]).all()
    for wrong, kind, part in [
        ({"generator.1.bia": [1, 2, 3]}, gannet.SettingError, "did you mean `generator.1.bias`?"),
        ({"generator.1.bias": [1, 2]}, gannet.ShapeError, "generator.1.bias"),
        ({"generator.1.bias": ["x", "y", "z"]}, ValueError, "could not convert"),
    ]:
        with pytest.raises(kind) as raised:
            trainer.set_parameters(wrong)
        assert part in str(raised.value)
    assert same(trainer.parameters(), changed), "what is refused changes nothing"


def test_the_learning_rate(trainer):
    before = trainer.parameters()
    trainer.set_learning_rate("generator", 1e-30)
    trainer.run(3)
    after = trainer.parameters()
    assert np.abs(before["generator.0.weight"] - after["generator.0.weight"]).max() < 1e-20
    assert (before["discriminator.0.weight"] != after["discriminator.0.weight"]).any()
    with pytest.raises(gannet.SettingError, match="use generator or discriminator"):
        trainer.set_learning_rate("critic", 0.1)
    with pytest.raises(gannet.SettingError):
        trainer.set_learning_rate("generator", float("nan"))


def test_checkpoints(small, floats, trainer, tmp_path):
    trainer.run(10)
    trainer.save(tmp_path / "a")
    with pytest.raises(FileExistsError):
        trainer.save(tmp_path / "a")
    trainer.save(tmp_path / "a", overwrite=True)
    made = trainer.to_bytes("a note")
    trainer.run(5)
    for read in (lambda other: other.load(tmp_path / "a"), lambda other: other.restore(made)):
        other = gannet.Trainer(small, floats, batch=16, seed=7, threads=2)
        read(other)
        assert other.steps_done == 10
        other.run(5)
        assert same(other.parameters(), trainer.parameters())
    changed = gannet.Trainer(small, floats, batch=32, seed=7)
    with pytest.raises(gannet.SettingError, match="batch"):
        changed.load(tmp_path / "a")
    changed.load(tmp_path / "a", changes=True)
    assert changed.steps_done == 10
    with pytest.raises(FileNotFoundError):
        changed.load(tmp_path / "none")
    with pytest.raises(gannet.DataError):
        changed.restore(b"nothing")


def test_samplers(small, trainer, tmp_path):
    trainer.run(5)
    sampler = trainer.sampler()
    whole = sampler.sample(100, seed=3)
    assert whole.shape == (100, 3) and whole.dtype == np.float32
    out = np.empty((40, 3), np.float32)
    assert sampler.share().sample(40, seed=3, first=60, out=out) is out
    assert (out == whole[60:]).all()
    trainer.save(tmp_path / "a")
    for model in (tmp_path / "a", str(tmp_path / "a"), trainer.to_bytes(), trainer.model_bytes()):
        assert (gannet.Sampler(small, model).sample(100, seed=3) == whole).all()
    trainer.run(5)
    assert (sampler.sample(100, seed=3) == whole).all(), "a copy of the generator as it was"
    assert (trainer.sampler().sample(100, seed=3) != whole).any()
    for call, kind in [
        (lambda: sampler.sample(-1), OverflowError),
        (lambda: sampler.sample(2, seed=-1), OverflowError),
        (lambda: sampler.sample(2, first=2**32), gannet.ShapeError),
        (lambda: sampler.sample(2, first=2**64 - 1), gannet.ShapeError),
        (lambda: sampler.sample(2**32 + 1), gannet.ShapeError),
        (lambda: sampler.sample(10**12), gannet.ShapeError),
        (lambda: sampler.sample(2**63), gannet.ShapeError),
        (lambda: sampler.sample(2, conditions=[[1.0], [0.0]]), gannet.SettingError),
        (lambda: sampler.sample(2, out=np.empty((2, 3))), TypeError),
        (lambda: sampler.sample(2, out=np.empty((3, 3), np.float32)), gannet.ShapeError),
        (lambda: sampler.sample(2, out=np.empty((2, 3), np.float32, order="F")), TypeError),
        (lambda: gannet.Sampler("circle", trainer.to_bytes()), gannet.DataError),
        (lambda: gannet.Sampler(small, b""), gannet.DataError),
    ]:
        with pytest.raises(kind):
            call()
    frozen = np.empty((2, 3), np.float32)
    frozen.setflags(write=False)
    with pytest.raises(ValueError, match="cannot be written"):
        sampler.sample(2, out=frozen)


def test_labels_are_conditions(small, floats):
    layers = [{"inputs": 2 + 2, "outputs": 8}, {"inputs": 8, "outputs": 3}]
    judge = [{"inputs": 3 + 2, "outputs": 8}, {"inputs": 8, "outputs": 1}]
    gan = {**small["gan"], "conditions": 2, "generator": {"layers": layers}, "discriminator": {"layers": judge}}
    labels = np.arange(len(floats)) % 2
    trainer = gannet.Trainer({"gan": gan}, floats, labels=labels, batch=16)
    beside = np.column_stack([floats, labels == 0, labels == 1]).astype(np.float32)
    other = gannet.Trainer({"gan": gan}, beside, batch=16)
    trainer.run(5)
    other.run(5)
    assert same(trainer.parameters(), other.parameters())
    sampler = trainer.sampler()
    assert (sampler.conditions, sampler.features) == (2, 3)
    assert sampler.sample(4, conditions=np.eye(2)[[0, 1, 0, 1]]).shape == (4, 3)
    for conditions in (None, np.eye(2), np.ones((4, 3))):
        with pytest.raises(gannet.ShapeError):
            sampler.sample(4, conditions=conditions)
    for labels in ([0, 1], np.full(len(floats), 2)):
        with pytest.raises(gannet.Error):
            gannet.Trainer({"gan": gan}, floats, labels=labels, batch=16)


def test_wrong_data_and_options(small, floats):
    for data, kind in [
        (floats[:, :2], gannet.ShapeError),
        (floats[0], gannet.ShapeError),
        (floats[:0], gannet.ShapeError),
        (floats[:3], gannet.Error),
        (floats.astype(complex), TypeError),
        (floats.astype(str), TypeError),
        ("rows", TypeError),
    ]:
        with pytest.raises(kind):
            gannet.Trainer(small, data, batch=16)
    for options, kind, part in [
        ({"bath": 3}, TypeError, "did you mean `batch`?"),
        ({"batch": "x"}, TypeError, "batch is x"),
        ({"batch": -1}, TypeError, "batch is -1"),
        ({"batch": 0}, gannet.SettingError, "batch"),
        ({"shards": 3}, gannet.SettingError, "shards"),
        ({"engine": "steam"}, gannet.SettingError, "use auto, native, matrixmultiply"),
        ({"isa": "steam"}, gannet.SettingError, "isa"),
        ({"memory_limit": 1}, gannet.MemoryLimitError, "limit"),
    ]:
        with pytest.raises(kind) as raised:
            gannet.Trainer(small, floats, **options)
        assert part in str(raised.value), str(raised.value)
    spoiled = floats.copy()
    spoiled[3, 1] = np.nan
    trainer = gannet.Trainer(small, spoiled, batch=300)
    with pytest.raises(gannet.NotFiniteError, match="real sample"):
        trainer.run(1)


def spread(rows):
    """The same float32 rows, which stand apart in memory."""
    wide = np.full((2 * len(rows), 3 * rows.shape[1]), np.nan, np.float32)
    wide[::2, ::3] = rows
    return wide[::2, ::3]


def backward(rows):
    """The same float32 rows, of which the last stands first in memory."""
    return np.ascontiguousarray(rows[::-1])[::-1]


@pytest.mark.parametrize("made", [np.asfortranarray, spread, backward, lambda rows: rows.astype(">f4"), lambda rows: rows.astype(float)])
def test_float32_in_any_order_is_the_same_data(small, floats, made):
    one, other = (gannet.Trainer(small, data, batch=16, threads=1) for data in (floats, made(floats)))
    one.run(3)
    other.run(3)
    assert same(one.parameters(), other.parameters())


@pytest.mark.parametrize("made", [np.array, np.asfortranarray, spread, backward])
def test_float32_is_read_where_it_stands(small, floats, made):
    mine = made(floats)
    one, other, converted = (gannet.Trainer(small, data, batch=16, threads=2) for data in (floats, mine, mine.astype(float)))
    mine[:] = 0
    for trainer in (one, other, converted):
        trainer.run(3)
    assert same(one.parameters(), converted.parameters()), "any other is converted once"
    assert not same(one.parameters(), other.parameters())


def test_a_memory_map_is_read_where_it_stands(small, floats, tmp_path):
    np.save(tmp_path / "rows.npy", floats)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    one, other = (gannet.Trainer(small, data, batch=16, threads=1) for data in (floats, mapped))
    one.run(3)
    other.run(3)
    assert same(one.parameters(), other.parameters())


def test_what_a_trainer_tells(trainer):
    assert (trainer.batch, trainer.features, trainer.latents, trainer.conditions) == (16, 3, 2, 0)
    assert trainer.threads == 1 and trainer.isa in gannet.info()["isas"]
    assert "MiB" in trainer.plan and "batch=16" in repr(trainer)
