#!/usr/bin/env python3
"""Writes the cases of tests/parity: short GAN training runs computed by PyTorch in f64 from f32 inputs.

    scripts/parity.py                       writes every case that tests/parity does not have
    scripts/parity.py --check               writes nothing; every case must be what PyTorch computes here, to 1e-12
    scripts/parity.py NAME ... --out DIR    writes these cases into a folder

Needs Python 3.9 or newer, torch and NumPy. Made with PyTorch 2.15 on x86-64.

A case is one safetensors file. Its metadata have `case`, the name, and `config`, JSON: `generator` and `discriminator` (lists of
layers), `objective`, `order`, `optimizer`, `batch` and `steps`, and what else the case has. The tensors (N = generator or
discriminator, i = layer):

    init.N.i.weight, init.N.i.bias                       [out, in], [out]               f32
    real                                                 [steps, batch, features]       f32   of a case with `conditions`: and these
    latent.discriminator_step, latent.generator_step     [steps, batch, latents]        f32
    keep.real.i, keep.fake.i, keep.generator_step.i      [steps, batch, out]            u8    1 = kept, and divided by 1 - dropout
    keep.generator_real.i                                the same, of real samples in G's step: of a relativistic objective
    interpolation                                        [steps, batch]                 f32   of a case with `gradient_penalty`: the share
                                                                                              of the real sample in the one between
    keep.between.i                                       the same as the other keeps, of the samples between
    gradient.N.i.weight, .bias                           those of the first update      f64
    loss.discriminator, loss.generator                   [steps]                        f64   G's is the one that it minimizes
    penalty                                              [steps]                        f64   of a case with `penalties`: beside D's loss
    final.N.i.weight, .bias                              after the last step            f64
    average.generator.i.weight, .bias                    the same averages              f64   of a case with `ema_decay`
    init.N.i.singular_vector, final.N.i.singular_vector  [out]                          f32, f64   of a layer with spectral normalization:
                                                                                              the left one that an iteration begins with
    final.N.i.running_mean, .running_var                 [out]                          f64   of a layer with batch normalization

Of a case with `packing` m D judges packs: what has D's samples above has `batch / m` packs, of which pack k has the samples k, k + batch / m,
k + 2 batch / m ... side by side, each with its conditions.

A layer is normalized before its biases are added. What spectral normalization divides by follows from the vectors of one power iteration,
which comes after each update of the network. Batch normalization is over the samples of a batch of one kind; running statistics follow the
batches that a network learns from, D's as the mean over real samples and fakes.

Losses are means over the batch, by the objective's formula (docs/penalties.md); with `softmax`, D has two logits, of which class 1 is real.
"""

import argparse
import json
import pathlib
import zlib

import numpy as np
import torch
import torch.nn.functional as F

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests/parity"
SEED = 1
torch.set_default_dtype(torch.float64)


def layers(sizes, hidden, last, dropout=0.0, slope=0.2):
    """Dense layers; dropout follows the hidden ones."""
    pairs = list(zip(sizes, sizes[1:]))
    return [
        {
            "in": inputs,
            "out": outputs,
            "activation": hidden if i < len(pairs) - 1 else last,
            "slope": slope,
            "dropout": dropout if i < len(pairs) - 1 else 0.0,
        }
        for i, (inputs, outputs) in enumerate(pairs)
    ]


def normalized(layers, kind="layer"):
    """The same layers with a normalization in all but the last, and in that too where it is spectral."""
    count = len(layers) - (kind != "spectral")
    return [{**layer, "normalization": kind} for layer in layers[:count]] + layers[count:]


def adam(lr, beta1=0.9, beta2=0.999, **more):
    return {"kind": "adam", "lr": lr, "beta1": beta1, "beta2": beta2, "eps": 1e-8, **more}


