"""The presets in JAX: many steps in one compiled call.

    jax_peer.py PRESET BATCH THREADS [GENERATOR[:BLOCK[:UNROLL]]]

GENERATOR is JAX's random generator: threefry2x32 (the default), rbg or unsafe_rbg. The noise of BLOCK steps is drawn at once and
then scanned, UNROLL steps to an iteration: that spares a short step the calls of the generator and of the loop.
"""

import os
import sys

NAME, BATCH, THREADS, *SETTING = sys.argv[1:]
# XLA takes as many threads as it may use processors, so this comes before JAX is imported.
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-int(THREADS) :])
# By default XLA uses half of a 512-bit register.
FLAGS = ["--xla_cpu_prefer_vector_width=512"] + (["--xla_cpu_multi_thread_eigen=false"] if THREADS == "1" else [])
os.environ["XLA_FLAGS"] = " ".join([*FLAGS, os.environ.get("XLA_FLAGS", "")])

import functools  # noqa: E402

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

from presets import PRESETS, initial, made_data, measure, report  # noqa: E402

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class Gan:
    """One preset; the functions are pure, the state is a tuple of trees."""

    def __init__(self, preset, batch, block, unroll):
        self.preset, self.batch, self.block, self.unroll = preset, batch, block, unroll
        samples, order = made_data(preset, batch)
        self.samples, self.order = jnp.asarray(samples), jnp.asarray(order.astype("int32"))
        self.positions = len(order) // batch

    def initial_state(self):
        generator, discriminator = (
            [(jnp.asarray(weight), jnp.asarray(bias)) for weight, bias in initial(sizes)]
            for sizes in (self.preset.generator, self.preset.discriminator)
        )
        return generator, self.moments(generator), discriminator, self.moments(discriminator), jnp.int32(0)

    def moments(self, parameters):
        if self.preset.optimizer == "sgd":
            return ()
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        return zeros, jax.tree.map(jnp.copy, zeros)

    # The networks.

    def generate(self, parameters, latents):
        x = self.layers(parameters, latents, None)
        return jnp.tanh(x) if self.preset.tanh_output else x

    def layers(self, parameters, x, masks):
        for i, (weight, bias) in enumerate(parameters):
            x = x @ weight.T + bias
            if i < len(parameters) - 1:
                x = jnp.where(x > 0, x, self.preset.slope * x)
                if masks is not None:
                    x = jnp.where(masks[i], x * (1 / (1 - self.preset.dropout)), 0)
        return x

    # The losses, of logits.

    def entropy(self, logits, real):
        """The sum over the batch of the cross-entropy against one class."""
        if self.preset.objective == "softmax":
            return -jax.nn.log_softmax(logits)[:, int(real)].sum()
        return jax.nn.softplus(-logits if real else logits).sum()

    def discriminator_loss(self, discriminator, real, fakes, masks):
        """Real samples and fakes pass D together."""
        samples, penalty = jnp.concatenate([real, fakes]), 0.0
        if self.preset.penalized:
            # One forward pass gives the logits and what they hang on.
            logits, back = jax.vjp(lambda samples: self.layers(discriminator, samples, masks), samples)
            (slopes,) = back(jnp.ones_like(logits))
            penalty = 0.5 * (slopes * slopes).sum() / self.batch
        else:
            logits = self.layers(discriminator, samples, masks)
        total = self.entropy(logits[: self.batch], True) + self.entropy(logits[self.batch :], False)
        return self.preset.discriminator_factor * total / self.batch + penalty

    def generator_loss(self, generator, discriminator, latents, masks):
        logits = self.layers(discriminator, self.generate(generator, latents), masks)
        if self.preset.objective == "minimax":
            return -self.entropy(logits, False) / self.batch
        return self.entropy(logits, True) / self.batch

    # The step.

    def update(self, parameters, moments, gradients, step):
        rate = self.preset.learning_rate
        if self.preset.optimizer == "sgd":
            return jax.tree.map(lambda p, g: p - rate * g, parameters, gradients), moments
        first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, moments[0], gradients)
        second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, moments[1], gradients)
        # Both corrections of the bias as factors: no division but one for each parameter.
        time = (step + 1).astype(jnp.float32)
        scale, root = rate / (1 - BETA1**time), jax.lax.rsqrt(1 - BETA2**time)
        parameters = jax.tree.map(
            lambda p, m, v: p - scale * m / (jnp.sqrt(v) * root + EPSILON), parameters, first, second
        )
        return parameters, (first, second)

    def step(self, state, noise):
        """One update of D and one of G, in the preset's order."""
        generator, of_generator, discriminator, of_discriminator, step = state
        latents, masks = noise
        fakes = self.generate(generator, latents[0])
        discriminator_loss, slope = jax.value_and_grad(self.discriminator_loss)(
            discriminator, self.mini_batch(step), fakes, masks and masks[0]
        )
        updated, of_discriminator = self.update(discriminator, of_discriminator, slope, step)
        # Where G comes first, its gradient is through the D that the step began with.
        through = discriminator if self.preset.order == "generator-first-shared" else updated
        generator_loss, slope = jax.value_and_grad(self.generator_loss)(
            generator, through, latents[-1], masks and masks[1]
        )
        generator, of_generator = self.update(generator, of_generator, slope, step)
        state = generator, of_generator, updated, of_discriminator, step + 1
        return state, (discriminator_loss, generator_loss)

    def mini_batch(self, step):
        start = step % self.positions * self.batch
        if not self.preset.shuffled:
            return jax.lax.dynamic_slice_in_dim(self.samples, start, self.batch)
        return self.samples[jax.lax.dynamic_slice_in_dim(self.order, start, self.batch)]

    def noise(self, key):
        """Latents and masks of a block of steps."""
        preset, block, batch = self.preset, self.block, self.batch
        key, of_latents = jax.random.split(key)
        turns = 2 if preset.order == "discriminator-first" else 1
        latents = jax.random.normal(of_latents, (turns, block, batch, preset.latents))
        masks = None
        if preset.dropout:
            hidden = preset.discriminator[1:-1]
            # D's turn sees real samples and fakes, G's only fakes.
            shapes = [[(block, rows, width) for width in hidden] for rows in (2 * batch, batch)]
            keys = iter(jax.random.split(key, 2 * len(hidden)))
            masks = [[self.mask(next(keys), shape) for shape in turn] for turn in shapes]
        return list(latents), masks

    def mask(self, key, shape):
        """True where a unit is kept. Compares 16 bits, as gannet does: two decisions for each word drawn."""
        words = jax.random.bits(key, (*shape[:-1], shape[-1] // 2), "uint32")
        halves = jax.lax.bitcast_convert_type(words, jnp.uint16).reshape(shape)
        return halves >= round(self.preset.dropout * 2**16)

    @functools.partial(jax.jit, static_argnums=0, donate_argnums=(1, 2))
    def run(self, state, key, blocks):
        """So many blocks of steps. Returns the last step's losses too."""

        def one(_, carry):
            state, key, _ = carry
            key, of_noise = jax.random.split(key)
            state, losses = jax.lax.scan(self.step, state, self.noise(of_noise), unroll=self.unroll)
            return state, key, jax.tree.map(lambda loss: loss[-1], losses)

        return jax.lax.fori_loop(0, blocks, one, (state, key, (0.0, 0.0)))


def main():
    setting = SETTING[0] if SETTING else "unsafe_rbg"
    random, block, unroll = (setting.split(":") + ["1", "1"])[:3]
    jax.config.update("jax_default_prng_impl", random)
    gan = Gan(PRESETS[NAME], int(BATCH), int(block), min(int(unroll), int(block)))
    carry = gan.initial_state(), jax.random.PRNGKey(3), None

    def run(blocks):
        nonlocal carry
        carry = jax.block_until_ready(gan.run(*carry[:2], blocks))

    rate = measure(run)
    report(rate * gan.batch * gan.block, [float(loss) for loss in carry[2]], setting=setting, version=jax.__version__)


if __name__ == "__main__":
    main()
