#!/usr/bin/env python3
"""A generator of PyTorch's learns from a discriminator of gannet's: eight narrow normal distributions on a circle.

`ModularLoss.step` trains the discriminator and gives the gradient of the generator's loss with respect to the fakes. An autograd.Function
hands it on: its arrays are views of the tensors, so that nothing is copied.

    pip install torch; python python/examples/pytorch_generator.py
"""

import numpy as np
import torch

import gannet

BATCH, STEPS, LATENTS = 256, 6_000, 8


class AdversarialLoss(torch.autograd.Function):
    """The generator's loss against the discriminator of a `gannet.ModularLoss`, which learns in the forward pass."""

    @staticmethod
    def forward(context, fakes, real, loss):
        gradient, report = loss.step(fakes.detach().numpy(), real.numpy())
        context.save_for_backward(torch.from_numpy(gradient))
        return fakes.new_tensor(report.generator_loss)

    @staticmethod
    def backward(context, of_loss):
        (gradient,) = context.saved_tensors
        return of_loss * gradient, None, None


def modes(count, random):
    """Points of eight normal distributions of deviation 0.02 on the unit circle, and the centers."""
    turns = torch.arange(8) * (2 * np.pi / 8)
    centers = torch.stack([turns.cos(), turns.sin()], 1)
    chosen = torch.randint(8, (count,), generator=random)
    return centers[chosen] + 0.02 * torch.randn(count, 2, generator=random), centers


def main():
    """Trains, and tells how many modes the generator has found."""
    # Batches are small: several threads of PyTorch's would mostly wait for each other, and for gannet's.
    torch.set_num_threads(1)
    torch.manual_seed(1)
    random = torch.Generator().manual_seed(1)
    layers = [torch.nn.Linear(LATENTS, 128), torch.nn.ReLU()]
    for _ in range(3):
        layers += [torch.nn.Linear(128, 128), torch.nn.ReLU()]
    generator = torch.nn.Sequential(*layers, torch.nn.Linear(128, 2))
    optimizer = torch.optim.Adam(generator.parameters(), lr=0.001, betas=(0.0, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    loss = gannet.ModularLoss("ring8", batch=BATCH, seed=1)
    for step in range(1, STEPS + 1):
        real, _ = modes(BATCH, random)
        fakes = generator(torch.randn(BATCH, LATENTS))
        of_generator = AdversarialLoss.apply(fakes, real, loss)
        optimizer.zero_grad()
        of_generator.backward()
        optimizer.step()
        schedule.step()
        if step % 1_000 == 0:
            print(f"step {step}: generator's loss {of_generator.item():.3f}")
    with torch.no_grad():
        samples = generator(torch.randn(10_000, LATENTS))
    _, centers = modes(1, random)
    distance, nearest = torch.cdist(samples, centers).min(1)
    good = distance < 3 * 0.02
    print(f"modes found: {len(nearest[good].unique())} of 8; within three deviations of one: {good.float().mean():.1%}")


if __name__ == "__main__":
    main()