# `stream` is the number of the case's random stream; without it, that of the name.
CASES = {
    "circle_minimax_adam": dict(
        stream=0,
        generator=layers([2, 16, 32, 2], "relu", "linear"),
        discriminator=layers([2, 128, 64, 32, 1], "relu", "linear", dropout=0.2),
        objective="minimax",
        order="discriminator_first",
        optimizer=adam(1e-3),
        batch=32,
        steps=20,
    ),
    "mixture1d_shared_sgd": dict(
        stream=1,
        generator=layers([1, 3, 1], "relu", "linear"),
        discriminator=layers([1, 1], "relu", "linear"),
        objective="non_saturating_half",
        order="generator_first_shared_fake",
        optimizer={"kind": "sgd", "lr": 1e-2},
        batch=32,
        steps=20,
    ),
    "gaussian2d_softmax_adam": dict(
        stream=2,
        generator=layers([2, 2], "relu", "linear"),
        discriminator=layers([2, 20, 10, 2], "relu", "linear"),
        objective="softmax",
        order="discriminator_first",
        optimizer=adam(1e-2),
        batch=32,
        steps=20,
    ),
    "gaussian2d_modular_loss": dict(
        stream=3,
        generator=layers([2, 2], "relu", "linear"),
        discriminator=layers([2, 20, 10, 2], "relu", "linear"),
        objective="softmax",
        order="discriminator_first_shared_fake",
        optimizer=adam(1e-2),
        batch=32,
        steps=20,
    ),
    "mnist_vanilla_small": dict(
        stream=4,
        generator=layers([10, 24, 40, 64], "leaky_relu", "tanh"),
        discriminator=layers([64, 48, 24, 1], "leaky_relu", "linear", dropout=0.3),
        objective="non_saturating",
        order="discriminator_first",
        optimizer=adam(2e-4, beta1=0.5),
        batch=100,
        steps=20,
    ),
    "odd_shapes_sgd_momentum": dict(
        stream=5,
        generator=layers([7, 33, 17, 5], "leaky_relu", "sigmoid", slope=0.1),
        discriminator=layers([5, 19, 35, 3, 1], "tanh", "linear"),
        objective="non_saturating",
        order="discriminator_first",
        optimizer={"kind": "sgd", "lr": 5e-2, "momentum": 0.9},
        batch=37,
        steps=20,
    ),
    "odd_shapes_adamw": dict(
        generator=layers([3, 13, 5], "leaky_relu", "tanh"),
        discriminator=layers([5, 17, 6, 1], "leaky_relu", "linear", dropout=0.25),
        objective="non_saturating",
        order="discriminator_first_shared_fake",
        optimizer=adam(1e-2, beta1=0.5, kind="adamw", weight_decay=0.5),
        batch=11,
        steps=12,
    ),
    "odd_shapes_rmsprop": dict(
        generator=layers([3, 13, 5], "leaky_relu", "tanh"),
        discriminator=layers([5, 17, 6, 1], "tanh", "linear"),
        objective="non_saturating_half",
        order="discriminator_first",
        optimizer={"kind": "rmsprop", "lr": 1e-3, "alpha": 0.9, "eps": 1e-8},
        batch=11,
        steps=12,
    ),
    "small_r3gan": dict(
        generator=layers([2, 9, 3], "leaky_relu", "linear"),
        discriminator=layers([3, 18, 7, 1], "leaky_relu", "linear"),
        objective="relativistic_pairing",
        order="discriminator_first",
        optimizer=adam(1e-2, beta1=0.0, beta2=0.99),
        penalties={"r1": 0.5, "r2": 0.25},
        ema_decay=0.9,
        batch=19,
        steps=12,
    ),
    "small_relativistic_dropout": dict(
        generator=layers([2, 9, 3], "relu", "tanh"),
        discriminator=layers([3, 18, 7, 1], "tanh", "linear", dropout=0.25),
        objective="relativistic_pairing",
        order="generator_first_shared_fake",
        optimizer={"kind": "sgd", "lr": 1e-1},
        penalties={"r1": 0.5, "gradient_penalty": 2.0},
        batch=7,
        steps=8,
    ),
    "small_relativistic_average": dict(
        generator=layers([2, 9, 3], "leaky_relu", "linear"),
        discriminator=layers([3, 18, 7, 1], "tanh", "linear", dropout=0.25),
        objective="relativistic_average",
        order="discriminator_first",
        optimizer={"kind": "sgd", "lr": 5e-2, "momentum": 0.5},
        penalties={"r1": 0.5},
        batch=13,
        steps=12,
    ),
    "small_relativistic_average_shared": dict(
        generator=layers([2, 9, 3], "relu", "tanh"),
        discriminator=layers([3, 18, 7, 1], "leaky_relu", "linear", dropout=0.25),
        objective="relativistic_average",
        order="generator_first_shared_fake",
        optimizer={"kind": "sgd", "lr": 5e-2},
        batch=11,
        steps=12,
    ),
    "small_wgan_gp": dict(
        generator=layers([2, 9, 3], "leaky_relu", "linear"),
        discriminator=layers([3, 18, 7, 1], "leaky_relu", "linear"),
        objective="wasserstein",
        order="discriminator_first",
        optimizer=adam(1e-3, beta1=0.0, beta2=0.9),
        penalties={"gradient_penalty": 10.0},
        batch=13,
        steps=12,
    ),
    "small_wgan_clip": dict(
        generator=layers([2, 9, 3], "leaky_relu", "linear"),
        discriminator=layers([3, 18, 7, 1], "leaky_relu", "linear"),
        objective="wasserstein",
        order="discriminator_first",
        optimizer={"kind": "rmsprop", "lr": 1e-3, "alpha": 0.99, "eps": 1e-8},
        weight_clip=0.125,
        batch=13,
        steps=12,
    ),
    "small_hinge_one_sided": dict(
        generator=layers([3, 8, 5], "relu", "tanh"),
        discriminator=layers([5, 17, 6, 1], "sigmoid", "linear"),
        objective="hinge",
        order="discriminator_first_shared_fake",
        optimizer=adam(1e-2, beta1=0.5),
        penalties={"gradient_penalty": 20.0, "one_sided": True, "r2": 0.5},
        batch=11,
        steps=12,
    ),
    "small_least_squares_r1": dict(
        generator=layers([3, 8, 5], "relu", "sigmoid"),
        discriminator=layers([5, 17, 6, 1], "tanh", "linear", dropout=0.3),
        objective="least_squares",
        order="discriminator_first",
        optimizer=adam(1e-2),
        penalties={"r1": 5.0},
        batch=11,
        steps=12,
    ),
    "small_softmax_r1_r2": dict(
        generator=layers([3, 8, 4], "tanh", "linear"),
        discriminator=layers([4, 14, 2], "tanh", "linear"),
        objective="softmax",
        order="discriminator_first",
        optimizer={"kind": "sgd", "lr": 5e-2, "momentum": 0.5},
        penalties={"r1": 1.0, "r2": 2.0},
        batch=9,
        steps=12,
    ),
    "small_average": dict(
        generator=layers([2, 9, 3], "leaky_relu", "linear"),
        discriminator=layers([3, 12, 1], "leaky_relu", "linear"),
        objective="non_saturating",
        order="discriminator_first",
        optimizer=adam(1e-2, beta1=0.0),
        ema_decay=0.9,
        batch=7,
        steps=12,
    ),
    "small_smoothed": dict(
        generator=layers([2, 9, 3], "leaky_relu", "tanh"),
        discriminator=layers([3, 12, 5, 1], "leaky_relu", "linear"),
        objective="non_saturating",
        order="generator_first_shared_fake",
        optimizer=adam(1e-2, beta1=0.5),
        label_smoothing=0.25,
        batch=7,
        steps=12,
    ),
    "small_least_squares_smoothed": dict(
        generator=layers([2, 9, 3], "tanh", "linear"),
        discriminator=layers([3, 12, 1], "tanh", "linear", dropout=0.25),
        objective="least_squares",
        order="discriminator_first",
        optimizer=adam(1e-2, beta1=0.5),
        label_smoothing=0.125,
        penalties={"r1": 0.5},
        batch=9,
        steps=12,
    ),
    "small_clipped": dict(
        generator=layers([2, 9, 3], "leaky_relu", "linear"),
        discriminator=layers([3, 12, 1], "leaky_relu", "linear"),
        objective="non_saturating",
        order="discriminator_first",
        optimizer={"kind": "sgd", "lr": 0.5, "momentum": 0.5},
        clip_norm={"generator": 0.05, "discriminator": 0.1},
        batch=7,
        steps=12,
    ),
    "small_cosine": dict(
        generator=layers([2, 9, 3], "leaky_relu", "linear"),
        discriminator=layers([3, 12, 1], "leaky_relu", "linear"),
        objective="non_saturating",
        order="discriminator_first",
        optimizer=adam(1e-2, beta1=0.5, kind="adamw", weight_decay=0.5),
        schedule={"decay": "cosine", "steps": 12, "warmup": 4},
        batch=7,
        steps=12,
    ),
    "small_r3gan_cosine": dict(
        generator=layers([2, 9, 3], "leaky_relu", "linear"),
        discriminator=layers([3, 18, 7, 1], "leaky_relu", "linear"),
        objective="relativistic_pairing",
        order="discriminator_first",
        optimizer=adam(1e-2, beta1=0.25, beta2=0.875),
        penalties={"r1": 0.5, "r2": 0.25},
        schedule={
            "decay": "cosine",
            "steps": 10,
            "warmup": 0,
            "final_rate": 0.25,
            "final_penalty": 0.125,
            "final_beta1": 0.0,
            "final_beta2": 0.96875,
        },
        batch=19,
        steps=12,
    ),
    "small_linear": dict(
        generator=layers([2, 9, 3], "tanh", "linear"),
        discriminator=layers([3, 12, 1], "tanh", "linear"),
        objective="non_saturating_half",
        order="generator_first_shared_fake",
        optimizer={"kind": "sgd", "lr": 5e-2, "momentum": 0.5},
        schedule={"decay": "linear", "steps": 12, "warmup": 0},
        batch=7,
        steps=12,
    ),
    "small_conditional": dict(
        generator=layers([5, 9, 3], "leaky_relu", "linear"),
        discriminator=layers([6, 18, 7, 1], "leaky_relu", "linear"),
        conditions=3,
        objective="relativistic_pairing",
        order="discriminator_first",
        optimizer=adam(1e-2, beta1=0.0, beta2=0.99),
        penalties={"r1": 0.5, "r2": 0.25},
        batch=19,
        steps=12,
    ),
    "small_conditional_joined": dict(
        generator=layers([4, 9, 3], "relu", "tanh"),
        discriminator=layers([5, 18, 7, 1], "leaky_relu", "linear"),
        conditions=2,
        objective="non_saturating",
        order="generator_first_shared_fake",
        optimizer={"kind": "sgd", "lr": 5e-2, "momentum": 0.5},
        batch=13,
        steps=12,
    ),
    "small_layer_norm": dict(
        generator=normalized(layers([2, 9, 7, 3], "relu", "tanh")),
        discriminator=normalized(layers([3, 18, 7, 1], "leaky_relu", "linear", dropout=0.25)),
        objective="non_saturating",
        order="generator_first_shared_fake",
        optimizer=adam(1e-2, beta1=0.5),
        batch=13,
        steps=12,
    ),
    "small_layer_norm_wgan_gp": dict(
        generator=layers([2, 9, 3], "leaky_relu", "linear"),
        discriminator=normalized(layers([3, 18, 7, 1], "leaky_relu", "linear")),
        objective="wasserstein",
        order="discriminator_first",
        optimizer=adam(1e-3, beta1=0.0, beta2=0.9),
        penalties={"gradient_penalty": 10.0},
        batch=13,
        steps=12,
    ),
    "small_layer_norm_curved": dict(
        generator=normalized(layers([2, 9, 3], "tanh", "linear")),
        discriminator=normalized(layers([3, 18, 7, 1], "tanh", "linear", dropout=0.25)),
        objective="relativistic_pairing",
        order="discriminator_first_shared_fake",
        optimizer={"kind": "sgd", "lr": 5e-2, "momentum": 0.5},
        penalties={"r1": 0.5, "r2": 0.25},
        batch=11,
        steps=12,
    ),
    "small_spectral_hinge": dict(
        generator=layers([2, 9, 3], "leaky_relu", "linear"),
        discriminator=normalized(layers([3, 18, 7, 1], "leaky_relu", "linear", dropout=0.25), "spectral"),
        objective="hinge",
        order="discriminator_first",
        optimizer=adam(1e-2, beta1=0.5),
        batch=13,
        steps=12,
    ),
    "small_spectral_wasserstein": dict(
        generator=normalized(layers([2, 9, 3], "relu", "tanh"), "batch"),
        discriminator=normalized(layers([3, 18, 7, 1], "tanh", "linear"), "spectral"),
        objective="wasserstein",
        order="generator_first_shared_fake",
        optimizer={"kind": "sgd", "lr": 1e-1, "momentum": 0.5},
        clip_norm={"generator": 0.5, "discriminator": 0.2},
        batch=11,
        steps=12,
    ),
    "small_spectral_r1_r2": dict(
        generator=layers([2, 9, 3], "leaky_relu", "linear"),
        discriminator=normalized(layers([3, 18, 7, 1], "tanh", "linear"), "spectral"),
        objective="relativistic_pairing",
        order="discriminator_first_shared_fake",
        optimizer=adam(1e-2, beta1=0.0, kind="adamw", weight_decay=0.5),
        penalties={"r1": 0.5, "r2": 0.25},
        batch=9,
        steps=12,
    ),
    "small_batch_norm": dict(
        generator=normalized(layers([2, 9, 7, 3], "relu", "tanh"), "batch"),
        discriminator=normalized(layers([3, 18, 7, 1], "leaky_relu", "linear", dropout=0.25), "batch"),
        objective="non_saturating",
        order="discriminator_first",
        optimizer=adam(1e-2, beta1=0.5, kind="adamw", weight_decay=0.5),
        batch=21,
        steps=12,
    ),
    "small_batch_norm_shared": dict(
        generator=normalized(layers([2, 9, 3], "tanh", "linear"), "batch"),
        discriminator=normalized(layers([3, 18, 7, 1], "tanh", "linear"), "batch"),
        objective="non_saturating",
        order="generator_first_shared_fake",
        optimizer={"kind": "sgd", "lr": 5e-2, "momentum": 0.5},
        ema_decay=0.9,
        batch=17,
        steps=12,
    ),
    "small_batch_norm_r3gan": dict(
        generator=normalized(layers([2, 9, 7, 3], "leaky_relu", "linear"), "batch"),
        discriminator=layers([3, 18, 7, 1], "leaky_relu", "linear"),
        objective="relativistic_pairing",
        order="discriminator_first",
        optimizer=adam(1e-2, beta1=0.0, beta2=0.99),
        penalties={"r1": 0.5, "r2": 0.25},
        ema_decay=0.9,
        batch=16,
        steps=12,
    ),
    "small_packed": dict(
        generator=layers([2, 9, 3], "leaky_relu", "tanh"),
        discriminator=layers([6, 18, 7, 1], "leaky_relu", "linear", dropout=0.25),
        packing=2,
        objective="hinge",
        order="discriminator_first",
        optimizer=adam(1e-2, beta1=0.5),
        batch=26,
        steps=12,
    ),
    "small_packed_conditional": dict(
        generator=normalized(layers([4, 9, 3], "leaky_relu", "linear")),
        discriminator=layers([15, 18, 7, 1], "tanh", "linear"),
        conditions=2,
        packing=3,
        objective="relativistic_pairing",
        order="discriminator_first_shared_fake",
        optimizer=adam(1e-2, beta1=0.0, beta2=0.99),
        penalties={"r1": 0.5, "r2": 0.25},
        batch=33,
        steps=12,
    ),
    "small_packed_wgan_gp": dict(
        generator=layers([3, 9, 3], "leaky_relu", "linear"),
        discriminator=layers([8, 18, 7, 1], "leaky_relu", "linear", dropout=0.25),
        conditions=1,
        packing=2,
        objective="wasserstein",
        order="discriminator_first",
        optimizer=adam(1e-3, beta1=0.0, beta2=0.9),
        penalties={"gradient_penalty": 10.0},
        batch=22,
        steps=12,
    ),
    "small_packed_joined": dict(
        generator=layers([2, 9, 3], "relu", "tanh"),
        discriminator=layers([9, 18, 7, 1], "leaky_relu", "linear"),
        packing=3,
        objective="non_saturating",
        order="generator_first_shared_fake",
        optimizer={"kind": "sgd", "lr": 5e-2, "momentum": 0.5},
        batch=39,
        steps=12,
    ),
    "small_conditional_between": dict(
        generator=layers([8, 8, 4], "relu", "sigmoid"),
        discriminator=layers([9, 17, 6, 1], "tanh", "linear", dropout=0.25),
        conditions=5,
        objective="hinge",
        order="discriminator_first_shared_fake",
        optimizer=adam(1e-2, beta1=0.5),
        penalties={"gradient_penalty": 5.0},
        batch=11,
        steps=12,
    ),
}


