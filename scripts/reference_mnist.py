#!/usr/bin/env python3
"""Trains the recipe of the preset `mnist` in JAX, to compare with: the Parzen-window log-likelihood after some epochs, seed by seed.

    pip install jax
    scripts/reference_mnist.py --data DIR --seeds 0 1 2 --epochs 8 9 10 11

DIR holds the four IDX files of MNIST, gzipped. Networks, loss, order, optimizer, dropout and measure are those of `gannet train mnist`
and `gannet evaluate`; the random numbers are JAX's own. One epoch takes about 20 seconds on one core.
"""

import argparse
import gzip
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

BATCH, LATENTS = 100, 100
GENERATOR = [LATENTS, 256, 512, 1024, 784]
DISCRIMINATOR = [784, 1024, 512, 256, 1]
DROPOUT, SLOPE, RATE, BETA1, BETA2 = 0.3, 0.2, 2e-4, 0.9, 0.999
SAMPLES, HELD_OUT = 10_000, 1_000


def images(path):
    """The images of an IDX file, bytes, a row each."""
    return np.frombuffer(gzip.decompress(path.read_bytes())[16:], np.uint8).reshape(-1, 784)


def initial(key, widths):
    """Weights and biases as PyTorch draws them: uniform within 1 / sqrt(inputs)."""
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        key, weight, bias = jax.random.split(key, 3)
        bound = inputs**-0.5
        draw = lambda key, shape: jax.random.uniform(key, shape, minval=-bound, maxval=bound)
        layers.append((draw(weight, (inputs, outputs)), draw(bias, (outputs,))))
    return layers


def forward(layers, x, key=None):
    """The last layer's pre-activations; with dropout after each hidden layer where a key is given."""
    for weight, bias in layers[:-1]:
        x = x @ weight + bias
        x = jnp.where(x > 0, x, SLOPE * x)
        if key is not None:
            key, own = jax.random.split(key)
            x = jnp.where(jax.random.bernoulli(own, 1 - DROPOUT, x.shape), x / (1 - DROPOUT), 0.0)
    weight, bias = layers[-1]
    return x @ weight + bias


def generate(generator, latents):
    return jnp.tanh(forward(generator, latents))


def adam(parameters, gradients, moments, t):
    first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, moments[0], gradients)
    second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, moments[1], gradients)
    update = lambda p, m, v: p - RATE * (m / (1 - BETA1**t)) / (jnp.sqrt(v / (1 - BETA2**t)) + 1e-8)
    return jax.tree.map(update, parameters, first, second), (first, second)


@jax.jit
def step(state, real, key, t):
    """D's update on real images and fakes, then G's through the updated D, on new latents."""
    generator, discriminator, of_generator, of_discriminator = state
    keys = jax.random.split(key, 5)
    real = real.astype(jnp.float32) / 127.5 - 1
    fakes = generate(generator, jax.random.normal(keys[0], (BATCH, LATENTS)))

    def loss_of_d(discriminator):
        on_real, on_fakes = forward(discriminator, real, keys[1]), forward(discriminator, fakes, keys[2])
        return jax.nn.softplus(-on_real).mean() + jax.nn.softplus(on_fakes).mean()

    gradients = jax.grad(loss_of_d)(discriminator)
    discriminator, of_discriminator = adam(discriminator, gradients, of_discriminator, t)
    latents = jax.random.normal(keys[3], (BATCH, LATENTS))
    loss_of_g = lambda generator: jax.nn.softplus(-forward(discriminator, generate(generator, latents), keys[4])).mean()
    generator, of_generator = adam(generator, jax.grad(loss_of_g)(generator), of_generator, t)
    return generator, discriminator, of_generator, of_discriminator


def log_likelihood(samples, images, sigma):
    """Mean log-likelihood in nats of images under normal windows around samples (Goodfellow et al. 2014, section 5)."""
    squares, sums = (samples**2).sum(1), []
    for batch in np.split(images, len(images) // 500):
        distances = np.maximum((batch**2).sum(1)[:, None] + squares - 2 * batch @ samples.T, 0)
        exponents = -distances / (2 * sigma**2)
        largest = exponents.max(1)
        sums.append(largest + np.log(np.exp(exponents - largest[:, None]).astype(np.float64).mean(1)))
    return np.concatenate(sums).mean() - 784 / 2 * np.log(2 * np.pi * sigma**2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with the gzipped IDX files")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, nargs="+", default=[10], help="epochs after which to measure")
    arguments = parser.parse_args()
    training = images(arguments.data / "train-images-idx3-ubyte.gz")
    test = images(arguments.data / "t10k-images-idx3-ubyte.gz").astype(np.float32) / 255
    held_out = training[-HELD_OUT:].astype(np.float32) / 255
    for seed in arguments.seeds:
        key, of_generator, of_discriminator = jax.random.split(jax.random.PRNGKey(seed), 3)
        networks = initial(of_generator, GENERATOR), initial(of_discriminator, DISCRIMINATOR)
        zeros = [jax.tree.map(jnp.zeros_like, network) for network in networks]
        state = (*networks, (zeros[0], zeros[0]), (zeros[1], zeros[1]))
        order, t = np.random.default_rng(seed), 0
        for epoch in range(1, max(arguments.epochs) + 1):
            for rows in np.split(order.permutation(len(training)), len(training) // BATCH):
                t += 1
                key, own = jax.random.split(key)
                state = step(state, training[rows], own, float(t))
            if epoch in arguments.epochs:
                latents = jax.random.normal(jax.random.PRNGKey(99), (SAMPLES, LATENTS))
                samples = (np.asarray(generate(state[0], latents)) + 1) / 2
                sigma = max(np.logspace(-1, 0, 10), key=lambda sigma: log_likelihood(samples, held_out, sigma))
                print(f"seed {seed} epoch {epoch}: {log_likelihood(samples, test, sigma):.1f} nats, window {sigma:.3f}", flush=True)


if __name__ == "__main__":
    main()
