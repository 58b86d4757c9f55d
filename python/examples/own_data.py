#!/usr/bin/env python3
"""A GAN of your own rows, and a picture of what it makes. Needs gannet and NumPy alone.

    python python/examples/own_data.py
"""

import numpy as np

import gannet

angle = np.random.default_rng(1).uniform(0, 2 * np.pi, 5_000)
X = np.column_stack([3 * np.cos(angle) + 10, np.sin(angle) - 2])

gan = gannet.Gan(steps=5_000, random_state=7)
gan.fit(X, progress=lambda report: print(report) if report.step % 1_000 == 0 else None)
print(gan.sample(5))
gan.save_picture("own_data.png", overwrite=True)