class Inputs:
    """What enters a run: numbers that f32 holds, so that a program in f32 begins at the same point."""

    def __init__(self, name, case):
        stream = case.get("stream", zlib.crc32(name.encode()))
        self.random, self.tensors = np.random.default_rng([SEED, stream]), {}

    def normal(self, *shape, scale=1.0):
        return (self.random.standard_normal(shape) * scale).astype(np.float32).astype(np.float64)

    def keep(self, name, values):
        self.tensors[name] = values
        return values


class Network:
    """Dense layers with drawn parameters."""

    def __init__(self, name, spec, inputs):
        self.name, self.spec, self.parameters = name, spec, []
        # By layer: what a normalization keeps, what of it the passes found, and the singular vectors.
        self.kept, self.found, self.vectors = {}, [], {}
        for i, layer in enumerate(spec):
            weight = inputs.normal(layer["out"], layer["in"], scale=1.2 / layer["in"] ** 0.5)
            bias = inputs.normal(layer["out"], scale=0.1)
            for kind, values in ("weight", weight), ("bias", bias):
                inputs.keep(f"init.{name}.{i}.{kind}", values)
                # A copy: the tensor would change the array.
                self.parameters.append(torch.tensor(values.copy(), requires_grad=True))
            if layer.get("normalization") == "spectral":
                left = inputs.keep(f"init.{name}.{i}.singular_vector", inputs.normal(layer["out"]))
                self.kept[i] = {"singular_vector": torch.tensor(left.copy())}
            if layer.get("normalization") == "batch":
                self.kept[i] = {"running_mean": torch.zeros(layer["out"]), "running_var": torch.ones(layer["out"])}
        self.iterate()

    def __call__(self, x, keeps=None):
        found = {}
        for i, layer in enumerate(self.spec):
            weight, bias = self.parameters[2 * i : 2 * i + 2]
            normalization = layer.get("normalization")
            if normalization == "layer":
                x = F.layer_norm(F.linear(x, weight), [layer["out"]], bias=bias)
            elif normalization == "batch":
                x = F.linear(x, weight)
                found[i] = {"running_mean": x.mean(0).detach(), "running_var": x.var(0).detach()}
                x = F.batch_norm(x, None, None, bias=bias, training=True)
            elif normalization == "spectral":
                left, right = self.vectors[i]
                x = F.linear(x, weight / torch.dot(left, weight @ right), bias)
            else:
                x = F.linear(x, weight, bias)
            x = activated(x, layer)
            if layer["dropout"] and keeps is not None:
                x = x * keeps[i] / (1.0 - layer["dropout"])
        self.found.append(found)
        return x

    def iterate(self):
        """One power iteration for each weight that is divided by its largest singular value."""
        with torch.no_grad():
            for i, kept in self.kept.items():
                if "singular_vector" in kept:
                    weight = self.parameters[2 * i]
                    right = F.normalize(weight.T @ kept["singular_vector"], dim=0)
                    self.vectors[i] = F.normalize(weight @ right, dim=0), right

    def follow(self, passes):
        """What normalizations keep, after an update by what so many passes, the latest, have found."""
        for i, kept in self.kept.items():
            if "singular_vector" in kept:
                kept["singular_vector"] = self.vectors[i][0]
            else:
                for kind in kept:
                    of_batch = sum(found[i][kind] for found in self.found[-passes:]) / passes
                    kept[kind] = 0.9 * kept[kind] + 0.1 * of_batch
        self.iterate()

    def named(self, prefix, tensors):
        """Copies of `tensors`, one for each parameter, by name."""
        names = [f"{prefix}.{self.name}.{i}.{kind}" for i in range(len(self.spec)) for kind in ("weight", "bias")]
        return {name: tensor.detach().numpy().copy() for name, tensor in zip(names, tensors)}


