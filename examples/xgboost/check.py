"""Whether XGBoost, Dask and Spark give the clusters of `recluster predict`: the same class for every row, probabilities
within 1e-6.

    pip install -r requirements.txt        # Spark needs Java 17
    cargo build --release --features cli
    python check.py ../../target/release/recluster [--rows 1000000] [--fitted 8000] [--on xgboost,dask,spark]

The rows are made here: numbers, counts, flags, dates, words and several answers in a cell, of five kinds of people, a part of
each missing, levels that the model never saw, and rows without any answer. Ends with status 1 where anything differs.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from scoring import Scorer

HERE = Path(__file__).parent


def people(rows, seed, strange):
    draws = np.random.default_rng(seed)
    kind = draws.integers(0, 5, rows)
    wide = np.random.default_rng(1).normal(size=(5, 8)) * 2
    columns = {"id": pa.array(np.arange(rows))}
    for column in range(4):
        amounts = np.exp(wide[kind, column] * 0.6 + 0.4 * draws.normal(size=rows))
        amounts[draws.random(rows) < 0.05] = np.nan
        columns[f"amount [{column}]"] = pa.array(amounts, from_pandas=True)
    columns["visits"] = pa.array(draws.poisson(np.exp(wide[kind, 4] * 0.5 + 2)), mask=draws.random(rows) < 0.03)
    columns["member"] = pa.array(draws.random(rows) < np.array([0.05, 0.9, 0.1, 0.95, 0.5])[kind])
    days = 15_000 + kind * 400 + draws.integers(0, 300, rows)
    columns["since"] = pa.array(days.astype(np.int32), mask=draws.random(rows) < 0.1).cast(pa.date32())
    for column, words in enumerate(["north south east west centre", "free team pro trial", "web shop phone post"]):
        words = np.array(words.split() + (["elsewhere"] if strange else []))
        usual = np.random.default_rng(column).permutation(5)[kind] % (len(words) - strange)
        other = draws.integers(0, len(words), rows)
        texts = words[np.where(draws.random(rows) < 0.15, other, usual)]
        columns[f"word {column}"] = pa.array(texts, mask=draws.random(rows) < 0.06)
    uses = np.array(["mail; chat", "<files>; mail", "chat; calls; mail", "calls", "<files>; calls"])
    noisy = np.where(draws.random(rows) < 0.1, draws.integers(0, 5, rows), kind)
    columns["uses"] = pa.array(uses[noisy], mask=draws.random(rows) < 0.04)
    table = pa.table(columns)
    if not strange:
        return table
    # Rows without any answer.
    empty = pa.table({name: table["id"][:5] if name == "id" else pa.nulls(5, table[name].type) for name in columns})
    empty = empty.set_column(0, "id", pa.array(np.arange(rows, rows + 5)))
    return pa.concat_tables([table, empty])


def run(*words):
    # Spark stays on this machine.
    here = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, env=here)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done.stdout


def compare(name, found, expected, seconds):
    found = found.sort_values("id").reset_index(drop=True)
    rows = len(expected)
    if len(found) != rows or not (found["id"].to_numpy() == expected["id"].to_numpy()).all():
        print(f"{name}: {len(found)} rows, not the {rows} expected")
        return False
    away = {"assigned": 0, "runner_up": 0}
    for column in away:
        away[column] = int((found[column].to_numpy(object) != expected[column].to_numpy(object)).sum())
    columns = ["confidence", "runner_up_confidence"]
    worst = max(float(np.abs(found[c].to_numpy(float) - expected[c].to_numpy(float)).max()) for c in columns)
    print(f"{name}: {rows} rows, {away['assigned']} other classes, {away['runner_up']} other runners-up, "
          f"probabilities within {worst:.1e}, {seconds:.0f} s")
    return away["assigned"] == 0 and away["runner_up"] == 0 and worst <= 1e-6


def each_cluster(scorer, frame):
    """The file of each cluster against that of all, margins of the same bits; and the probabilities and classes that XGBoost
    makes of them."""
    matrix = scorer.matrix(scorer.encode(frame))
    together = scorer.booster().predict(matrix, output_margin=True)
    odds = np.exp(together.astype(float) - together.max(axis=1, keepdims=True))
    shares = scorer.booster().predict(matrix)
    worst = float(np.abs(shares - odds / odds.sum(axis=1, keepdims=True)).max())
    other = int((shares.argmax(axis=1) != together.argmax(axis=1)).sum())
    print(f"multi:softprob: {other} other classes, probabilities given one of the clusters within {worst:.1e}")
    alone = np.column_stack([scorer.booster(file).predict(matrix, output_margin=True) for file in scorer.files])
    print(f"a file for each cluster: {len(scorer.files)} files, {int((alone != together).sum())} other margins")
    return bool((alone == together).all()) and worst <= 1e-6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("recluster")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--fitted", type=int, default=8_000)
    parser.add_argument("--on", default="xgboost,dask,spark")
    args = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        pq.write_table(people(args.fitted, 1, False), tmp / "fitted.parquet")
        pq.write_table(people(args.rows, 2, True), tmp / "rows.parquet", row_group_size=125_000)
        facts = json.loads(run(args.recluster, "fit", "--data", tmp / "fitted.parquet", "--id", "id", "--evidence", "off",
                               "--resamples", 0, "--consensus", 1, "--out", tmp / "fit", "--xgboost-out", tmp / "fit" / "xgboost"))
        print(f"fit: {args.fitted} rows, {facts['leaves']} clusters, XGBoost {__import__('xgboost').__version__}")
        for abstain in [0.0, 0.05]:
            told = ["--abstain", abstain] if abstain else []
            start = time.time()
            run(args.recluster, "predict", "--model", tmp / "fit/model.json", "--data", tmp / "rows.parquet", *told,
                "--out", tmp / "predicted.csv")
            # The number of the row is its id.
            expected = pd.read_csv(tmp / "predicted.csv", dtype={"assigned": str, "runner_up": str})
            print(f"recluster predict {' '.join(map(str, told))}: {time.time() - start:.0f} s")
            scorer = Scorer(tmp / "fit/xgboost")
            for name in args.on.split(","):
                if abstain and name != "xgboost":
                    continue
                start = time.time()
                if name == "xgboost":
                    frame = pd.read_parquet(tmp / "rows.parquet")
                    found = pd.concat([frame[["id"]], scorer.assign(scorer.margins(frame), abstain)], axis=1)
                    good &= each_cluster(scorer, frame) if not abstain else True
                else:
                    run(sys.executable, HERE / f"score_{name}.py", tmp / "fit/xgboost", tmp / "rows.parquet",
                        tmp / name, "--id", "id")
                    found = pd.read_parquet(tmp / name)
                good &= compare(name, found, expected, time.time() - start)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
