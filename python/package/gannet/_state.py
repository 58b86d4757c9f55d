"""What an estimator has learned, and what it needs to go on."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any, Callable

import numpy as np

from gannet._errors import DataError, Error, StateError
from gannet._gannet import Calibration, Codec, Report, Sampler, Spec, Standardization, Trainer, checkpoint_note, checkpoint_with_note
from gannet._json import text_of
from gannet._labels import Labels
from gannet._layout import Layout
from gannet._table import Cells, Table, of_json

# Versions of the note beside a checkpoint: with a codec, and without, as it was before there were any.
_VERSION = 2
_VERSION_WITHOUT_CODEC = 1

# Keeps the samples of a calibration apart from others of the seed.
_CALIBRATION = 0x5BD1_E995_9E37_79B9

# What the history has of each report.
_FIGURES = ("step", "discriminator_loss", "generator_loss", "real_probability", "fake_probability", "penalty")

# Most rows of the history that are saved, evenly chosen: a row takes some 110 bytes.
_MOST_ROWS = 20_000

# Most bytes of the note, as the library has it (src/gan/tensors.rs).
_MOST_NOTE = 1 << 26

# Most bytes of the text of a codec. It has some 45 a quantile, and all columns together have a million of them at most.
_MOST_BYTES = 1 << 28


class State:
    """Networks in training or at rest, and how samples become rows of the data again."""

    def __init__(
        self,
        *,
        spec: Spec,
        layout: Layout,
        scaling: Standardization | Codec | None,
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
        self._calibration: tuple[int, Calibration] | None = None

    @property
    def columns(self) -> int:
        """Columns of the data."""
        if isinstance(self.layout, Table):
            return len(self.layout.kinds)
        return self.spec.features if self.scaling is None else len(self.scaling.offset)

    def take(self, values: np.ndarray | Cells, codes: np.ndarray | None, memory_limit: int | None = None) -> None:
        """Takes these values of samples, and the numbers of their classes, as the data."""
        if isinstance(self.scaling, Codec):
            values = self.scaling.encode(values.natives, memory_limit)
        elif self.scaling is not None:
            values = self.scaling.apply(values)
        self.data = np.require(values, np.float32, ["C", "A"])
        self.codes = codes

    def begin(self, options: dict) -> None:
        """Makes a trainer for the planned steps, which goes on from where the last one stood."""
        before = self.checkpoint if self.trainer is None else self.trainer.to_bytes()
        spec = self.spec.with_length(self.planned)
        shards = spec.shards_for(len(self.data), self.batch)
        trainer = Trainer(spec, self.data, labels=self.codes, batch=self.batch, seed=self.seed, shards=shards, **options)
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

    def made(self, count: int, seed: int, codes: np.ndarray | None) -> np.ndarray:
        """Samples of a seed, of these classes."""
        return self.sampler().sample(count, seed=seed, conditions=None if codes is None else self.labels.conditions(codes))

    def calibration(self) -> Calibration:
        """What puts samples of the generator as it is right."""
        if self._calibration is None or self._calibration[0] != self.done:
            count = self.scaling.calibration_samples
            samples = self.made(count, self.seed ^ _CALIBRATION, None if self.labels is None else self.labels.drawn(count))
            self._calibration = (self.done, self.scaling.calibrate(samples))
        return self._calibration[1]

    def restored(self, samples: np.ndarray, seed: int) -> Any:
        """Generated samples as the data were: an array or a frame."""
        if isinstance(self.scaling, Codec):
            return self.layout.restore(self.scaling.decode(samples, self.calibration()), len(samples), seed)
        return self.layout.restore(self._rows_of(samples))

    def shown(self, real: np.ndarray, generated: np.ndarray) -> tuple[list[np.ndarray], list[str]]:
        """What a picture shows of encoded and of generated samples, and the names of its columns."""
        pair = [np.require(rows, None, ["C"]) for rows in (real, generated)]
        if isinstance(self.scaling, Codec):
            # Of no samples, a calibration changes nothing.
            as_it_is = self.scaling.calibrate(real[:0])
            decoded = [self.scaling.decode(rows, by) for rows, by in zip(pair, (as_it_is, self.calibration()))]
            shown, (names, _) = zip(*(self.layout.shown(columns) for columns in decoded))
        else:
            shown, names = [self._rows_of(rows) for rows in pair], self.layout.names()
        return [np.require(rows, np.float32, ["C"]) for rows in shown], (names or [])[:2]

    def _rows_of(self, samples: np.ndarray) -> np.ndarray:
        """Samples in the units of the data."""
        return samples if self.scaling is None else self.scaling.undo(samples)

    def to_bytes(self, params: dict) -> bytes:
        """A checkpoint with all of this, and with the parameters of the estimator, as a note."""
        every = -(-len(self.rows) // _MOST_ROWS) or 1
        note = {
            "version": _VERSION if isinstance(self.scaling, Codec) else _VERSION_WITHOUT_CODEC,
            "params": params,
            "spec": self.spec.to_json(),
            "layout": self.layout.to_json(),
            "scaling": _saved(self.scaling),
            "labels": None if self.labels is None else self.labels.to_json(),
            "seed": self.seed,
            "batch": self.batch,
            "planned": self.planned,
            "done": self.done,
            "history": self.rows[::-1][::every][::-1],
        }
        text = text_of(note)
        length = len(text.encode())
        if length > _MOST_NOTE:
            raise DataError(
                f"what is known of the columns takes {length} bytes, of which a file or a pickle may have {_MOST_NOTE}; drop columns with many "
                "different texts, and fit it anew"
            )
        if self.trainer is None:
            return checkpoint_with_note(self.spec.with_length(self.planned), self.checkpoint, text)
        return self.trainer.to_bytes(text)

    @classmethod
    def of_bytes(cls, data: bytes, origin: str) -> tuple[State, dict]:
        """What `to_bytes` gave: the state, without the data, and the parameters of the estimator."""
        text = checkpoint_note(data, origin)
        if not text:
            raise DataError(f"{origin}: holds no estimator; it was not saved by gannet.Gan")
        try:
            return cls._of_note(json.loads(text), data, origin)
        except Error:
            raise
        except (AttributeError, LookupError, TypeError, ValueError, zlib.error) as error:
            raise DataError(f"{origin}: its note on the estimator is damaged: {type(error).__name__}: {error}") from None

    @classmethod
    def _of_note(cls, note: dict, data: bytes, origin: str) -> tuple[State, dict]:
        """The state and the parameters that a note tells."""
        if note["version"] not in (_VERSION_WITHOUT_CODEC, _VERSION):
            raise DataError(f"{origin}: has version {note['version']} of its notes, and this gannet reads versions up to {_VERSION}")
        labels = note["labels"]
        state = cls(
            spec=Spec.from_json(note["spec"]),
            layout=of_json(note["layout"]),
            scaling=_scaling(note["scaling"]),
            labels=None if labels is None else Labels.of_json(labels),
            seed=note["seed"],
            batch=note["batch"],
            planned=note["planned"],
        )
        if isinstance(state.layout, Table) != isinstance(state.scaling, Codec):
            raise DataError(f"{origin}: has a table without its codec, or a codec without its table")
        if isinstance(state.layout, Table):
            if (state.scaling.columns, state.scaling.features) != (state.columns, state.spec.features):
                raise DataError(f"{origin}: its columns are not those of its networks")
        state.done = note["done"]
        state.rows = [tuple(row) for row in note["history"]]
        state.checkpoint = data
        return state, note["params"]


def _saved(scaling: Standardization | Codec | None) -> Any:
    """What `_scaling` reads. The text of a codec is packed, quickly: of 45 MB for a million quantiles the first level makes 15.4 in 0.7 s, and
    the sixth 13.4 in 4 s."""
    if isinstance(scaling, Codec):
        return base64.b64encode(zlib.compress(scaling.to_json().encode(), 1)).decode()
    return None if scaling is None else [scaling.offset, scaling.scale]


def _scaling(saved: Any) -> Standardization | Codec | None:
    """The scaling that `_saved` told."""
    if isinstance(saved, str):
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(base64.b64decode(saved, validate=True), _MOST_BYTES)
        if not unpacking.eof:
            raise ValueError("the codec is cut off, or larger than any that was saved")
        return Codec.of_json(text.decode())
    return None if saved is None else Standardization(*saved)