def activated(x, layer):
    return {
        "linear": lambda: x,
        "relu": lambda: F.relu(x),
        "leaky_relu": lambda: F.leaky_relu(x, layer["slope"]),
        "tanh": lambda: torch.tanh(x),
        "sigmoid": lambda: torch.sigmoid(x),
    }[layer["activation"]]()


class Learner:
    """A network with what trains it."""

    def __init__(self, network, case):
        self.network = network
        self.optimizer = optimizer_of(case["optimizer"], network.parameters)
        self.clip_norm = case.get("clip_norm", {}).get(network.name)
        self.schedule = schedule_of(case.get("schedule"), self.optimizer)
        self.ends = case.get("schedule", {})
        self.first_gradients, self.losses = None, []
        self.clip = case.get("weight_clip") if network.name == "discriminator" else None
        self.average = None
        if network.name == "generator" and "ema_decay" in case:
            follow = torch.optim.swa_utils.get_ema_multi_avg_fn(case["ema_decay"])
            self.average = torch.optim.swa_utils.AveragedModel(torch.nn.ParameterList(network.parameters), multi_avg_fn=follow)
            # The first call copies the parameters.
            self.average.update_parameters(torch.nn.ParameterList(network.parameters))

    def update(self, loss, penalty=0.0):
        """One update that lowers `loss` and `penalty`."""
        way_back = falling(self.ends, len(self.losses))
        for group in self.optimizer.param_groups:
            if "final_rate" in self.ends:
                group["lr"] = between(group["initial_lr"], self.ends["final_rate"] * group["initial_lr"], way_back)
            for index, end in enumerate(("final_beta1", "final_beta2")):
                if end in self.ends:
                    betas = list(group["betas"])
                    first = group.setdefault(f"initial_{end}", betas[index])
                    betas[index] = between(first, self.ends[end], way_back)
                    group["betas"] = tuple(betas)
        self.optimizer.zero_grad()
        (loss + penalty).backward()
        if self.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters, self.clip_norm)
        if self.first_gradients is None:
            gradients = [parameter.grad for parameter in self.network.parameters]
            self.first_gradients = self.network.named("gradient", gradients)
        self.optimizer.step()
        # D learns of real samples and of fakes.
        self.network.follow(2 if self.network.name == "discriminator" else 1)
        if self.clip:
            with torch.no_grad():
                for parameter in self.network.parameters:
                    parameter.clamp_(-self.clip, self.clip)
        self.losses.append(loss.item())
        if self.schedule is not None:
            self.schedule.step()
        if self.average is not None:
            self.average.update_parameters(torch.nn.ParameterList(self.network.parameters))


