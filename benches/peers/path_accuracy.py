"""Held-out accuracy of the leaves of a fit: our boosted trees and XGBoost's, with the same settings and labels.

    pip install -r benches/peers/requirements.txt
    cargo build --release --features cli
    python benches/peers/path_accuracy.py --mnist FOLDER [--rows 70000] [--folds 3] [--rounds 50] [--max-depth 4]
        [--refit 3]

FOLDER holds the four gzipped IDX files of MNIST. All rows are fitted by `recluster fit` with its defaults. Then sevenths of
them are held out, the last first, as many as there are --folds: both sides are trained on the other rows, one booster for each
leaf, with noise among the others of every leaf, and put each held-out row of a leaf into the leaf of the highest margin. Ours are
calibrated, with up to --refit passes over the leaf values, as `fit` trains them. XGBoost also as one softmax model, of the rows
that are in a leaf. Of the rows on which two sides differ, the numbers on which only one
is right, and the exact two-sided p-value of McNemar's test.
"""
import argparse
import csv
import gzip
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import xgboost
from scipy.stats import binomtest

options = argparse.ArgumentParser()
options.add_argument("--mnist", type=Path, required=True)
options.add_argument("--rows", type=int, default=70_000)
options.add_argument("--folds", type=int, default=3)
options.add_argument("--rounds", type=int, default=50)
options.add_argument("--max-depth", type=int, default=4)
options.add_argument("--refit", type=int, default=3)
options.add_argument("--program", default="target/release/recluster")
options.add_argument("--assignments", help="assignments.csv of a fit of the same rows, instead of fitting them")
o = options.parse_args()


def images(part):
    raw = gzip.open(o.mnist / f"{part}-images-idx3-ubyte.gz").read()
    return np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 784)


def program(*words):
    subprocess.run([o.program, *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


with tempfile.TemporaryDirectory() as folder:
    at = Path(folder)
    rows = np.concatenate([images("train"), images("t10k")])[: o.rows].astype(np.float32)
    np.save(at / "all.npy", rows)
    if not o.assignments:
        program("fit", "--data", at / "all.npy", "--out", at / "fit")
    with open(o.assignments or at / "fit/assignments.csv") as file:
        paths = [row["core"] for row in csv.DictReader(file)]
    leaves = sorted({path for path in paths if not path.endswith("-")})
    number = {leaf: k for k, leaf in enumerate(leaves)}
    labels = np.array([number.get(path, -1) for path in paths], np.int32)
    held, sides = len(rows) // 7, {}
    for fold in range(o.folds):
        new = np.zeros(len(rows), bool)
        new[len(rows) - (fold + 1) * held : len(rows) - fold * held] = True
        old = ~new
        np.save(at / "old.npy", rows[old]), np.save(at / "new.npy", rows[new]), np.save(at / "labels.npy", labels[old])
        program("boost", "--data", at / "old.npy", "--labels", at / "labels.npy", "--out", at / "model.json",
                "--rounds", o.rounds, "--max-depth", o.max_depth, "--calibrated", "--refit", o.refit,
                "--new", at / "new.npy", "--new-out", at / "p.npy")
        found = {"recluster": np.load(at / "p.npy")}
        settings = dict(tree_method="hist", max_depth=o.max_depth)
        matrix, data, margins = xgboost.QuantileDMatrix(rows[old]), xgboost.DMatrix(rows[new]), []
        for k in range(len(leaves)):
            matrix.set_label((labels[old] == k).astype(np.float32))
            model = xgboost.train(settings | dict(objective="binary:logistic"), matrix, o.rounds)
            margins.append(model.predict(data, output_margin=True))
        found["XGBoost, one against the rest"] = np.stack(margins, 1)
        inside = labels[old] >= 0
        matrix = xgboost.QuantileDMatrix(rows[old][inside], label=labels[old][inside])
        softmax = xgboost.train(settings | dict(objective="multi:softprob", num_class=len(leaves)), matrix, o.rounds)
        found["XGBoost, softmax"] = softmax.predict(data)
        truth = labels[new]
        for name, scores in found.items():
            sides.setdefault(name, []).append((scores.argmax(1) == truth)[truth >= 0])

ours = np.concatenate(sides["recluster"])
print(f"{len(rows)} rows, {len(leaves)} leaves, {len(ours)} held-out rows in one; XGBoost {xgboost.__version__}")
for name, right in sides.items():
    right = np.concatenate(right)
    here, there = int((ours & ~right).sum()), int((right & ~ours).sum())
    p = binomtest(here, here + there).pvalue if here + there else 1.0
    print(f"{name:<30} {right.mean():.4f} of paths" + ("" if name == "recluster" else f"; only ours {here}, only theirs {there}, p {p:.2f}"))
