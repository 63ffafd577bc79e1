"""How time, memory and quality of `recluster fit` grow with the rows, and what a fit of a sample loses.

    pip install numpy scikit-learn
    cargo build --release --features cli
    python benches/peers/scale.py [--sizes 10000,30000,100000,300000,1000000] [--sample 30000]

The rows are drawn from 12 Gaussian groups of unlike size (6 to 11 %) and spread in 12 columns, mapped to 50 columns, with noise. Each size is one fit with the defaults, in a process of its own. Printed for each: seconds of the work and of its largest stages
(which run side by side), the most memory held (GNU time), leaves, the adjusted Rand index of the leaves with the groups (rows outside any leaf being a group of their own),
and the exponent of the growth of the time from the size before. Then a fit of --sample of the rows, `recluster predict` of all
of them, and the adjusted Rand index with the groups and with the fit of all.
"""
import argparse
import csv
import json
import math
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_rand_score

options = argparse.ArgumentParser()
options.add_argument("--sizes", default="10000,30000,100000,300000,1000000")
options.add_argument("--sample", type=int, default=30_000)
options.add_argument("--program", default="target/release/recluster")
options.add_argument("flags", nargs="*", help="flags of fit, after --")
o = options.parse_args()


def rows(count):
    draws = np.random.default_rng(1)
    centres = draws.normal(size=(12, 12)) * 3
    spreads = draws.uniform(0.6, 1.2, 12)
    shares = np.linspace(6, 11, 12)
    mixing = draws.normal(size=(12, 50)).astype(np.float32) / math.sqrt(12)
    group = draws.choice(12, count, p=shares / shares.sum())
    table = np.empty((count, 50), np.float32)
    for first in range(0, count, 100_000):
        part = slice(first, first + 100_000)
        own = group[part]
        inner = centres[own] + draws.normal(size=(len(own), 12)) * spreads[own, None]
        table[part] = inner.astype(np.float32) @ mixing + 0.3 * draws.normal(size=(len(own), 50)).astype(np.float32)
    return table, group


def program(*words):
    ran = subprocess.run(["/usr/bin/time", "-v", o.program, *map(str, words)], capture_output=True, text=True)
    if ran.returncode:
        raise SystemExit(ran.stderr)
    memory = int(re.search(r"Maximum resident set size \(kbytes\): (\d+)", ran.stderr)[1]) / 1e6
    return json.loads(ran.stdout.splitlines()[-1]), memory


def paths(file, column):
    with open(file) as lines:
        found = np.array([row[column] for row in csv.DictReader(lines)])
    return np.unique(found, return_inverse=True)[1]


before = None
with tempfile.TemporaryDirectory() as folder:
    at = Path(folder)
    for size in map(int, o.sizes.split(",")):
        table, group = rows(size)
        np.save(at / "x.npy", table)
        report, memory = program("fit", "--data", at / "x.npy", "--out", at / "fit", *o.flags)
        whole = paths(at / "fit/assignments.csv", "core")
        seconds = report["seconds"]
        total = seconds.pop("total")
        largest = ", ".join(f"{name} {took:.1f}" for name, took in sorted(seconds.items(), key=lambda s: -s[1])[:6])
        growth = f", exponent {math.log(total / before[1]) / math.log(size / before[0]):.2f}" if before else ""
        before = size, total
        leaves = len({row for row in np.unique(paths(at / 'fit/assignments.csv', 'assigned'))})
        print(f"{size:>9} rows: {total:.1f} s, {memory:.2f} GB, {leaves} leaves, ARI {adjusted_rand_score(group, whole):.3f}{growth} ({largest})", flush=True)
        if size > o.sample:
            np.save(at / "sample.npy", table[: o.sample])
            fitted, _ = program("fit", "--data", at / "sample.npy", "--out", at / "few", *o.flags)
            told, held = program("predict", "--model", at / "few/model.json", "--data", at / "x.npy", "--out", at / "p.csv")
            few, all_ = paths(at / "p.csv", "assigned"), paths(at / "fit/assignments.csv", "assigned")
            print(f"          a sample of {o.sample}: {fitted['seconds']['total']:.1f} s, all predicted in {told['seconds']['total']:.1f} s and {held:.2f} GB, "
                  f"ARI {adjusted_rand_score(group, few):.3f}, with the fit of all {adjusted_rand_score(all_, few):.3f}", flush=True)