def between(first, last, way_back):
    """What goes from `first` to `last`, as R3GAN's code has it (Huang et al. 2024)."""
    return last + (first - last) * way_back


def falling(schedule, step):
    """How much of the way of a schedule is left after so many steps: from 1 to 0, of the last step on behind it."""
    if not schedule:
        return 1.0
    steps = schedule["steps"] - schedule["warmup"]
    passed = min(max(step - schedule["warmup"], 0), steps - 1) / steps
    return (1 + np.cos(np.pi * passed)) / 2 if schedule["decay"] == "cosine" else 1 - passed


def schedule_of(spec, optimizer):
    """The schedule of the learning rate; one update is a step."""
    if spec is None:
        return None
    schedules, warmup, falling = torch.optim.lr_scheduler, spec["warmup"], spec["steps"] - spec["warmup"]
    if spec["decay"] == "cosine":
        fall = schedules.CosineAnnealingLR(optimizer, T_max=falling)
    else:
        fall = schedules.LinearLR(optimizer, start_factor=1.0, end_factor=0.0, total_iters=falling)
    if warmup == 0:
        return fall
    rise = schedules.LinearLR(optimizer, start_factor=1.0 / warmup, end_factor=1.0, total_iters=warmup - 1)
    return schedules.SequentialLR(optimizer, [rise, fall], milestones=[warmup])


