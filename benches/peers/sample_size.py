"""How large a sample is large enough: `recluster fit` on samples, `recluster predict` of all rows.

    pip install numpy scikit-learn
    python benches/peers/sample_size.py target/release/recluster mnist FOLDER [--sizes 2500,5000] [--seeds 2] [-- FLAGS OF FIT]
    python benches/peers/sample_size.py target/release/recluster pendigits FILE.npz

FOLDER holds MNIST's four files (train-images-idx3-ubyte.gz and so on), FILE.npz arrays X and y. For each size and seed it draws
a sample without replacement, fits it under that seed, and gives every row of the table a leaf. Of all rows:

- F: for each class the best F1 of any node below the root, averaged by size (Larsen and Aone 1999);
- against all: adjusted Rand index of the leaves and those of the fit of all rows, under the first seed, by the same way;
- between seeds: that of two samples of one size;
- unsure: share of rows below the confidence that turns away 5 % of the known ones.
"""
import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from itertools import combinations
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_rand_score

SIZES = {"mnist": [2500, 5000, 10000, 20000, 40000], "pendigits": [500, 1000, 2000, 4000]}


def mnist(folder):
    images, labels = [], []
    for part in ["train", "t10k"]:
        with gzip.open(Path(folder) / f"{part}-images-idx3-ubyte.gz") as file:
            images.append(np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784))
        with gzip.open(Path(folder) / f"{part}-labels-idx1-ubyte.gz") as file:
            labels.append(np.frombuffer(file.read(), np.uint8, offset=8))
    return np.concatenate(images).astype(np.float32), np.concatenate(labels).astype(np.int32)


def pendigits(path):
    with np.load(path) as arrays:
        return arrays["X"].astype(np.float32), arrays["y"].astype(np.int32)


def best_node_f(leaves, classes):
    names, place = np.unique(leaves, return_inverse=True)
    values, known = np.unique(classes, return_inverse=True)
    hits = np.zeros((len(names), len(values)))
    np.add.at(hits, (place, known), 1)
    nodes = {}
    for name, row in zip(names, hits):
        steps = name.split(".")
        for depth in range(2, len(steps) + 1):
            node = ".".join(steps[:depth])
            nodes[node] = nodes.get(node, 0) + row
    nodes = np.array(list(nodes.values()))
    sizes = np.bincount(known)
    f = 2 * nodes / (nodes.sum(axis=1, keepdims=True) + sizes)
    return float((f.max(axis=0) * sizes).sum() / sizes.sum())


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stderr}")
    return json.loads(done.stdout)


def leaves(program, folder, data, rows, seed, flags):
    """The leaf of each row of the table from a fit of some rows, the seconds of both steps, and what the model turns away."""
    np.save(folder / "sample.npy", data[rows])
    start = time.time()
    facts = run(program, "fit", "--data", folder / "sample.npy", "--seed", seed, "--out", folder / "fit", *flags)
    fitted = time.time()
    told = run(program, "predict", "--model", folder / "fit/model.json", "--data", folder / "all.npy", "--abstain", "0.05",
               "--out", folder / "assigned.csv")
    sure = np.loadtxt(folder / "assigned.csv", delimiter=",", skiprows=1, usecols=1, dtype=str)
    run(program, "predict", "--model", folder / "fit/model.json", "--data", folder / "all.npy", "--out",
        folder / "assigned.csv")
    found = np.loadtxt(folder / "assigned.csv", delimiter=",", skiprows=1, usecols=1, dtype=str)
    seconds = (fitted - start, told["seconds"]["total"])
    return found, facts["leaves"], seconds, float((sure == "-").mean())


def main():
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("table", choices=SIZES)
    parser.add_argument("data")
    parser.add_argument("--sizes")
    parser.add_argument("--seeds", type=int, default=2)
    args, flags = parser.parse_args(words[:cut]), words[cut + 1:]
    data, classes = {"mnist": mnist, "pendigits": pendigits}[args.table](args.data)
    sizes = [int(size) for size in args.sizes.split(",")] if args.sizes else SIZES[args.table]
    print("| rows fitted | leaves | F | against all | between seeds | unsure | seconds, fit | predict |", flush=True)
    print("|---|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as tmp:
        folder = Path(tmp)
        np.save(folder / "all.npy", data)
        whole = None
        for size in [len(data), *reversed(sizes)]:
            found = []
            for seed in range(args.seeds):
                rows = np.sort(np.random.default_rng(seed).permutation(len(data))[:size])
                found.append(leaves(args.program, folder, data, rows, seed, flags))
            names = [each[0] for each in found]
            whole = names[0] if whole is None else whole
            against = [adjusted_rand_score(whole, name) for name in names if name is not whole]
            between = [adjusted_rand_score(a, b) for a, b in combinations(names, 2)]
            mean = lambda values: f"{np.mean(values):.3f}" if values else ""
            cells = [f"{size:,}", ", ".join(str(each[1]) for each in found), mean([best_node_f(n, classes) for n in names]),
                     mean(against), mean(between), mean([each[3] for each in found]),
                     *(f"{np.mean([each[2][step] for each in found]):.0f}" for step in range(2))]
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
