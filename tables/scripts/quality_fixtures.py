#!/usr/bin/env python3
"""Writes the tables of tables/tests/data/quality and what SDMetrics and scikit-learn say about them, as expected.json.

    pip install sdmetrics==0.32.0 scikit-learn==1.9.1 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1
    tables/scripts/quality_fixtures.py      some ten seconds

The tables are those of a small club: columns of all kinds, with gaps, dates, a boolean, many categories, and a column that is
constant in the synthetic table. The training and the held-out table have the same number of rows and the same ranges, so that
SDMetrics' distances, which count in the range of each, are comparable. Models see the features that the documentation of
gannet_tables::quality states; scikit-learn makes them, and its solvers run until the weights stand still.
"""

import json
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from sdmetrics.reports.single_table import QualityReport
from sdmetrics.single_column import MissingValueSimilarity
from sdmetrics.single_table.privacy.dcr_utils import calculate_dcr
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.preprocessing import OneHotEncoder, StandardScaler

FOLDER = Path(__file__).parent.parent / "tests/data/quality"

SDTYPES = {
    "age": "numerical",
    "visits": "numerical",
    "income": "numerical",
    "balance": "numerical",
    "height": "numerical",
    "fixed": "numerical",
    "born": "datetime",
    "seen": "datetime",
    "member": "boolean",
    "city": "categorical",
    "region": "categorical",
    "job": "categorical",
}
FORMATS = {"born": "%Y-%m-%d", "seen": "%d.%m.%Y %H:%M:%S"}
NUMBERS = [name for name, sdtype in SDTYPES.items() if sdtype in ("numerical", "datetime")]
CODES = [name for name in SDTYPES if name not in NUMBERS]


def club(random, rows, noise, jobs):
    """Members of a club. More noise is a worse copy."""
    age = np.clip(random.normal(44, 14, rows).round(), 18, 90).astype(int)
    income = np.exp(random.normal(10, 0.4, rows) + age * 0.01 * (1 - noise))
    balance = income * 0.3 + random.normal(0, 2_000 * (1 + 2 * noise), rows)
    city = random.choice(["Paris", "Rome", "Oslo", "Bern"], rows, p=[0.5, 0.25, 0.15, 0.1])
    home = pd.Series(city).map({"Paris": "west", "Rome": "south", "Oslo": "north", "Bern": "south"}).to_numpy()
    region = np.where(random.random(rows) < 0.15 + noise / 3, random.choice(["west", "south", "north"], rows), home)
    member = random.random(rows) < 1 / (1 + np.exp(-(age - 44) / 8 * (1 - noise)))
    born = pd.Timestamp("2024-06-30") - pd.to_timedelta(age * 365 + random.integers(0, 365, rows), unit="D")
    seen = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 180 * 86_400, rows), unit="s")
    table = pd.DataFrame({
        "age": age,
        "visits": random.poisson(6 + noise * 2 + age / 20, rows).astype(float),
        "income": income.round(2),
        "balance": balance.round(3),
        "height": random.normal(1.72 + 0.01 * noise, 0.09, rows).round(3),
        "fixed": random.normal(0, 1, rows).round(4) if noise == 0 else np.full(rows, 0.5),
        "born": born.strftime(FORMATS["born"]),
        "seen": seen.strftime(FORMATS["seen"]),
        "member": np.where(member, "yes", "no"),
        "city": city,
        "region": region,
        "job": [f"job {number}" for number in random.zipf(1.4, rows) % jobs],
    })
    for name, share in {"visits": 0.06, "balance": 0.1, "seen": 0.08, "city": 0.05, "member": 0.03}.items():
        table.loc[random.random(rows) < share * (1 + noise), name] = None
    return table


def ranged(table):
    """Rows with the least and the greatest numbers, the same for all tables."""
    least = [18, 0, 3_000, -5_000, 1.3, -4, "1930-01-01", "01.01.2024 00:00:00"]
    greatest = [90, 25, 250_000, 90_000, 2.2, 4, "2007-01-01", "01.07.2024 00:00:00"]
    table.loc[0, NUMBERS] = least
    table.loc[1, NUMBERS] = greatest
    return table


def numeric(table):
    """Numbers as f64, dates as seconds, NaN for gaps."""
    columns = {}
    for name in NUMBERS:
        if name in FORMATS:
            seconds = (pd.to_datetime(table[name], format=FORMATS[name]) - pd.Timestamp("1970-01-01")).dt.total_seconds()
            columns[name] = seconds
        else:
            columns[name] = table[name].astype(float)
    return pd.DataFrame(columns)


class Features:
    """Standardized numbers, marks of gaps, and categories one-hot, of all columns but `without`."""

    def __init__(self, fitted, seen, without=None):
        self.numbers = [name for name in NUMBERS if name != without]
        self.codes = [name for name in CODES if name != without]
        numbers = numeric(fitted)[self.numbers]
        self.imputer = SimpleImputer(strategy="mean").fit(numbers)
        self.scaler = StandardScaler().fit(self.imputer.transform(numbers))
        self.marked = [name for name in self.numbers if numeric(seen)[name].isna().any()]
        self.encoder = OneHotEncoder(handle_unknown="ignore").fit(seen[self.codes].fillna("missing"))

    def __call__(self, table):
        numbers = numeric(table)
        parts = [
            self.scaler.transform(self.imputer.transform(numbers[self.numbers])),
            numbers[self.marked].isna().to_numpy(float),
            self.encoder.transform(table[self.codes].fillna("missing")).toarray(),
        ]
        return np.hstack(parts)


def logits(features, labels, asked):
    """Those of rows `asked`, rounded so that equal rows are equal."""
    model = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-10, max_iter=1_000).fit(features, labels)
    return model.decision_function(asked).round(9)


