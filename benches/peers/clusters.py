"""The leaves of the whole recursion, judged over several seeds: ours, and umap-learn with fast_hdbscan run the same way.

    pip install -r benches/peers/requirements.txt
    cargo build --release --features cli
    python benches/peers/clusters.py --sets digits,density,size,shape --seeds 5 --python
    python benches/peers/clusters.py --sets mnist --rows 10000 --mnist FOLDER --python
    python benches/peers/clusters.py --sets pendigits.npz --python -- --components 5

A set is `digits`, `mnist` (the four gzipped IDX files in FOLDER), an .npz file with X and y, a NAME.data.gz of Gagolewski's
benchmark suite (github.com/gagolews/clustering-data-v1) with its NAME.labels0.gz beside it, an .arff file with a column "class" (of
the others those of numbers or of two levels, rows without missing values), whose columns are standardised, or one that is generated here:

    density   ten Gaussian groups whose widths differ twentyfold, 10 directions mapped to 50 columns with noise
    size      nine kinds of customers, 6 to 28 % of all, by Poisson counts of 80 uses: log(1 + count)
    many      32 clear Gaussian groups of 2 to 6 %, in eights of four, 12 directions mapped to 50 columns with noise
    equal     40 Gaussian groups of a fortieth each, likewise; power, 60 whose sizes fall from 14 to 0.5 %; nested, six times ten
    shape     rings, a sheet, moons, a fork, a filament and a ball, 4 directions mapped to 40 columns, bent, with noise
    plane     moons, a ring around a disc, two stretched and three unlike Gaussian groups, in 2 columns
    space     the same in 3 columns, a third direction of noise turned into them

Figures, medians over seeds or pairs of seeds:

    F          each class matched to its best node at any depth by F1, weighted by class size
    agreement  the ARI of the leaves of two seeds, noise as a class of its own
    ari        the ARI of the leaves and the classes, noise as a class of its own
    leaves, noise (the mean share of rows in no leaf)

Of several sets the means of these medians come last.

Both sides: two levels (--depth), clusters of at least 5 % of the rows at hand (--share), min_samples 10, no zoom into
clusters under 2 % of all rows. Ours runs with the defaults of `recluster fit` but for that; flags after `--` are handed
to it. One of these defaults is to halve the 5 % where much is noise (--max-noise). Python: UMAP(min_dist=0,
random_state=seed), HDBSCAN in its two columns. With --keep FOLDER Python's leaves are saved and used again.
"""
import argparse, csv, gzip, json, pathlib, statistics, subprocess, sys, tempfile, time, warnings
import numpy as np

warnings.filterwarnings("ignore")
ROOT = pathlib.Path(__file__).resolve().parents[2]
ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--sets", default="digits,density,size,shape")
ap.add_argument("--mnist", type=pathlib.Path)
ap.add_argument("--rows", type=int, default=10_000)
ap.add_argument("--seeds", type=int, default=5)
ap.add_argument("--within", metavar="LEAST,MOST,COLUMNS", help="only sets of so many rows and at most so many columns")
ap.add_argument("--depth", type=int, default=2)
ap.add_argument("--share", type=float, default=0.05)
ap.add_argument("--python", action="store_true")
ap.add_argument("--keep", type=pathlib.Path)
ap.add_argument("--only-python", action="store_true")
ap.add_argument("--write", type=pathlib.Path, help="only write the sets to this folder as NAME.x.npy and NAME.y.npy")
ap.add_argument("--bin", default=ROOT / "target/release/recluster")
ap.add_argument("more", nargs="*")


def density(draws):
    parts, classes = [], []
    for group in range(10):
        centre = draws.normal(scale=4.0, size=10)
        parts.append(centre + 0.15 * 20 ** (group / 9) * draws.normal(size=(600, 10)))
        classes += [group] * 600
    latent = np.concatenate(parts)
    return latent @ np.linalg.qr(draws.normal(size=(50, 10)))[0].T + 0.1 * draws.normal(size=(6000, 50)), classes


