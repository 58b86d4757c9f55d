#!/usr/bin/env python3
"""A convolutional generator of PyTorch's learns handwritten digits from a dense discriminator of gannet's.

    pip install torch scikit-learn; python python/examples/pytorch_cnn.py

It writes digits.pgm, a sheet of what the generator makes.
"""

import numpy as np
import torch
from pytorch_generator import AdversarialLoss
from sklearn.datasets import load_digits

import gannet

BATCH, STEPS, LATENTS = 128, 6_000, 32
# R3GAN's recipe on the discriminator of the preset: relativistic pairing, R1 and R2.
SETTINGS = {"run": {"preset": "digits"}, "gan": {"recipe": "r3gan", "r1": 10.0, "r2": 10.0}}


class Generator(torch.nn.Module):
    """Latents become 8 x 8 pixels from -1 to 1, by two convolutions that each double the sides of an image."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(LATENTS, 64 * 2 * 2)
        self.rest = torch.nn.Sequential(
            torch.nn.LeakyReLU(0.2),
            torch.nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1),
            torch.nn.LeakyReLU(0.2),
            torch.nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1),
            torch.nn.LeakyReLU(0.2),
            torch.nn.Conv2d(16, 1, 3, padding=1),
            torch.nn.Tanh(),
        )

    def forward(self, latents):
        """Images as rows of pixels."""
        return self.rest(self.first(latents).view(-1, 64, 2, 2)).view(-1, 64)


def sheet(images, path):
    """Writes 10 x 10 images to a PGM file, each with a border of one pixel."""
    framed = np.pad(images[:100].reshape(10, 10, 8, 8), ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-1)
    pixels = framed.transpose(0, 2, 1, 3).reshape(100, 100)
    with open(path, "wb") as file:
        file.write(b"P5 100 100 255\n" + ((pixels + 1) * 127.5).astype(np.uint8).tobytes())


def main():
    """Trains, and tells how far the samples' mean and spread of pixels are from the digits'."""
    # Batches are small: several threads of PyTorch's would mostly wait for each other, and for gannet's.
    torch.set_num_threads(1)
    torch.manual_seed(1)
    digits = torch.from_numpy((load_digits().data / 8 - 1).astype(np.float32))
    generator = Generator()
    optimizer = torch.optim.Adam(generator.parameters(), lr=0.001, betas=(0.0, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    loss = gannet.ModularLoss(SETTINGS, batch=BATCH, seed=1)
    for step in range(1, STEPS + 1):
        real = digits[torch.randint(len(digits), (BATCH,))]
        of_generator = AdversarialLoss.apply(generator(torch.randn(BATCH, LATENTS)), real, loss)
        optimizer.zero_grad()
        of_generator.backward()
        optimizer.step()
        schedule.step()
        if step % 1_000 == 0:
            print(f"step {step}: generator's loss {of_generator.item():.3f}")
    with torch.no_grad():
        samples = generator(torch.randn(2_000, LATENTS))
    of_mean = (samples.mean(0) - digits.mean(0)).abs().mean()
    print(f"mean pixel off by {of_mean:.3f} of 2; deviation {samples.std(0).mean():.3f}, of the digits {digits.std(0).mean():.3f}")
    nearest = torch.cdist(samples, digits).min(1).values.mean()
    of_digits = torch.cdist(digits, digits).topk(2, largest=False).values[:, 1].mean()
    print(f"distance to the nearest digit {nearest:.2f}; of digits to the nearest other one {of_digits:.2f}")
    sheet(samples.numpy(), "digits.pgm")


if __name__ == "__main__":
    main()