def optimizer_of(spec, parameters):
    rate = spec["lr"]
    if spec["kind"] == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=spec.get("momentum", 0.0))
    if spec["kind"] == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=rate, alpha=spec["alpha"], eps=spec["eps"])
    betas = spec["beta1"], spec["beta2"]
    if spec["kind"] == "adamw":
        return torch.optim.AdamW(parameters, lr=rate, betas=betas, eps=spec["eps"], weight_decay=spec["weight_decay"])
    return torch.optim.Adam(parameters, lr=rate, betas=betas, eps=spec["eps"])


def cross_entropy(logits, real):
    """The mean cross-entropy of logits against a target of 1 (real), less where labels are smoothed, or 0."""
    if logits.shape[1] == 2:
        return F.cross_entropy(logits, torch.full((logits.shape[0],), real))
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


def discriminator_loss(case, real, fake):
    objective, label = case["objective"], 1 - case.get("label_smoothing", 0)
    if objective == "least_squares":
        return (real - label).square().mean() / 2 + fake.square().mean() / 2
    if objective == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    if objective == "wasserstein":
        return fake.mean() - real.mean()
    if objective == "relativistic_pairing":
        return F.softplus(fake - real).mean()
    if objective == "relativistic_average":
        return F.softplus(fake.mean() - real).mean() + F.softplus(fake - real.mean()).mean()
    loss = cross_entropy(real, label) + cross_entropy(fake, 0)
    return loss / 2 if objective == "non_saturating_half" else loss