def size(draws):
    shares = np.array([28, 17, 12, 9, 8, 7, 7, 6, 6])
    common = draws.normal(loc=-0.5, scale=1.0, size=80)
    parts, classes = [], []
    for kind, share in enumerate(shares):
        n = 60 * share
        own = common + draws.normal(scale=1.1, size=80) * (draws.random(80) < 0.25)
        activity = draws.normal(scale=0.5, size=(n, 1))
        parts.append(draws.poisson(np.exp(np.clip(own + activity + 0.2 * draws.normal(size=(n, 80)), -8, 4))))
        classes += [kind] * n
    return np.log1p(np.concatenate(parts)), classes


def shape(draws):
    n = 700
    t = lambda: draws.random(n)
    turn = lambda t, r=1.0: (r * np.cos(2 * np.pi * t), r * np.sin(2 * np.pi * t))
    zero = np.zeros(n)
    a, b, m, k, s, w = t(), t(), t(), t(), t(), t()
    ring, link = turn(a, 2.0), turn(b, 2.0)
    roll = 1.5 * np.pi * (1 + 2 * s)
    moon, other = turn(m / 2, 2.0), turn(k / 2, 2.0)
    arm, along = draws.integers(3, size=n), 2.5 * w
    figures = [
        (ring[0], ring[1], zero, zero),
        (link[0] + 2, zero, link[1], zero),
        (0.25 * roll * np.cos(roll) - 8, 3 * t(), 0.25 * roll * np.sin(roll), zero),
        (moon[0], moon[1] + 7, zero, zero),
        (2 - other[0], 7.8 - other[1], zero, zero),
        (along * np.cos(2.1 * arm), along * np.sin(2.1 * arm) - 8, zero, zero),
        (4 * t() + 6, zero + 3, zero, np.sin(5 * w)),
        (7 + draws.normal(size=n) / 2, draws.normal(size=n) / 2 - 4, draws.normal(size=n) / 2, draws.normal(size=n) / 2),
    ]
    latent = np.concatenate([np.stack(figure, axis=1) for figure in figures]) + 0.12 * draws.normal(size=(8 * n, 4))
    straight, bent = latent @ draws.normal(size=(4, 20)), latent @ draws.normal(scale=0.25, size=(4, 20))
    rows = np.concatenate([straight, 3 * np.sin(bent)], axis=1)
    return rows + 0.15 * draws.normal(size=rows.shape), np.repeat(np.arange(8), n)


def many(draws):
    centres = np.repeat(draws.normal(scale=6.0, size=(8, 12)), 4, axis=0) + draws.normal(scale=1.8, size=(32, 12))
    shares = (draws.dirichlet(np.full(8, 20.0))[:, None] * draws.dirichlet(np.full(4, 10.0), 8)).ravel()
    classes = draws.choice(32, 30_000, p=shares / shares.sum())
    latent = centres[classes] + draws.normal(size=(30_000, 12)) * draws.uniform(0.6, 1.2, 32)[classes, None]
    return latent @ draws.normal(size=(12, 50)) / np.sqrt(12) + 0.3 * draws.normal(size=(30_000, 50)), classes


def mixed(draws, centres, classes, widths):
    latent = centres[classes] + draws.normal(size=(8_000, 12)) * widths[classes, None]
    return latent @ draws.normal(size=(12, 50)) / np.sqrt(12) + 0.3 * draws.normal(size=(8_000, 50)), classes


def equal(draws):
    centres, widths = draws.normal(scale=2.5, size=(40, 12)), draws.uniform(0.6, 1.2, 40)
    return mixed(draws, centres, draws.integers(0, 40, 8_000), widths)


def power(draws):
    shares = 1 / np.arange(1, 61) ** 0.8
    classes = draws.choice(60, 8_000, p=shares / shares.sum())
    return mixed(draws, draws.normal(scale=2.5, size=(60, 12)), classes, draws.uniform(0.6, 1.2, 60))


def nested(draws):
    centres = np.repeat(draws.normal(scale=5.0, size=(6, 12)), 10, axis=0) + draws.normal(scale=1.8, size=(60, 12))
    return mixed(draws, centres, draws.integers(0, 60, 8_000), np.full(60, 0.8))


