#!/usr/bin/env python3
"""Reads the event files of a run with TensorBoard's own reader, and prints what TensorBoard would show as JSON.

Needs the package `tensorboard` (2.21.0 is tested), and no TensorFlow:

    scripts/read_events.py RUN [--against-csv]

What is printed: {"scalars": {TAG: [[STEP, VALUE], ...]}, "images": {TAG: [[STEP, {"width", "height", "sha256"}], ...]},
"histograms": {TAG: [[STEP, [[LEFT, RIGHT, COUNT], ...]], ...]}, "text": {TAG: [[STEP, MARKDOWN], ...]}, "hparams": {NAME: VALUE},
"ended": whether the run's end is told}. Values that are not finite are "nan", "inf" or "-inf".

With --against-csv each number in metrics.csv and evaluation.csv must be the scalar of that step under the tag
GROUP/COLUMN, whatever the group is, and the other way around; each number, word and flag in config.toml must be a
hyperparameter of that name (TensorBoard keeps those that a run was begun with: of a run that was resumed they may be others), and
each line of the text must hold one of them. What differs is told, and the exit code is 1.
"""

import argparse
import csv
import hashlib
import json
import logging
import math
import pathlib
import sys
import tomllib

import numpy as np
from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.util import tensor_util

EVERYTHING = 0  # of a size guidance: keep all, not a sample
TABLES = ["metrics.csv", "evaluation.csv"]
NO_SCALARS = ["step", "epoch", "verdict"]  # columns


def plain(value):
    """A number as JSON can hold it."""
    return float(value) if math.isfinite(value) else str(float(value))


def dashboards(run):
    """What the dashboards get: all values as tensors, with a plugin for each tag."""
    events = plugin_event_accumulator.EventAccumulator(run, size_guidance={"tensors": EVERYTHING})
    events.Reload()
    shown = {"scalars": {}, "images": {}, "histograms": {}, "text": {}, "hparams": {}, "ended": False}
    for tag in events.Tags()["tensors"]:
        data = events.SummaryMetadata(tag).plugin_data
        plugin = data.plugin_name
        if tag == hparams.SESSION_START_INFO_TAG:
            for name, value in hparams.parse_session_start_info_plugin_data(data.content).hparams.items():
                shown["hparams"][name] = getattr(value, value.WhichOneof("kind"))
            continue
        if tag == hparams.SESSION_END_INFO_TAG:
            shown["ended"] = hparams.parse_session_end_info_plugin_data(data.content).status == 1  # STATUS_SUCCESS
            continue
        for event in events.Tensors(tag):
            value = tensor_util.make_ndarray(event.tensor_proto)
            if plugin == "scalars":
                value = plain(value.item())
            elif plugin == "images":
                width, height, png = value.tolist()
                value = {"width": int(width), "height": int(height), "sha256": hashlib.sha256(png).hexdigest()}
            elif plugin == "histograms":
                value = [[plain(number) for number in bucket] for bucket in value]
            elif plugin == "text":
                value = value.item().decode()
            else:
                raise SystemExit(f"{tag}: nothing shows what {plugin!r} should")
            shown[plugin].setdefault(tag, []).append([event.step, value])
    return shown


def check_classic_reader(run, shown):
    """The reader for other programs must find the same steps, and the same scalars."""
    kinds = ["scalars", "images", "histograms", "compressedHistograms"]
    events = event_accumulator.EventAccumulator(run, size_guidance=dict.fromkeys(kinds, EVERYTHING))
    events.Reload()
    for kind, get in [("scalars", events.Scalars), ("images", events.Images), ("histograms", events.Histograms)]:
        tags = events.Tags()[kind]
        assert sorted(tags) == sorted(shown[kind]), f"the readers find different {kind}"
        for tag in tags:
            assert [event.step for event in get(tag)] == [step for step, _ in shown[kind][tag]], tag
    for tag, values in shown["scalars"].items():
        assert [plain(event.value) for event in events.Scalars(tag)] == [value for _, value in values], tag


def differences(run, scalars):
    """What the tables and the scalars say differently. Event files hold numbers of 32 bits."""
    for table in TABLES:
        with open(pathlib.Path(run) / table, newline="") as file:
            rows = list(csv.DictReader(file))
        for column in rows[0] if rows else []:
            if column in NO_SCALARS:
                continue
            # An empty cell is a value that is not known.
            told = [[int(row["step"]), plain(np.float32(row[column]))] for row in rows if row[column]]
            tags = [tag for tag in scalars if tag.rpartition("/")[2] == column]
            if told and len(tags) != 1:
                yield f"{table}: {len(tags)} tags end in /{column}"
            for tag in tags:
                if scalars[tag] != told:
                    only = [entry for entry in told if entry not in scalars[tag]]
                    extra = [entry for entry in scalars[tag] if entry not in told]
                    yield f"{tag}: {table} alone has {only[:3]}, the event files alone have {extra[:3]}"


def flat(table, prefix=""):
    """The settings of a table by their full names; layers and lists are left to the text."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        elif not isinstance(value, list):
            yield f"{prefix}{name}", value


def wrong_settings(run, shown):
    """What config.toml, the hyperparameters and the text say differently; numbers of the program have 32 bits."""
    path = pathlib.Path(run) / "config.toml"
    if not path.exists():
        return
    is_resumed = len(list(path.parent.glob("events.out.tfevents.*"))) > 1
    text = "\n".join(markdown for _, markdown in shown["text"].get("settings", [])[-1:])
    for name, value in flat(tomllib.loads(path.read_text())):
        told = shown["hparams"].get(name)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        same = isinstance(told, float) and np.float32(told) == np.float32(value) if is_number else told == value
        if not same and not is_resumed:
            yield f"{name}: {value!r} in config.toml, {told!r} as a hyperparameter"
        if f"\n| {name} | " not in text:
            yield f"{name}: not in the text"


def main():
    """Prints, and compares where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="folder of a run")
    parser.add_argument("--against-csv", action="store_true", help="compare with metrics.csv and evaluation.csv")
    args = parser.parse_args()
    logging.getLogger("tensorboard").setLevel(logging.ERROR)  # void steps of a resumed run are no news
    shown = dashboards(args.run)
    check_classic_reader(args.run, shown)
    print(json.dumps(shown, indent=1))
    if args.against_csv:
        found = [*differences(args.run, shown["scalars"]), *wrong_settings(args.run, shown)]
        print("\n".join(found) or "all scalars agree with the tables, all settings with config.toml", file=sys.stderr)
        sys.exit(bool(found))


if __name__ == "__main__":
    main()
