"""PyTorch around gannet: the examples, and a network of gannet's as a layer. They need PyTorch, which is too large for the project's CI."""

import sys
from pathlib import Path

import numpy as np
import pytest

import gannet

torch = pytest.importorskip("torch", reason="SKIPPED: PyTorch is not installed")

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
LAYERS = {
    "layers": [
        {"inputs": 3, "outputs": 16, "activation": "tanh"},
        {"inputs": 16, "outputs": 16, "activation": "relu"},
        {"inputs": 16, "outputs": 2},
    ]
}


@pytest.fixture
def example(monkeypatch, tmp_path):
    """Imports an example, which then has few steps and works in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLES)
    threads, state = torch.get_num_threads(), torch.get_rng_state()

    def load(name):
        module = __import__(name)
        monkeypatch.setattr(module, "STEPS", 30)
        return module

    yield load
    torch.set_num_threads(threads)
    torch.set_rng_state(state)
    for name in ("pytorch_generator", "pytorch_cnn"):
        sys.modules.pop(name, None)


def test_the_example_of_a_generator_runs(example, capsys):
    example("pytorch_generator").main()
    assert "of 8; within three deviations of one" in capsys.readouterr().out


def test_the_example_of_a_convolutional_generator_runs(example, tmp_path, capsys):
    pytest.importorskip("sklearn")
    example("pytorch_cnn").main()
    assert "distance to the nearest digit" in capsys.readouterr().out
    assert (tmp_path / "digits.pgm").stat().st_size == len(b"P5 100 100 255\n") + 100 * 100


def test_the_gradient_of_the_loss_reaches_the_generator(example):
    """The gradient that PyTorch hands on is the one of `ModularLoss.step`."""
    adversarial = example("pytorch_generator").AdversarialLoss
    one, other = (gannet.ModularLoss("circle", batch=8, seed=1, threads=1) for _ in range(2))
    fakes = torch.randn(8, 2, generator=torch.Generator().manual_seed(1)).requires_grad_()
    real = torch.zeros(8, 2)
    value = adversarial.apply(fakes, real, one)
    (3 * value).backward()
    gradient, report = other.step(fakes.detach().numpy(), real.numpy())
    assert value.item() == np.float32(report.generator_loss)
    assert (fakes.grad.numpy() == 3 * gradient).all()


class Layer(torch.autograd.Function):
    """A `gannet.Network` as a function of PyTorch's, whose arrays are views of the tensors."""

    @staticmethod
    def forward(context, rows, network):
        context.network = network
        return torch.from_numpy(network.forward(rows.detach().numpy()))

    @staticmethod
    def backward(context, gradient):
        return torch.from_numpy(context.network.backward(gradient.contiguous().numpy())), None


def test_a_network_is_a_layer_of_pytorch():
    """Between two layers of PyTorch's: values and all gradients are those of the same network in PyTorch."""
    network = gannet.Network(LAYERS, batch=32, seed=3, threads=2)
    torch.manual_seed(1)
    before, after = torch.nn.Linear(5, 3), torch.nn.Linear(2, 1)
    same = torch.nn.Sequential(
        torch.nn.Linear(3, 16), torch.nn.Tanh(), torch.nn.Linear(16, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2)
    )
    places = {"0": same[0], "1": same[2], "2": same[4]}
    with torch.no_grad():
        for name, values in network.parameters().items():
            layer, role = name.split(".")
            getattr(places[layer], role).copy_(torch.from_numpy(values))
    rows = torch.randn(32, 5)
    found, gradients = [], []
    for middle in (same, lambda rows: Layer.apply(rows, network)):
        before.zero_grad()
        after.zero_grad()
        loss = (after(middle(before(rows))) ** 2).mean()
        loss.backward()
        found.append(loss.item())
        gradients.append([parameter.grad.clone() for layer in (before, after) for parameter in layer.parameters()])
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    assert all(torch.allclose(one, other, rtol=1e-4, atol=1e-6) for one, other in zip(*gradients))
    for name, values in network.gradients().items():
        layer, role = name.split(".")
        assert np.allclose(values, getattr(places[layer], role).grad.numpy(), rtol=1e-4, atol=1e-6), name
