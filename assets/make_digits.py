#!/usr/bin/env python3
"""Writes digits.bin and digits_labels.bin from the handwritten digits that scikit-learn ships.

    pip install scikit-learn
    python assets/make_digits.py

digits.bin: 1,797 images of 8 x 8 pixels, row by row, one byte a pixel, 0 (paper) to 16 (ink).
digits_labels.bin: the digit of each image, one byte, 0 to 9.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
images = digits.data.astype(np.uint8)
labels = digits.target.astype(np.uint8)
assert images.shape == (1797, 64) and (images == digits.data).all() and images.max() == 16
assert labels.shape == (1797,) and labels.max() == 9

folder = Path(__file__).resolve().parent
(folder / "digits.bin").write_bytes(images.tobytes())
(folder / "digits_labels.bin").write_bytes(labels.tobytes())
print(f"{images.size} pixels, sum {int(images.sum())}; labels {np.bincount(labels).tolist()}")
