"""The modular loss, and networks as functions."""

import threading

import numpy as np
import pytest

import gannet

LAYERS = {"layers": [{"inputs": 3, "outputs": 5, "activation": "tanh"}, {"inputs": 5, "outputs": 2}]}


def test_a_generator_learns_from_the_loss():
    random = np.random.default_rng(1)
    loss = gannet.ModularLoss("gaussian2d", batch=64, seed=1, threads=1)
    shift, gradient = np.zeros(2, np.float32), np.empty((64, 2), np.float32)
    for _ in range(1500):
        fakes = (random.normal(size=(64, 2)) + shift).astype(np.float32)
        real = (random.normal(size=(64, 2)) + [2, 1]).astype(np.float32)
        given, report = loss.step(fakes, real, gradient)
        assert given is gradient
        shift -= 0.02 * gradient.sum(0)
    assert np.abs(shift - [2, 1]).max() < 0.6, shift
    assert report.step == loss.steps_done == 1500 and 0 < report.real_probability < 1


@pytest.mark.parametrize("dtype", [np.float32, float])
def test_any_arrays_and_no_buffer(dtype):
    one, other = (gannet.ModularLoss("circle", batch=8, threads=1) for _ in range(2))
    fakes, real = np.random.default_rng(1).normal(size=(2, 8, 2)).astype(np.float32)
    gradient, _ = one.step(fakes, real)
    converted, _ = other.step(np.asfortranarray(fakes, dtype=dtype), real.tolist())
    assert gradient.dtype == np.float32 and gradient.shape == (8, 2)
    assert (gradient == converted).all()
    assert (one.parameters()["0.weight"] == other.parameters()["0.weight"]).all()


def test_a_loss_needs_no_generator():
    layers = [{"inputs": 3, "outputs": 5}, {"inputs": 5, "outputs": 1}]
    loss = gannet.ModularLoss({"gan": {"discriminator": {"layers": layers}}}, batch=8, threads=1)
    assert loss.step(np.zeros((8, 3)), np.ones((8, 3)))[0].shape == (8, 3)
    alone = gannet.Network({"gan": {"discriminator": {"layers": layers}}}, "discriminator", batch=8)
    assert alone.forward(np.zeros((8, 3))).shape == (8, 1)
    assert gannet.Network('{"layers": [{"inputs": 8, "outputs": 2}]}', batch=8).inputs == 8
    with pytest.raises(gannet.SettingError, match="gan.discriminator"):
        gannet.ModularLoss({"gan": {"generator": {"layers": layers}}}, batch=8)


def test_what_a_loss_refuses():
    loss = gannet.ModularLoss("circle", batch=8, threads=1)
    rows = np.zeros((8, 2), np.float32)
    spoiled = rows.copy()
    spoiled[1, 0] = np.nan
    for call, kind, part in [
        (lambda: loss.step(rows[:7], rows), gannet.ShapeError, "fakes"),
        (lambda: loss.step(rows, rows[:4]), gannet.ShapeError, "real"),
        (lambda: loss.step(rows, rows, rows), ValueError, "memory"),
        (lambda: loss.step(rows, rows, np.zeros((8, 3), np.float32)), gannet.ShapeError, "out"),
        (lambda: loss.step(rows, rows, np.zeros((8, 2))), TypeError, "float32 in C order"),
        (lambda: loss.step(spoiled, rows), gannet.NotFiniteError, "generated sample"),
        (lambda: gannet.ModularLoss("circle", batch=0), gannet.SettingError, "batch"),
        (lambda: gannet.ModularLoss("circle", shuffle=False), TypeError, "`shuffle` is unknown"),
        (lambda: gannet.ModularLoss({"run": {"preset": "circle"}, "gan": {"packing": 2}}), gannet.SettingError, "packing"),
    ]:
        with pytest.raises(kind) as raised:
            call()
        assert part in str(raised.value), str(raised.value)
    loss.step(rows, rows)
    before = loss.parameters()
    loss.set_parameters({"0.bias": np.ones_like(before["0.bias"])})
    assert (loss.parameters()["0.bias"] == 1).all()


def reference(parameters, rows):
    """The network in NumPy."""
    hidden = np.tanh(rows @ parameters["0.weight"].T + parameters["0.bias"])
    return hidden, hidden @ parameters["1.weight"].T + parameters["1.bias"]