def report(real, synthetic, thresholds):
    """The details and scores of SDMetrics' quality report; the default thresholds, or none."""
    metadata = {"columns": {name: {"sdtype": sdtype} for name, sdtype in SDTYPES.items()}}
    for name, form in FORMATS.items():
        metadata["columns"][name]["datetime_format"] = form
    result = QualityReport()
    if not thresholds:
        result.real_correlation_threshold = result.real_association_threshold = 0
    result.generate(real, synthetic, metadata, verbose=False)
    return result, metadata


def number(value):
    """JSON has no NaN."""
    return None if pd.isna(value) else float(value)


def expected_quality(real, synthetic):
    result, _ = report(real, synthetic, True)
    plain, _ = report(real, synthetic, False)
    columns = [
        {
            "name": row["Column"],
            "measure": row["Metric"],
            "score": number(row["Score"]),
            "missing": MissingValueSimilarity.compute(real[row["Column"]], synthetic[row["Column"]]),
        }
        for _, row in result.get_details("Column Shapes").iterrows()
    ]
    counted, pairs = result.get_details("Column Pair Trends"), []
    for (_, row), (_, with_threshold) in zip(plain.get_details("Column Pair Trends").iterrows(), counted.iterrows()):
        counts = with_threshold["Meets Threshold?"]
        pairs.append({
            "columns": [row["Column 1"], row["Column 2"]],
            "measure": row["Metric"],
            "score": number(row["Score"]),
            "real": number(row["Real Correlation"]),
            "synthetic": number(row["Synthetic Correlation"]),
            "association": number(with_threshold["Real Association"]),
            "counts": bool(not pd.isna(counts) and counts),
        })
    scores = dict(zip(["shapes", "trends"], result.get_properties()["Score"].map(number)))
    scores["trends_of_all"] = number(plain.get_properties()["Score"][1])
    return {"columns": columns, "pairs": pairs, **scores, "score": result.get_score()}


def expected_detection(real, synthetic):
    both = pd.concat([real, synthetic], ignore_index=True)
    features = Features(both, both)(both)
    labels = np.repeat([1, 0], [len(real), len(synthetic)])
    folds = np.concatenate([np.arange(len(real)) % 3, np.arange(len(synthetic)) % 3])
    areas = []
    for fold in range(3):
        kept, asked = folds != fold, folds == fold
        areas.append(roc_auc_score(labels[asked], logits(features[kept], labels[kept], features[asked])))
    score = 1 - np.mean([max(0.5, area) * 2 - 1 for area in areas])
    return {"folds": areas, "auc": np.mean(areas), "score": score}


def expected_utility(training, held_out, target):
    training, held_out = (table[table[target].notna()].reset_index(drop=True) for table in (training, held_out))
    both = pd.concat([training, held_out])
    encoder = Features(training, both, without=target)
    features, asked = encoder(training), encoder(held_out)
    if target in CODES:
        known, wanted = training[target].astype(str), held_out[target].astype(str)
        classes = wanted.value_counts().index[:16]
        return float(np.mean([roc_auc_score(wanted == one, logits(features, known == one, asked)) for one in classes]))
    known, wanted = numeric(training)[target], numeric(held_out)[target]
    scaler = StandardScaler().fit(known.to_frame())
    known, wanted = (scaler.transform(values.to_frame())[:, 0] for values in (known, wanted))
    return r2_score(wanted, Ridge(alpha=1.0, solver="cholesky").fit(features, known).predict(asked))


def expected_privacy(training, held_out, synthetic):
    _, metadata = report(training, synthetic, False)
    near, far = (
        calculate_dcr(dataset=synthetic, reference_dataset=table, metadata=metadata) for table in (training, held_out)
    )
    return {
        "nearer_to_training": float((near < far).mean() + (near == far).mean() / 2),
        "median_to_training": near.median(),
        "median_to_held_out": far.median(),
    }


def main():
    warnings.simplefilter("ignore")
    random = np.random.default_rng(7)
    tables = {
        "real": ranged(club(random, 400, 0.0, 60)),
        "held_out": ranged(club(random, 400, 0.0, 60)),
        "synthetic": club(random, 350, 0.4, 64),
    }
    # Some synthetic rows are copies, in which `fixed` has the constant that the synthetic table has: five of training rows, and one of a row that both real tables have.
    tables["real"].loc[10:15, "fixed"] = tables["synthetic"].loc[0, "fixed"]
    tables["held_out"].loc[10] = tables["real"].loc[10]
    tables["synthetic"].loc[20:25] = tables["real"].loc[10:15].to_numpy()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(FOLDER / f"{name}.csv", index=False)
    # As files say it, so that numbers are those that gannet reads.
    real, held_out, synthetic = (pd.read_csv(FOLDER / f"{name}.csv") for name in tables)
    quality = expected_quality(real, synthetic)
    # gannet reads all texts that the real table has not as one category, which makes no difference to SDMetrics' figures.
    for table in (held_out, synthetic):
        for name in CODES:
            is_known = table[name].isin(real[name]) | table[name].isna()
            table[name] = table[name].where(is_known, "other")

    packages = ["sdmetrics", "scikit-learn", "pandas", "numpy", "scipy"]
    expected = {
        "versions": {name: version(name) for name in packages},
        "quality": quality,
        "detection": expected_detection(real, synthetic),
        "utility": {
            target: {
                "synthetic": expected_utility(synthetic, held_out, target),
                "real": expected_utility(real, held_out, target),
            }
            for target in ["member", "region", "city", "balance", "age", "born"]
        },
        "privacy": expected_privacy(real, held_out, synthetic),
    }
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