def plane(draws):
    n = 500
    turn = lambda t, r: np.stack([r * np.cos(2 * np.pi * t), r * np.sin(2 * np.pi * t)], 1)
    ball = lambda x, y, width: draws.normal(size=(n, 2)) * width + [x, y]
    thin = lambda x, y: draws.normal(size=(n, 2)) * [1.2, 0.2] @ [[0.8, 0.6], [-0.6, 0.8]] + [x, y]
    parts = [turn(draws.random(n) / 2, 2.0) + draws.normal(size=(n, 2)) * 0.15,
             turn(0.5 + draws.random(n) / 2, 2.0) + [2.0, 0.9] + draws.normal(size=(n, 2)) * 0.15,
             turn(draws.random(n), 2.2) + [9, 0] + draws.normal(size=(n, 2)) * 0.15, ball(9, 0, 0.4),
             thin(0, 7), thin(1.2, 5.4), ball(7.5, 7, 0.3), ball(10.5, 7, 0.8), ball(9, 11, 0.5)]
    return np.concatenate(parts), np.repeat(np.arange(len(parts)), n)


def space(draws):
    flat, classes = plane(draws)
    turn = np.linalg.qr(draws.normal(size=(3, 3)))[0]
    return np.column_stack([flat, 0.15 * draws.normal(size=len(flat))]) @ turn, classes


GENERATED = {"density": density, "size": size, "shape": shape, "many": many, "equal": equal, "power": power, "nested": nested,
             "plane": plane, "space": space}


def idx(path):
    raw = gzip.open(path).read()
    shape = np.frombuffer(raw, ">i4", raw[3], 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def standard(X):
    spread = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1)


def attributes(path):
    from scipy.io import arff
    table, about = arff.loadarff(path)
    own = next(name for name in about.names() if name.lower() == "class")
    columns = []
    for name in about.names():
        _, levels = about[name]
        if name == own:
            continue
        try:
            columns.append(table[name].astype(float))
        except ValueError:
            if len(levels) == 2:
                columns.append((table[name] == levels[1].encode()).astype(float))
    X = np.stack(columns, axis=1)
    whole = np.isfinite(X).all(axis=1)
    return standard(X[whole]), np.unique(table[own], return_inverse=True)[1][whole]


def load(name, o):
    if name in GENERATED:
        X, y = GENERATED[name](np.random.default_rng(sum(map(ord, name))))
    elif name == "digits":
        from sklearn.datasets import load_digits
        X, y = load_digits(return_X_y=True)
    elif name == "mnist":
        X = np.concatenate([idx(o.mnist / f"{part}-images-idx3-ubyte.gz") for part in ("train", "t10k")])
        y = np.concatenate([idx(o.mnist / f"{part}-labels-idx1-ubyte.gz") for part in ("train", "t10k")])
    elif name.endswith(".data.gz"):
        X, y = standard(np.loadtxt(name)), np.loadtxt(name.replace(".data.gz", ".labels0.gz"))
    elif name.endswith(".arff"):
        X, y = attributes(name)
    else:
        found = np.load(name)
        X, y = found["X"], found["y"]
    if not o.within:
        X, y = np.asarray(X)[:o.rows], np.asarray(y)[:o.rows]
    return X.reshape(len(X), -1).astype(np.float32), y


def best_node_f(nodes, y):
    total = 0.0
    for label in np.unique(y):
        own = y == label
        total += own.mean() * max((2 * own[rows].sum() / (len(rows) + own.sum()) for rows in nodes), default=0.0)
    return total


def ours(o, table, seed):
    """Leaf of each row, rows of each node but the root, seconds."""
    with tempfile.TemporaryDirectory() as folder:
        words = [o.bin, "fit", "--data", table, "--out", folder, "--seed", seed, "--rounds", 2, "--depth", o.depth,
                 "--min-node-share", 0.02, "--min-cluster-share", o.share, *o.more]
        done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(map(str, words))}\n{done.stderr}")
        with open(f"{folder}/assignments.csv") as file:
            core = [row["core"] for row in csv.DictReader(file)]
    nodes, leaves = {}, {}
    for row, path in enumerate(core):
        steps = path.split(".")
        for depth in range(2, len(steps) + 1):
            if steps[depth - 1] != "-":
                nodes.setdefault(".".join(steps[:depth]), []).append(row)
    leaf = np.array([-1 if path.endswith("-") else leaves.setdefault(path, len(leaves)) for path in core])
    return leaf, [np.array(rows) for rows in nodes.values()], json.loads(done.stdout.splitlines()[-1])["seconds"]["total"]


