"""Trains generative adversarial networks of dense layers on CPUs, as fast as the processor allows.

    import gannet

    gan = gannet.Gan().fit(X)        # rows of a NumPy array or a pandas frame
    new = gan.sample(1000)           # new rows like them

`Gan` is an estimator as scikit-learn has them. `Trainer`, `Sampler`, `ModularLoss` and `Network` are what it is made of, for programs
that bring their own loop, generator or optimizer. `python -m gannet` runs the program.
"""

from gannet._errors import (
    BusyError,
    DataError,
    Error,
    ForkError,
    MemoryLimitError,
    NotFiniteError,
    NotFittedError,
    PanicError,
    SettingError,
    ShapeError,
    StateError,
)
from gannet._gan import Gan
from gannet._gannet import ModularLoss, Network, Report, Sampler, Trainer, info

__version__ = info()["version"]

__all__ = [
    "BusyError",
    "DataError",
    "Error",
    "ForkError",
    "Gan",
    "MemoryLimitError",
    "ModularLoss",
    "Network",
    "NotFiniteError",
    "NotFittedError",
    "PanicError",
    "Report",
    "Sampler",
    "SettingError",
    "ShapeError",
    "StateError",
    "Trainer",
    "info",
]
