"""The presets in PyTorch.

    torch_peer.py PRESET BATCH THREADS [fused|foreach|compile|autotune[:BLAS]]

The last argument is the implementation of the optimizer, or what torch.compile makes of networks, losses and optimizer, with its default
settings or with `max-autotune-no-cudagraphs`. BLAS is the caller's name of the library of products that it loaded before PyTorch's own.
"""

import sys

import torch
import torch.nn.functional as F

from presets import PRESETS, initial, made_data, measure, report

# The settings that compile, and what torch.compile is told.
COMPILED = {"compile": "default", "autotune": "max-autotune-no-cudagraphs"}


def network(sizes):
    """Parameters: weight, bias, weight, bias ..."""
    return [torch.from_numpy(array).requires_grad_() for layer in initial(sizes) for array in layer]


def optimizer(preset, parameters, setting):
    """The preset's optimizer, in PyTorch's implementation of that name; what is compiled starts from the many tensor operations."""
    choice = {"foreach" if setting in COMPILED else setting: True}
    if preset.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=preset.learning_rate, **choice)
    return torch.optim.Adam(parameters, lr=preset.learning_rate, betas=(0.9, 0.999), **choice)


class Gan:
    """One preset in training. Functions on lists of parameters: less to call than modules."""

    def __init__(self, preset, batch, setting):
        self.preset, self.batch = preset, batch
        samples, order = made_data(preset, batch)
        self.samples, self.order = torch.from_numpy(samples), torch.from_numpy(order)
        self.generator, self.discriminator = network(preset.generator), network(preset.discriminator)
        self.update_generator = optimizer(preset, self.generator, setting)
        self.update_discriminator = optimizer(preset, self.discriminator, setting)
        # Real samples and fakes pass D together, the real ones first.
        is_real = torch.arange(2 * batch) < batch
        softmax = preset.objective == "softmax"
        self.both = is_real.long() if softmax else is_real.float()[:, None]
        # What G wants its fakes to be taken for, and the sign of that wish.
        wanted = torch.zeros_like(self.both) if preset.objective == "minimax" else torch.ones_like(self.both)
        self.wanted = wanted[:batch].contiguous()
        self.sign = -1.0 if preset.objective == "minimax" else 1.0
        self.entropy = F.cross_entropy if softmax else F.binary_cross_entropy_with_logits
        self.update_both = [self.update_generator.step, self.update_discriminator.step]
        if setting in COMPILED:
            for name in ("fakes", "loss_of_discriminator", "loss_of_generator", "losses"):
                setattr(self, name, torch.compile(getattr(self, name), mode=COMPILED[setting], dynamic=False))
            self.update_both = [torch.compile(update, mode=COMPILED[setting], dynamic=False) for update in self.update_both]
        self.step = {
            "discriminator-first": self.discriminator_first,
            "discriminator-first-shared": self.discriminator_first_shared,
            "generator-first-shared": self.generator_first_shared,
        }[preset.order]

    # What is compiled, where anything is. Parameters are arguments: those that come detached get no gradients.

    def fakes(self, generator):
        x = self.hidden(generator, torch.randn(self.batch, self.preset.latents), 0.0)
        return torch.tanh(x) if self.preset.tanh_output else x

    def loss_of_discriminator(self, discriminator, real, fakes):
        samples = torch.cat([real, fakes])
        if not self.preset.penalized:
            return self.discriminator_loss(self.logits(discriminator, samples))
        logits = self.logits(discriminator, samples.requires_grad_())
        (slopes,) = torch.autograd.grad(logits.sum(), samples, create_graph=True)
        return self.discriminator_loss(logits) + 0.5 * slopes.square().sum() / self.batch

    def loss_of_generator(self, discriminator, fakes):
        return self.generator_loss(self.logits(discriminator, fakes))

    def losses(self, generator, discriminator, real):
        """Both losses by one pass of D."""
        logits = self.logits(discriminator, torch.cat([real, self.fakes(generator)]))
        return self.discriminator_loss(logits), self.generator_loss(logits[self.batch :])

    def logits(self, discriminator, x):
        return self.hidden(discriminator, x, self.preset.dropout)

    def hidden(self, parameters, x, dropout):
        """All layers of a network, the output linear."""
        for i in range(0, len(parameters) - 2, 2):
            x = F.linear(x, parameters[i], parameters[i + 1])
            x = F.leaky_relu_(x, self.preset.slope) if self.preset.slope else F.relu_(x)
            if dropout:
                x = F.dropout(x, dropout)
        return F.linear(x, parameters[-2], parameters[-1])

    def discriminator_loss(self, logits):
        # The mean is over twice the batch.
        return 2 * self.preset.discriminator_factor * self.entropy(logits, self.both)

    def generator_loss(self, logits):
        return self.sign * self.entropy(logits, self.wanted)

    # The step.

    def train_discriminator(self, real, fakes):
        loss = self.loss_of_discriminator(self.discriminator, real, fakes)
        self.apply(1, self.discriminator, torch.autograd.grad(loss, self.discriminator))
        return loss

    def train_generator(self, fakes):
        loss = self.loss_of_generator([parameter.detach() for parameter in self.discriminator], fakes)
        self.apply(0, self.generator, torch.autograd.grad(loss, self.generator))
        return loss

    def apply(self, which, parameters, gradients):
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = gradient
        self.update_both[which]()

    def discriminator_first(self, real):
        with torch.no_grad():
            fakes = self.fakes(self.generator)
        return self.train_discriminator(real, fakes), self.train_generator(self.fakes(self.generator))

    def discriminator_first_shared(self, real):
        fakes = self.fakes(self.generator)
        return self.train_discriminator(real, fakes.detach()), self.train_generator(fakes)

    def generator_first_shared(self, real):
        # Neither update changes what the other's gradient is of: D's forward pass serves both.
        of_discriminator, of_generator = self.losses(self.generator, self.discriminator, real)
        of_generators = torch.autograd.grad(of_generator, self.generator, retain_graph=True)
        self.apply(1, self.discriminator, torch.autograd.grad(of_discriminator, self.discriminator))
        self.apply(0, self.generator, of_generators)
        return of_discriminator, of_generator

    def batches(self):
        """Mini-batches for ever: gathered through the order, or slices where the preset does not shuffle."""
        last = len(self.order) - self.batch
        while True:
            for start in range(0, last + 1, self.batch):
                if self.preset.shuffled:
                    yield self.samples[self.order[start : start + self.batch]]
                else:
                    yield self.samples[start : start + self.batch]

    def run(self, batches, steps):
        for _ in range(steps):
            losses = self.step(next(batches))
        return [loss.item() for loss in losses]


def main():
    name, batch, threads, *rest = sys.argv[1:]
    setting = rest[0] if rest else "fused"
    torch.set_num_threads(int(threads))
    torch.manual_seed(3)
    gan = Gan(PRESETS[name], int(batch), setting.split(":")[0])
    batches = gan.batches()
    # What is compiled is compiled in the first steps: the first, and where the optimizer's state has come to be.
    gan.run(batches, 20)
    rate = measure(lambda steps: gan.run(batches, steps))
    report(rate * gan.batch, gan.run(batches, 1), setting=setting, version=torch.__version__)


if __name__ == "__main__":
    main()
