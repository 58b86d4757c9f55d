"""The reference systems in PyTorch.

    torch_peer.py SYSTEM BATCH THREADS [fused|foreach]

The last argument is the implementation of the optimizer.
"""

import sys

import torch
import torch.nn.functional as F

from systems import SYSTEMS, initial, made_data, measure, report


def network(sizes):
    """Parameters: weight, bias, weight, bias ..."""
    return [torch.from_numpy(array).requires_grad_() for layer in initial(sizes) for array in layer]


def optimizer(system, parameters, setting):
    """The system's optimizer, in PyTorch's implementation of that name."""
    choice = {setting: True}
    if system.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=system.learning_rate, **choice)
    return torch.optim.Adam(parameters, lr=system.learning_rate, betas=(0.9, 0.999), **choice)


class Gan:
    """One system in training. Functions on lists of parameters: less to call than modules."""

    def __init__(self, system, batch, setting):
        self.system, self.batch = system, batch
        samples, order = made_data(system, batch)
        self.samples, self.order = torch.from_numpy(samples), torch.from_numpy(order)
        self.generator, self.discriminator = network(system.generator), network(system.discriminator)
        self.update_generator = optimizer(system, self.generator, setting)
        self.update_discriminator = optimizer(system, self.discriminator, setting)
        # Real samples and fakes pass D together, the real ones first.
        is_real = torch.arange(2 * batch) < batch
        softmax = system.objective == "softmax"
        self.both = is_real.long() if softmax else is_real.float()[:, None]
        # What G wants its fakes to be taken for, and the sign of that wish.
        wanted = torch.zeros_like(self.both) if system.objective == "minimax" else torch.ones_like(self.both)
        self.wanted = wanted[:batch].contiguous()
        self.sign = -1.0 if system.objective == "minimax" else 1.0
        self.entropy = F.cross_entropy if softmax else F.binary_cross_entropy_with_logits
        self.step = {
            "discriminator-first": self.discriminator_first,
            "discriminator-first-shared": self.discriminator_first_shared,
            "generator-first-shared": self.generator_first_shared,
        }[system.order]

    def fakes(self):
        x = self.hidden(self.generator, torch.randn(self.batch, self.system.latents), 0.0)
        return torch.tanh(x) if self.system.tanh_output else x

    def logits(self, x):
        return self.hidden(self.discriminator, x, self.system.dropout)

    def hidden(self, parameters, x, dropout):
        """All layers of a network, the output linear."""
        for i in range(0, len(parameters) - 2, 2):
            x = F.linear(x, parameters[i], parameters[i + 1])
            x = F.leaky_relu_(x, self.system.slope) if self.system.slope else F.relu_(x)
            if dropout:
                x = F.dropout(x, dropout)
        return F.linear(x, parameters[-2], parameters[-1])

    def discriminator_loss(self, logits):
        # The mean is over twice the batch.
        return 2 * self.system.discriminator_factor * self.entropy(logits, self.both)

    def generator_loss(self, logits):
        return self.sign * self.entropy(logits, self.wanted)

    @staticmethod
    def apply(update, loss, parameters, again=False):
        """Gradients of these parameters alone, then the update."""
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters, retain_graph=again)):
            parameter.grad = gradient
        update.step()

    def train_discriminator(self, real, fakes):
        loss = self.discriminator_loss(self.logits(torch.cat([real, fakes])))
        self.apply(self.update_discriminator, loss, self.discriminator)
        return loss

    def train_generator(self, fakes):
        loss = self.generator_loss(self.logits(fakes))
        self.apply(self.update_generator, loss, self.generator)
        return loss

    def discriminator_first(self, real):
        with torch.no_grad():
            fakes = self.fakes()
        return self.train_discriminator(real, fakes), self.train_generator(self.fakes())

    def discriminator_first_shared(self, real):
        fakes = self.fakes()
        return self.train_discriminator(real, fakes.detach()), self.train_generator(fakes)

    def generator_first_shared(self, real):
        # Neither update changes what the other's gradient is of: D's forward pass serves both.
        logits = self.logits(torch.cat([real, self.fakes()]))
        of_discriminator = self.discriminator_loss(logits)
        of_generator = self.generator_loss(logits[self.batch :])
        gradients = torch.autograd.grad(of_generator, self.generator, retain_graph=True)
        self.apply(self.update_discriminator, of_discriminator, self.discriminator)
        for parameter, gradient in zip(self.generator, gradients):
            parameter.grad = gradient
        self.update_generator.step()
        return of_discriminator, of_generator

    def batches(self):
        """Mini-batches for ever: gathered through the order, or slices where the system does not shuffle."""
        last = len(self.order) - self.batch
        while True:
            for start in range(0, last + 1, self.batch):
                if self.system.shuffled:
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
    gan = Gan(SYSTEMS[name], int(batch), setting)
    batches = gan.batches()
    rate = measure(lambda steps: gan.run(batches, steps))
    report(rate * gan.batch, gan.run(batches, 1), setting=setting, version=torch.__version__)


if __name__ == "__main__":
    main()
