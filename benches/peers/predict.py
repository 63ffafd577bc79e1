"""`recluster predict` against XGBoost's prediction of the same trees in one softprob model, in turn.

The clusters and their model are those of a fit (`--rounds` trees of `--depth` for each cluster); XGBoost loads what
`--xgboost-out` writes and predicts in place, from memory, in blocks of as many rows as ours. Ours reads the rows from a file
of numbers; the seconds of both sides are those of finding each row's cluster, and the memory is what the program held at most.

    python benches/peers/predict.py --images train-images-idx3-ubyte.gz --fit-rows 10000 --rows 1000000

Rows beyond those of the file are its rows again. Needs numpy and xgboost (`benches/peers/requirements.txt`).
"""
import argparse
import gzip
import json
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import xgboost

options = argparse.ArgumentParser()
options.add_argument("--images", required=True, help="IDX file of images, such as MNIST's")
options.add_argument("--fit-rows", type=int, default=10_000)
options.add_argument("--rows", type=int, default=200_000)
options.add_argument("--rounds", type=int, default=50)
options.add_argument("--depth", type=int, default=4)
options.add_argument("--min-cluster-share", default="0.02")
options.add_argument("--runs", type=int, default=3)
options.add_argument("--program", default="target/release/recluster")
o = options.parse_args()
BLOCK = 1 << 24


def ours(*flags):
    # `time` of the shell has no memory; GNU's writes it to stderr.
    ran = subprocess.run(["/usr/bin/time", "-v", o.program, *map(str, flags)], capture_output=True, text=True)
    if ran.returncode:
        raise SystemExit(ran.stderr)
    memory = int(re.search(r"Maximum resident set size \(kbytes\): (\d+)", ran.stderr)[1])
    return json.loads(ran.stdout), memory / 1e3


with tempfile.TemporaryDirectory() as folder:
    at = lambda name: str(Path(folder) / name)
    raw = gzip.open(o.images).read()
    images = np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 784).astype(np.float32)
    np.save(at("fit.npy"), images[: o.fit_rows])
    rows = np.resize(images, (o.rows, images.shape[1]))
    np.save(at("rows.npy"), rows)
    facts, _ = ours("fit", "--data", at("fit.npy"), "--out", at("out"), "--rounds", o.rounds, "--max-depth", o.depth,
                    "--consensus", 1, "--min-cluster-share", o.min_cluster_share, "--xgboost-out", at("xgboost"))
    booster = xgboost.Booster(model_file=at("xgboost/clusters.json"))
    block = BLOCK // rows.shape[1]
    print(f"{facts['leaves']} clusters, {o.rounds} trees of depth {o.depth} each, {o.rows:,} rows; XGBoost {xgboost.__version__}")
    seconds = {"recluster": [], "xgboost": []}
    for _ in range(o.runs):
        facts, memory = ours("predict", "--data", at("rows.npy"), "--model", at("out/model.json"), "--out", at("assigned.csv"))
        seconds["recluster"].append(facts["seconds"]["assign"])
        start = time.perf_counter()
        theirs = np.concatenate([booster.inplace_predict(rows[first : first + block]).argmax(1) for first in range(0, o.rows, block)])
        seconds["xgboost"].append(time.perf_counter() - start)
    columns = json.loads(Path(at("xgboost/columns.json")).read_text())
    paths = np.array([each["path"] for each in columns["classes"]])
    assigned = np.array([line.split(",")[1] for line in open(at("assigned.csv")).read().splitlines()[1:]])
    print(f"same cluster for {(paths[theirs] == assigned).mean():.6f} of the rows; ours held {memory:,.0f} MB at most")
    for name, each in seconds.items():
        print(f"{name:10} {statistics.median(each):8.2f} s  ({', '.join(f'{s:.2f}' for s in each)})")
    print(f"ratio {statistics.median(seconds['xgboost']) / statistics.median(seconds['recluster']):.2f}")
