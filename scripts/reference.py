#!/usr/bin/env python3
"""Trains circle, mixture1d and gaussian2d with NumPy in f64: the recipes once more, in code that shares nothing with gannet.

    scripts/reference.py [--seeds 20]     some four minutes; needs NumPy

The results of a GAN vary from seed to seed, so docs/results.md holds gannet's figures against the range of this program's.
Backward passes are written out by hand; data, latents and initial weights come from NumPy's generator.
"""

import argparse

import numpy as np

BATCH = 32
A = np.array([[1.0, 2.0], [-0.2, 0.5]])
MU = np.array([2.0, 1.0])


class Dense:
    """Dense layers with ReLU between them and dropout after each hidden one; PyTorch's default initialization."""

    def __init__(self, random, sizes, optimizer, dropout=0.0):
        self.random, self.dropout = random, dropout
        self.layers = [
            [random.uniform(-1, 1, (a, b)) / np.sqrt(a), random.uniform(-1, 1, b) / np.sqrt(a)]
            for a, b in zip(sizes, sizes[1:])
        ]
        self.update = optimizer([parameter for layer in self.layers for parameter in layer])

    def __call__(self, x):
        """The outputs for rows `x`, and what the backward pass needs."""
        inputs, masks = [x], []
        for i, (weight, bias) in enumerate(self.layers):
            x = x @ weight + bias
            if i < len(self.layers) - 1:
                mask = (x > 0).astype(float)
                if self.dropout:
                    mask *= (self.random.random(x.shape) >= self.dropout) / (1 - self.dropout)
                x = x * mask
                masks.append(mask)
            inputs.append(x)
        return x, (inputs, masks)

    def backward(self, saved, delta):
        """The gradients of all parameters, and that of the inputs."""
        inputs, masks = saved
        gradients = []
        for i in reversed(range(len(self.layers))):
            gradients = [inputs[i].T @ delta, delta.sum(0)] + gradients
            delta = delta @ self.layers[i][0].T
            if i:
                delta = delta * masks[i - 1]
        return gradients, delta


def sgd(rate):
    """Gradient descent."""

    def bind(parameters):
        def update(gradients):
            for parameter, gradient in zip(parameters, gradients):
                parameter -= rate * gradient

        return update

    return bind