def python(o, name, X, seed):
    """The same, by umap-learn and fast_hdbscan."""
    kept = o.keep and o.keep / f"{pathlib.Path(name).stem}-{len(X)}-{o.share}-{o.depth}-{seed}.npz"
    if kept and kept.exists():
        found = np.load(kept)
        levels, seconds = found["levels"], float(found["seconds"])
    else:
        import fast_hdbscan, umap

        def cluster(rows):
            places = umap.UMAP(min_dist=0, random_state=seed, n_jobs=1).fit_transform(rows)
            clusterer = fast_hdbscan.HDBSCAN(min_cluster_size=max(2, int(o.share * len(rows))), min_samples=10)
            return clusterer.fit_predict(places.astype(np.float64))

        start = time.perf_counter()
        # One row a level: the cluster within the parent; -1 noise, -2 below a leaf.
        levels = np.full((o.depth, len(X)), -2)
        open_nodes = [np.arange(len(X))]
        for depth in range(o.depth):
            below = []
            for rows in open_nodes:
                labels = cluster(X[rows])
                if depth == 0 or labels.max() >= 1:
                    levels[depth, rows] = labels
                    children = [rows[labels == label] for label in range(labels.max() + 1)]
                    below += [child for child in children if len(child) >= 0.02 * len(X)]
            open_nodes = below
        seconds = time.perf_counter() - start
        if kept:
            o.keep.mkdir(parents=True, exist_ok=True)
            np.savez(kept, levels=levels, seconds=seconds)
    nodes, leaves = {}, {}
    leaf = np.full(len(X), -1)
    for row in range(len(X)):
        path = ()
        for label in levels[:, row]:
            if label == -2:
                break
            path += (int(label),)
            if label >= 0:
                nodes.setdefault(path, []).append(row)
        leaf[row] = -1 if path[-1] < 0 else leaves.setdefault(path, len(leaves))
    return leaf, [np.array(rows) for rows in nodes.values()], seconds


def judge(side, runs, y):
    from sklearn.metrics import adjusted_rand_score as ari
    F = [best_node_f(nodes, y) for _, nodes, _ in runs]
    pairs = [ari(runs[i][0], runs[j][0]) for i in range(len(runs)) for j in range(i)]
    leaves = sorted(int(leaf.max()) + 1 for leaf, _, _ in runs)
    noise = float(np.mean([(leaf < 0).mean() for leaf, _, _ in runs]))
    agreement, truth = statistics.median(pairs or [1.0]), statistics.median(ari(y, leaf) for leaf, _, _ in runs)
    print(f"  {side:<10} F {statistics.median(F):.3f} ({min(F):.3f} to {max(F):.3f})  agreement {agreement:.3f}  "
          f"ari {truth:.3f}  leaves {leaves[0]} to {leaves[-1]}  "
          f"noise {100 * noise:.1f} %  {statistics.median(seconds for _, _, seconds in runs):.1f} s", flush=True)
    return statistics.median(F), agreement, truth, noise


def main():
    o = ap.parse_args()
    figures = {}
    for name in o.sets.split(","):
        X, y = load(name, o)
        if o.within:
            least, most, columns = map(int, o.within.split(","))
            if not least <= len(X) <= most or X.shape[1] > columns:
                continue
        if o.write:
            o.write.mkdir(parents=True, exist_ok=True)
            np.save(o.write / f"{pathlib.Path(name).stem}.x.npy", X)
            np.save(o.write / f"{pathlib.Path(name).stem}.y.npy", y.astype(np.int32))
            continue
        print(f"{name}, {X.shape[0]} x {X.shape[1]}, {len(np.unique(y))} classes, {o.seeds} seeds, {o.depth} levels")
        with tempfile.TemporaryDirectory() as folder:
            table = f"{folder}/x.npy"
            np.save(table, X)
            if not o.only_python:
                figures.setdefault("recluster", []).append(judge("recluster", [ours(o, table, seed) for seed in range(o.seeds)], y))
        if o.python or o.only_python:
            figures.setdefault("python", []).append(judge("python", [python(o, name, X, seed) for seed in range(o.seeds)], y))
    for side, sets in figures.items():
        if len(sets) > 1:
            F, agreement, truth, noise = np.mean(sets, axis=0)
            print(f"means of {len(sets)} sets: {side:<10} F {F:.3f}  agreement {agreement:.3f}  ari {truth:.3f}  noise {100 * noise:.1f} %")


if __name__ == "__main__":
    main()
