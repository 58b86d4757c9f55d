#!/usr/bin/env python3
"""Reads the event files of a run with TensorBoard's own reader, and prints what TensorBoard would show as JSON.

Needs the package `tensorboard` (2.21.0 is tested), and no TensorFlow:

    scripts/read_events.py RUN [--against-csv]

What is printed: {"scalars": {TAG: [[STEP, VALUE], ...]}, "images": {TAG: [[STEP, {"width", "height", "sha256"}], ...]},
"histograms": {TAG: [[STEP, [[LEFT, RIGHT, COUNT], ...]], ...]}}. Values that are not finite are "nan", "inf" or "-inf".

With --against-csv each number in metrics.csv and evaluation.csv must be the scalar of that step under the tag
GROUP/COLUMN, whatever the group is, and the other way around; what differs is told, and the exit code is 1.
"""

import argparse
import csv
import hashlib
import json
import logging
import math
import pathlib
import sys

import numpy as np
from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
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
    shown = {"scalars": {}, "images": {}, "histograms": {}}
    for tag in events.Tags()["tensors"]:
        plugin = events.SummaryMetadata(tag).plugin_data.plugin_name
        for event in events.Tensors(tag):
            value = tensor_util.make_ndarray(event.tensor_proto)
            if plugin == "scalars":
                value = plain(value.item())
            elif plugin == "images":
                width, height, png = value.tolist()
                value = {"width": int(width), "height": int(height), "sha256": hashlib.sha256(png).hexdigest()}
            elif plugin == "histograms":
                value = [[plain(number) for number in bucket] for bucket in value]
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
        found = list(differences(args.run, shown["scalars"]))
        print("\n".join(found) or "all scalars agree with the tables", file=sys.stderr)
        sys.exit(bool(found))


if __name__ == "__main__":
    main()
