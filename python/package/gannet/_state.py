"""What an estimator has learned, and what it needs to go on."""

from __future__ import annotations

import json
from typing import Any, Callable

import numpy as np

from gannet._errors import DataError, StateError
from gannet._gannet import Report, Sampler, Spec, Standardization, Trainer, checkpoint_note, checkpoint_with_note
from gannet._labels import Labels
from gannet._layout import Layout

# Version of the note beside a checkpoint.
_VERSION = 1

# What the history has of each report.
_FIGURES = ("step", "discriminator_loss", "generator_loss", "real_probability", "fake_probability", "penalty")

# Most rows of the history that are saved, evenly chosen: a checkpoint has room for names and notes of 8 MiB, and a row takes some 110 bytes.
_MOST_ROWS = 20_000


class State:
    """Networks in training or at rest, and how samples become rows of the data again."""

    def __init__(
        self,
        *,
        spec: Spec,
        layout: Layout,
        scaling: Standardization | None,
        labels: Labels | None,
        seed: int,
        batch: int,
        planned: int,
    ) -> None:
        self.spec = spec
        self.layout = layout
        self.scaling = scaling
        self.labels = labels
        self.seed = seed
        self.batch = batch
        self.planned = planned
        self.done = 0
        self.rows: list[tuple[float, ...]] = []
        # With the data, until it is saved and read again.
        self.trainer: Trainer | None = None
        self.data: np.ndarray | None = None
        self.codes: np.ndarray | None = None
        # Without them.
        self.checkpoint: bytes | None = None
        self._sampler: tuple[int, Sampler] | None = None

    def take(self, values: np.ndarray, codes: np.ndarray | None) -> None:
        """Takes these values of samples, and the numbers of their classes, as the data."""
        if self.scaling is not None:
            values = self.scaling.apply(values)
        self.data = np.require(values, np.float32, ["C", "A"])
        self.codes = codes

    def begin(self, options: dict) -> None:
        """Makes a trainer for the planned steps, which goes on from where the last one stood."""
        before = None if self.trainer is None and self.checkpoint is None else self.to_bytes({})
        spec = self.spec.with_length(self.planned)
        trainer = Trainer(spec, self.data, labels=self.codes, batch=self.batch, seed=self.seed, **options)
        if before is not None:
            trainer.restore(before, changes=True)
        self.trainer, self.checkpoint = trainer, None

    def run(self, steps: int, report_every: int, progress: Callable[[Report], Any] | None) -> None:
        """Runs so many steps; whatever ends them, what they came to is kept."""
        if self.trainer is None:
            raise StateError("the data are not saved with the estimator; pass X, and y where there are classes")

        def keep(report: Report) -> Any:
            self.rows.append(tuple(getattr(report, name) for name in _FIGURES))
            return None if progress is None else progress(report)

        try:
            self.trainer.run(steps, report_every=report_every, progress=keep)
        finally:
            self.done = self.trainer.steps_done

    def history(self) -> dict[str, np.ndarray]:
        """The reports: an array of each figure."""
        columns = zip(*self.rows) if self.rows else ((),) * len(_FIGURES)
        return {name: np.array(column, np.int64 if name == "step" else float) for name, column in zip(_FIGURES, columns)}

    def sampler(self) -> Sampler:
        """A sampler of the generator as it is."""
        if self._sampler is None or self._sampler[0] != self.done:
            made = Sampler(self.spec.with_length(self.planned), self.checkpoint) if self.trainer is None else self.trainer.sampler()
            self._sampler = (self.done, made)
        return self._sampler[1]

    def rows_of(self, samples: np.ndarray) -> np.ndarray:
        """Samples in the units of the data."""
        return samples if self.scaling is None else self.scaling.undo(samples)

    def to_bytes(self, params: dict) -> bytes:
        """A checkpoint with all of this, and with the parameters of the estimator, as a note."""
        every = -(-len(self.rows) // _MOST_ROWS) or 1
        note = {
            "version": _VERSION,
            "params": params,
            "spec": self.spec.to_json(),
            "layout": self.layout.to_json(),
            "scaling": None if self.scaling is None else [self.scaling.offset, self.scaling.scale],
            "labels": None if self.labels is None else self.labels.to_json(),
            "seed": self.seed,
            "batch": self.batch,
            "planned": self.planned,
            "done": self.done,
            "history": self.rows[::-1][::every][::-1],
        }
        text = json.dumps(note)
        if self.trainer is None:
            return checkpoint_with_note(self.spec.with_length(self.planned), self.checkpoint, text)
        return self.trainer.to_bytes(text)

    @classmethod
    def of_bytes(cls, data: bytes, origin: str) -> tuple[State, dict]:
        """What `to_bytes` gave: the state, without the data, and the parameters of the estimator."""
        text = checkpoint_note(data, origin)
        if not text:
            raise DataError(f"{origin}: holds no estimator; it was not saved by gannet.Gan")
        note = json.loads(text)
        if note["version"] != _VERSION:
            raise DataError(f"{origin}: has version {note['version']} of its notes, and this gannet reads version {_VERSION}")
        scaling, labels = note["scaling"], note["labels"]
        state = cls(
            spec=Spec.from_json(note["spec"]),
            layout=Layout.of_json(note["layout"]),
            scaling=None if scaling is None else Standardization(*scaling),
            labels=None if labels is None else Labels.of_json(labels),
            seed=note["seed"],
            batch=note["batch"],
            planned=note["planned"],
        )
        state.done = note["done"]
        state.rows = [tuple(row) for row in note["history"]]
        state.checkpoint = data
        return state, note["params"]