def test_forward_and_backward_are_those_of_the_formula():
    network = gannet.Network(LAYERS, batch=64, seed=3)
    parameters = network.parameters()
    rows, gradient = np.random.default_rng(1).normal(size=(64, 5)).astype(np.float32)[:, :3], np.ones((64, 2), np.float32)
    outputs = network.forward(rows)
    hidden, expected = reference(parameters, rows)
    assert np.abs(outputs - expected).max() < 1e-5
    of_rows = network.backward(gradient)
    of_hidden = (gradient @ parameters["1.weight"]) * (1 - hidden**2)
    assert np.abs(of_rows - of_hidden @ parameters["0.weight"]).max() < 1e-5
    found = network.gradients()
    wanted = {"0.weight": of_hidden.T @ rows, "0.bias": of_hidden.sum(0), "1.weight": gradient.T @ hidden, "1.bias": gradient.sum(0)}
    assert all(np.abs(found[name] - wanted[name]).max() < 1e-3 for name in wanted)

    network.backward(gradient, gradients="accumulate")
    assert np.abs(network.gradients()["1.bias"] - 2 * wanted["1.bias"]).max() < 1e-3
    network.backward(gradient * 7, gradients="ignore")
    assert np.abs(network.gradients()["1.bias"] - 2 * wanted["1.bias"]).max() < 1e-3
    out, back = np.empty((10, 2), np.float32), np.empty((10, 3), np.float32)
    assert network.forward(rows[:10], out=out) is out and network.backward(gradient[:10], out=back) is back


def test_networks_of_a_gan(small):
    for name, shape in [("generator", (2, 3)), ("discriminator", (3, 1))]:
        network = gannet.Network(small, name, batch=8)
        assert (network.inputs, network.outputs, network.batch) == (*shape, 8)
    assert "inputs=2" in repr(gannet.Network(small))


def test_dropout_follows_its_seed():
    layers = [{"inputs": 3, "outputs": 50, "dropout": 0.5}, {"inputs": 50, "outputs": 2}]
    network = gannet.Network({"layers": layers}, batch=8)
    rows = np.ones((8, 3), np.float32)
    one, same, other = (network.forward(rows, training_seed=seed) for seed in (1, 1, 2))
    assert (one == same).all() and (one != other).any() and (one != network.forward(rows)).any()


def test_normalizations_of_a_network():
    layers = [
        {"inputs": 3, "outputs": 6, "normalization": "batch", "activation": "tanh"},
        {"inputs": 6, "outputs": 2, "normalization": "spectral"},
    ]
    network = gannet.Network({"layers": layers}, batch=64, seed=3)
    parameters, buffers = network.parameters(), network.buffers()
    assert [(name, values.shape) for name, values in buffers.items()] == [
        ("0.running_mean", (6,)),
        ("0.running_var", (6,)),
        ("1.singular_vector", (2,)),
    ]
    rows = np.random.default_rng(1).normal(2, 3, (64, 3)).astype(np.float32)
    sums = rows.astype(np.float64) @ parameters["0.weight"].T

    def expected(mean, var):
        largest = np.linalg.svd(parameters["1.weight"], compute_uv=False)[0]
        hidden = np.tanh((sums - mean) / np.sqrt(var + 1e-5) + parameters["0.bias"])
        return hidden @ parameters["1.weight"].T / largest + parameters["1.bias"]

    assert np.abs(network.forward(rows) - expected(0, 1)).max() < 1e-4
    assert all((network.buffers()[name] == buffers[name]).all() for name in buffers)
    # 64 rows are one group.
    outputs = network.forward(rows, training_seed=1)
    assert np.abs(outputs - expected(sums.mean(0), sums.var(0))).max() < 1e-4
    after = network.buffers()
    assert np.abs(after["0.running_mean"] - 0.1 * sums.mean(0)).max() < 1e-5
    assert np.abs(after["0.running_var"] - 0.9 - 0.1 * sums.var(0, ddof=1)).max() < 1e-4
    # The gradient with respect to a row does not change with all rows alike.
    back = network.backward(np.ones((64, 2), np.float32))
    assert np.abs(back.sum(0)).max() < 1e-3 < np.abs(back).max()

    other = gannet.Network({"layers": layers}, batch=64, seed=4)
    other.set_parameters(parameters)
    other.set_buffers(after)
    assert (other.forward(rows) == network.forward(rows)).all()
    other.set_buffers({"0.running_mean": np.ones(6)})
    assert (other.buffers()["0.running_mean"] == 1).all() and (other.buffers()["0.running_var"] == after["0.running_var"]).all()
    with pytest.raises(gannet.SettingError, match="running_var"):
        other.set_buffers({"0.running_vra": np.ones(6)})
    with pytest.raises(gannet.SettingError, match="^buffers"):
        other.set_buffers({"0.weight": np.ones(6)})
    with pytest.raises(gannet.ShapeError, match="0.running_var"):
        other.set_buffers({"0.running_var": np.ones(5)})
    with pytest.raises(gannet.ShapeError, match="alone in its group"):
        network.forward(rows[:1], training_seed=1)


