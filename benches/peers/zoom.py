"""What zooming is worth: each cluster embedded again, against ways to get as many clusters out of one embedding.

    python benches/peers/clusters.py --sets digits,density,size,shape,pendigits.npz,mnist --mnist FOLDER --write sets
    python benches/peers/zoom.py sets

All with UMAP (min_dist 0) and HDBSCAN (min_samples 10, at least 5 % of the rows at hand), one run for each seed:

    zoom    `recluster fit --consensus 1 --second-look 1`: two levels, each cluster's rows embedded again
    again   two levels in the first embedding: each cluster clustered again where it lies
    leaf    the leaves of HDBSCAN's tree of the first embedding, at the least size of a cluster that gives as many as zoom
    layer   HDBSCAN's clusters of the first embedding, at the least size that gives as many as zoom

F: each class matched to its best cluster by F1, weighted by class size. ARI with the classes, noise as a class of its own.
Agreement: the ARI of two seeds. Medians over the seeds or their pairs.
"""
import argparse, csv, itertools, json, pathlib, statistics, subprocess, sys, tempfile
import numpy as np
from sklearn.metrics import adjusted_rand_score

ROOT = pathlib.Path(__file__).resolve().parents[2]
ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("sets", type=pathlib.Path)
ap.add_argument("--seeds", type=int, default=3)
ap.add_argument("--bin", default=ROOT / "target/release/recluster")
o = ap.parse_args()
SHARE, ZOOMED, SAMPLES = 0.05, 0.02, 10


def run(*words):
    done = subprocess.run([o.bin, *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def cluster(points, least, *flags):
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/x.npy", points)
        run("cluster", "--data", f"{folder}/x.npy", "--out", f"{folder}/l.npy", "--min-cluster-size", max(2, least),
            "--min-samples", SAMPLES, *flags)
        return np.load(f"{folder}/l.npy")


def zoom(path, seed):
    with tempfile.TemporaryDirectory() as folder:
        run("fit", "--data", path, "--out", f"{folder}/out", "--seed", seed, "--consensus", 1, "--second-look", 1,
            "--rounds", 1, "--min-cluster-share", SHARE, "--min-node-share", ZOOMED,
            "--min-samples", SAMPLES)
        with open(f"{folder}/out/assignments.csv") as lines:
            paths = [line["core"] for line in csv.DictReader(lines)]
    names = {path: i for i, path in enumerate(sorted({p for p in paths if not p.endswith("-")}))}
    return np.array([names.get(path, -1) for path in paths])


def again(points):
    root = cluster(points, round(SHARE * len(points)))
    leaves, number = np.full(len(points), -1), 0
    for k in range(root.max() + 1):
        rows = np.flatnonzero(root == k)
        inside = np.zeros(len(rows), int)
        if len(rows) >= max(50, ZOOMED * len(points)):
            found = cluster(points[rows], int(np.ceil(SHARE * len(rows))), "--single-cluster-weight", 0.3)
            inside = found if found.max() > 0 else inside
        for part in range(inside.max() + 1):
            leaves[rows[inside == part]] = number
            number += 1
    return leaves


def as_many(points, wanted, *flags):
    """Of some forty least sizes of a cluster the labels whose number of clusters is next to the one wanted."""
    sizes = sorted({int(size) for size in np.geomspace(5, SHARE * len(points), 40)})
    found = [cluster(points, size, *flags) for size in sizes]
    return min(found, key=lambda labels: abs(labels.max() + 1 - wanted))


def best_f(classes, labels):
    total = 0
    for c in np.unique(classes):
        own = classes == c
        total += own.sum() * max((2 * (own & (labels == k)).sum() / (own.sum() + (labels == k).sum())
                                  for k in range(labels.max() + 1)), default=0)
    return total / len(classes)


for path in sorted(o.sets.glob("*.x.npy")):
    name = path.name.removesuffix(".x.npy")
    classes = np.load(path.with_name(f"{name}.y.npy"))
    found = {way: [] for way in ("zoom", "again", "leaf", "layer")}
    for seed in range(o.seeds):
        with tempfile.TemporaryDirectory() as folder:
            run("embed", "--data", path, "--out", f"{folder}/e.npy", "--seed", seed, "--min-dist", 0)
            points = np.load(f"{folder}/e.npy")
        found["zoom"].append(zoom(path, seed))
        wanted = found["zoom"][-1].max() + 1
        found["again"].append(again(points))
        found["leaf"].append(as_many(points, wanted, "--selection", "leaf"))
        found["layer"].append(as_many(points, wanted))
    for way, runs in found.items():
        median = lambda of: statistics.median(of)
        pairs = [adjusted_rand_score(a, b) for a, b in itertools.combinations(runs, 2)]
        print(f"{name:10} {way:6} F {median([best_f(classes, r) for r in runs]):.3f}  "
              f"ARI {median([adjusted_rand_score(classes, r) for r in runs]):.3f}  agreement {median(pairs):.3f}  "
              f"clusters {'/'.join(str(r.max() + 1) for r in runs)}  noise {np.mean([(r < 0).mean() for r in runs]):.1%}",
              flush=True)