def adam(rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Adam in PyTorch's form."""

    def bind(parameters):
        moments = [(np.zeros_like(parameter), np.zeros_like(parameter)) for parameter in parameters]
        steps = 0

        def update(gradients):
            nonlocal steps
            steps += 1
            for parameter, gradient, (first, second) in zip(parameters, gradients, moments):
                first += (1 - beta1) * (gradient - first)
                second += (1 - beta2) * (gradient * gradient - second)
                root = np.sqrt(second / (1 - beta2**steps)) + epsilon
                parameter -= rate * first / (1 - beta1**steps) / root

        return update

    return bind


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def both(left, right):
    return [a + b for a, b in zip(left, right)]


def wasserstein(a, b):
    return np.abs(np.sort(a) - np.sort(b)).mean()


def circle_points(random, count):
    angle = random.uniform(0, 2 * np.pi, count)
    return np.stack([np.cos(angle), np.sin(angle)], 1) + 0.05 * random.normal(size=(count, 2))


def circle(seed, epochs):
    """Minimax with Adam; D first, then G on new latents and with new dropout."""
    random = np.random.default_rng(seed)
    data = circle_points(random, 1024)
    generator = Dense(random, [2, 16, 32, 2], adam(0.001))
    discriminator = Dense(random, [2, 128, 64, 32, 1], adam(0.001), dropout=0.2)
    for _ in range(epochs):
        order = random.permutation(len(data))
        for start in range(0, len(data), BATCH):
            fakes, _ = generator(random.normal(size=(BATCH, 2)))
            real, on_real = discriminator(data[order[start : start + BATCH]])
            fake, on_fake = discriminator(fakes)
            of_real = discriminator.backward(on_real, (sigmoid(real) - 1) / BATCH)[0]
            of_fake = discriminator.backward(on_fake, sigmoid(fake) / BATCH)[0]
            discriminator.update(both(of_real, of_fake))
            fakes, saved = generator(random.normal(size=(BATCH, 2)))
            fake, on_fake = discriminator(fakes)
            delta = discriminator.backward(on_fake, -sigmoid(fake) / BATCH)[1]
            generator.update(generator.backward(saved, delta)[0])
    samples = generator(random.normal(size=(5000, 2)))[0]
    real = circle_points(random, len(samples))
    radius = np.hypot(*samples.T)
    angles = np.pi * (np.arange(64) + 0.5) / 64
    directions = np.stack([np.cos(angles), np.sin(angles)])
    sectors = np.floor(np.arctan2(samples[:, 1], samples[:, 0]) / (2 * np.pi) % 1 * 36).astype(int) % 36
    covered = np.bincount(sectors, minlength=36) >= 0.2 * len(samples) / 36
    distances = [wasserstein(samples @ direction, real @ direction) for direction in directions.T]
    return {
        "sliced 1-Wasserstein distance": np.mean(distances),
        "mean radius": radius.mean(),
        "s.d. of the radius": radius.std(),
        "share of sectors covered": covered.mean(),
    }


def mixture_points(random, count):
    first = random.random(count) < 0.5
    return np.where(first, 3 + 1.5 * random.normal(size=count), 6 + 2 * random.normal(size=count))[:, None]


def mixture1d(seed):
    """Gradient descent; G first, then D on the fakes made before G's update, on half of the sum of its losses."""
    random = np.random.default_rng(seed)
    data = mixture_points(random, 10_000)
    generator = Dense(random, [1, 3, 1], sgd(0.01))
    discriminator = Dense(random, [1, 1], sgd(0.01))
    for _ in range(50):
        order = random.permutation(len(data))
        for start in range(0, len(data) - BATCH + 1, BATCH):
            fakes, saved = generator(random.normal(size=(BATCH, 1)))
            fake, on_fake = discriminator(fakes)
            delta = discriminator.backward(on_fake, (sigmoid(fake) - 1) / BATCH)[1]
            real, on_real = discriminator(data[order[start : start + BATCH]])
            of_real = discriminator.backward(on_real, (sigmoid(real) - 1) / BATCH / 2)[0]
            of_fake = discriminator.backward(on_fake, sigmoid(fake) / BATCH / 2)[0]
            generator.update(generator.backward(saved, delta)[0])
            discriminator.update(both(of_real, of_fake))
    samples = generator(random.normal(size=(10_000, 1)))[0][:, 0]
    return {
        "mean": samples.mean(),
        "standard deviation": samples.std(),
        "1-Wasserstein distance": wasserstein(samples, mixture_points(random, len(samples))[:, 0]),
    }


def gaussian2d(seed):
    """Softmax over two classes, class 1 is real, Adam; D first, then G on the same latents through the updated D."""
    random = np.random.default_rng(seed)
    data = random.normal(size=(3200, 2)) @ A + MU
    generator = Dense(random, [2, 2], adam(0.01))
    discriminator = Dense(random, [2, 20, 10, 2], adam(0.01))

    def slope(logits, target):
        share = np.exp(logits - logits.max(1, keepdims=True))
        share /= share.sum(1, keepdims=True)
        share[:, target] -= 1
        return share / BATCH

    for step in range(2000):
        start = step * BATCH % len(data)
        fakes, saved = generator(random.normal(size=(BATCH, 2)))
        real, on_real = discriminator(data[start : start + BATCH])
        fake, on_fake = discriminator(fakes)
        of_real = discriminator.backward(on_real, slope(real, 1))[0]
        discriminator.update(both(of_real, discriminator.backward(on_fake, slope(fake, 0))[0]))
        fake, on_fake = discriminator(fakes)
        delta = discriminator.backward(on_fake, slope(fake, 1))[1]
        generator.update(generator.backward(saved, delta)[0])
    weight, bias = generator.layers[0]
    return {
        "largest error of the covariance over 4.25": np.abs(weight.T @ weight - A.T @ A).max() / 4.25,
        "distance of the bias from mu": np.hypot(*(bias - MU)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    presets = {
        "circle, 100 epochs": lambda seed: circle(seed, 100),
        "circle, 300 epochs": lambda seed: circle(seed, 300),
        "mixture1d": mixture1d,
        "gaussian2d": gaussian2d,
    }
    for name, train in presets.items():
        runs = [train(seed) for seed in range(seeds)]
        print(f"{name}, {seeds} seeds")
        for measure in runs[0]:
            values = [run[measure] for run in runs]
            print(f"  {measure}: {np.median(values):.3f}, {min(values):.3f} to {max(values):.3f}", flush=True)


if __name__ == "__main__":
    main()