def generator_loss(case, real, fake):
    """`real` is what a relativistic objective compares with."""
    objective = case["objective"]
    if objective == "least_squares":
        return (fake - 1).square().mean() / 2
    if objective in ("hinge", "wasserstein"):
        return -fake.mean()
    if objective == "relativistic_pairing":
        return F.softplus(real - fake).mean()
    if objective == "relativistic_average":
        return F.softplus(real.mean() - fake).mean() + F.softplus(real - fake.mean()).mean()
    return -cross_entropy(fake, 0) if objective == "minimax" else cross_entropy(fake, 1)


def packed(case, rows):
    """Rows of samples side by side in packs."""
    return torch.cat(rows.chunk(case.get("packing", 1)), 1)


def norms(case, d, samples, conditions, keeps):
    """The norm of D's gradient at each of the samples, or packs, to be differentiated again."""
    samples = samples.detach().requires_grad_()
    logits = d(packed(case, torch.cat([samples, conditions], 1)), keeps)
    margins = logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits
    (gradients,) = torch.autograd.grad(margins.sum(), samples, create_graph=True)
    return packed(case, gradients).norm(dim=1)


def penalty(case, d, samples, conditions, keeps):
    """The penalties on D at `samples`: real ones, fakes, and those between, each with the keeps of its role."""
    weights, total = case.get("penalties", {}), torch.zeros(())
    for weight, role in ("r1", "real"), ("r2", "fake"):
        if weight in weights:
            total = total + weights[weight] / 2 * norms(case, d, samples[role], conditions, keeps[role]).square().mean()
    if "gradient_penalty" in weights:
        beyond = norms(case, d, samples["between"], conditions, keeps["between"]) - 1
        beyond = F.relu(beyond) if weights.get("one_sided") else beyond
        total = total + weights["gradient_penalty"] * beyond.square().mean()
    return total