def test_what_a_network_refuses():
    network = gannet.Network(LAYERS, batch=8)
    rows = np.zeros((8, 3), np.float32)
    for call, kind, part in [
        (lambda: network.backward(np.zeros((8, 2))), gannet.StateError, "call forward first"),
        (lambda: network.forward(np.zeros((9, 3))), gannet.ShapeError, "at most 8 rows"),
        (lambda: network.forward(np.zeros((8, 2))), gannet.ShapeError, "rows"),
        (lambda: network.forward(np.full((8, 3), np.inf)), gannet.DataError, "row 0"),
        (lambda: network.backward(np.zeros((8, 2)), gradients="add"), gannet.SettingError, "accumulate"),
        (lambda: gannet.Network({"layers": []}), gannet.SettingError, "layers"),
        (lambda: gannet.Network("mnist", batch=2**32 - 1), MemoryError, "lower the batch"),
        (lambda: gannet.Network({"layers": [{"inputs": 1}]}), gannet.SettingError, "outputs"),
        (lambda: gannet.Network("circle", "critic"), gannet.SettingError, "critic"),
        (lambda: network.set_parameters({"2.bias": [1]}), gannet.SettingError, "2.bias"),
        (lambda: gannet.Network(LAYERS, shards=2), TypeError, "`shards` is unknown"),
        (lambda: gannet.Network(LAYERS, shuffle=True), TypeError, "`shuffle` is unknown"),
    ]:
        with pytest.raises(kind) as raised:
            call()
        assert part in str(raised.value), str(raised.value)
    network.forward(rows)
    with pytest.raises(gannet.ShapeError, match="output_gradient"):
        network.backward(np.zeros((7, 2)))
    network.set_parameters(network.parameters())
    with pytest.raises(gannet.StateError):
        network.backward(np.zeros((8, 2)))


def test_memory_that_views_of_another_object_share_is_seen():
    memory = bytearray(4 * 400)

    def view(first, rows, columns):
        return np.frombuffer(memoryview(memory), np.float32, rows * columns, 4 * first).reshape(rows, columns)

    network = gannet.Network({"layers": [{"inputs": 2, "outputs": 2}]}, batch=8)
    loss = gannet.ModularLoss("circle", batch=8, threads=1)
    layers = [{"inputs": 2 + 2, "outputs": 8}, {"inputs": 8, "outputs": 2}]
    judge = [{"inputs": 2 + 2, "outputs": 8}, {"inputs": 8, "outputs": 1}]
    gan = {"preset": "circle", "conditions": 2, "generator": {"layers": layers}, "discriminator": {"layers": judge}}
    rows = np.ones((16, 2), np.float32)
    trainer = gannet.Trainer({"run": {"preset": gan.pop("preset")}, "gan": gan}, rows, labels=[0, 1] * 8, batch=8)
    sampler = trainer.sampler()
    network.forward(view(0, 8, 2), out=view(16, 8, 2))
    loss.step(view(0, 8, 2), view(0, 8, 2), view(16, 8, 2))
    sampler.sample(8, conditions=view(0, 8, 2), out=view(16, 8, 2))
    for first in (0, 1, 15):
        for call in (
            lambda: network.forward(view(0, 8, 2), out=view(first, 8, 2)),
            lambda: network.forward(view(first, 8, 2), out=view(0, 8, 2)),
            lambda: network.backward(view(0, 8, 2), out=view(first, 8, 2)),
            lambda: loss.step(view(0, 8, 2), rows[:8], view(first, 8, 2)),
            lambda: loss.step(rows[:8], view(0, 8, 2), view(first, 8, 2)),
            lambda: sampler.sample(8, conditions=view(0, 8, 2), out=view(first, 8, 2)),
        ):
            with pytest.raises(ValueError, match="out shares memory with another argument"):
                call()
    # No value is shared by none.
    assert network.forward(view(8, 0, 2), out=view(8, 0, 2)).shape == (0, 2)


def test_objects_of_several_threads_are_independent():
    def steps(seed, results):
        loss = gannet.ModularLoss("circle", batch=8, seed=seed, threads=1)
        fakes, real = np.random.default_rng(seed).normal(size=(2, 8, 2)).astype(np.float32)
        for _ in range(200):
            loss.step(fakes, real)
        results[seed] = loss.parameters()["0.weight"]

    alone, together = {}, {}
    for seed in range(4):
        steps(seed, alone)
    threads = [threading.Thread(target=steps, args=(seed, together)) for seed in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert all((alone[seed] == together[seed]).all() for seed in range(4))