def run(name, case):
    """The tensors of a case."""
    inputs = Inputs(name, case)
    steps, batch, packing = case["steps"], case["batch"], case.get("packing", 1)
    generator = Learner(Network("generator", case["generator"], inputs), case)
    discriminator = Learner(Network("discriminator", case["discriminator"], inputs), case)
    g, d = generator.network, discriminator.network
    is_shared = case["order"].endswith("_shared_fake")
    reals = inputs.keep("real", inputs.normal(steps, batch, d.spec[0]["in"] // packing))
    # The last columns are conditions, which the fakes have, too.
    features, width = g.spec[-1]["out"], g.spec[0]["in"] - case.get("conditions", 0)
    latents = inputs.keep("latent.discriminator_step", inputs.normal(steps, batch, width))
    of_generator = latents if is_shared else inputs.normal(steps, batch, width)
    inputs.keep("latent.generator_step", of_generator)
    roles = ["real", "fake", "generator_step"]
    roles += ["generator_real"] if case["objective"].startswith("relativistic_") else []
    roles += ["between"] if "gradient_penalty" in case.get("penalties", {}) else []
    keeps = {
        role: {
            i: inputs.keep(f"keep.{role}.{i}", np.float64(inputs.random.random((steps, batch // packing, l["out"])) >= l["dropout"]))
            for i, l in enumerate(d.spec)
            if l["dropout"]
        }
        for role in roles
    }
    if "between" in roles:
        shares = inputs.keep("interpolation", np.float64(np.float32(inputs.random.random((steps, batch // packing)))))
    penalties = []

    def kept(role, step):
        return {i: torch.tensor(keep[step]) for i, keep in keeps[role].items()}

    def conditions(step):
        return torch.tensor(reals[step][:, features:])

    def made(step, latents):
        return g(torch.cat([torch.tensor(latents[step]), conditions(step)], 1))

    def judged(role, step, samples):
        return d(packed(case, torch.cat([samples, conditions(step)], 1)), kept(role, step))

    def discriminator_turn(step, fake):
        samples = {"real": torch.tensor(reals[step][:, :features]), "fake": fake.detach()}
        if "between" in roles:
            share = torch.tensor(shares[step])[:, None].repeat(packing, 1)
            samples["between"] = share * samples["real"] + (1 - share) * samples["fake"]
        keeps_here = {role: kept(role, step) for role in samples}
        logits = [judged(role, step, samples[role]) for role in ("real", "fake")]
        more = penalty(case, d, samples, conditions(step), keeps_here)
        ends = case.get("schedule", {})
        more = more * between(1.0, ends.get("final_penalty", 1.0), falling(ends, step))
        penalties.append(more.item())
        discriminator.update(discriminator_loss(case, *logits), more)

    def generator_turn(step, fake):
        real = None
        if "generator_real" in roles:
            real = judged("generator_real", step, torch.tensor(reals[step][:, :features]))
        generator.update(generator_loss(case, real, judged("generator_step", step, fake)))

    for step in range(steps):
        fake = made(step, latents)
        if case["order"] == "generator_first_shared_fake":
            generator_turn(step, fake)
            discriminator_turn(step, fake)
        else:
            discriminator_turn(step, fake)
            generator_turn(step, fake if is_shared else made(step, of_generator))
    tensors = dict(inputs.tensors)
    if "penalties" in case:
        tensors["penalty"] = np.array(penalties)
    for learner in generator, discriminator:
        tensors.update(learner.first_gradients)
        tensors.update(learner.network.named("final", learner.network.parameters))
        for i, kept in learner.network.kept.items():
            tensors.update({f"final.{learner.network.name}.{i}.{kind}": values.numpy() for kind, values in kept.items()})
        if learner.average is not None:
            tensors.update(learner.network.named("average", learner.average.module))
        tensors[f"loss.{learner.network.name}"] = np.array(learner.losses)
    return tensors


def stored(name, values):
    """A tensor in the type that files have it in."""
    exact = name.startswith(("init.", "real", "latent.", "interpolation"))
    kind = np.uint8 if name.startswith("keep.") else np.float32 if exact else np.float64
    return np.ascontiguousarray(values.astype(kind))


def write(path, name, case, tensors):
    """Writes a safetensors file, whose form is a header in JSON and the bytes of all tensors."""
    config = {key: value for key, value in case.items() if key != "stream"}
    header, data = {"__metadata__": {"case": name, "config": json.dumps(config)}}, b""
    # The largest numbers first, so that all are aligned.
    for key, values in sorted(tensors.items(), key=lambda item: (-stored(*item).itemsize, item[0])):
        values = stored(key, values)
        kind = {"float64": "F64", "float32": "F32", "uint8": "U8"}[values.dtype.name]
        offsets = [len(data), len(data) + values.nbytes]
        header[key] = {"dtype": kind, "shape": list(values.shape), "data_offsets": offsets}
        data += values.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def read(path):
    """The tensors of a safetensors file."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header.pop("__metadata__")
    kinds = {"F64": np.float64, "F32": np.float32, "U8": np.uint8}

    def values(entry):
        begin, end = entry["data_offsets"]
        return np.frombuffer(content[start + begin : start + end], kinds[entry["dtype"]]).reshape(entry["shape"])

    return {name: values(entry) for name, entry in header.items()}


def check(path, tensors):
    """The tensors of a file that are not those of `tensors`."""
    found = read(path)
    if found.keys() != tensors.keys():
        return sorted(found.keys() ^ tensors.keys())
    return [
        name
        for name, values in found.items()
        if not np.allclose(values, stored(name, tensors[name]), rtol=1e-12, atol=1e-15)
    ]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("names", metavar="NAME", nargs="*")
    arguments.add_argument("--out", type=pathlib.Path, default=FOLDER)
    arguments.add_argument("--check", action="store_true")
    given = arguments.parse_args()
    unknown = [name for name in given.names if name not in CASES]
    if unknown:
        arguments.error(f"unknown cases: {', '.join(unknown)} (known: {', '.join(CASES)})")
    given.out.mkdir(parents=True, exist_ok=True)
    wrong = []
    for name in given.names or CASES:
        path = given.out / f"{name}.safetensors"
        if given.check:
            differing = check(path, run(name, CASES[name]))
            print(f"{name}: {'the same' if not differing else ', '.join(differing) + ' differ'}")
            wrong += differing
        elif given.names or not path.exists():
            write(path, name, CASES[name], run(name, CASES[name]))
            print(f"{name}: {path.stat().st_size} bytes")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
