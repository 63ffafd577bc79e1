"""recluster and what one would use instead of it, in turn on the same rows: medians of seconds, their ratio, quality.

    pip install -r benches/peers/requirements.txt
    cargo build --release --features cli
    python benches/peers/compare.py STAGE --mnist FOLDER [--rows N] [--runs N] [--peer NAME]

FOLDER holds the four gzipped IDX files of MNIST; --data x.npy --labels y.npy takes rows of one's own;
--data dense and --data blobs:ROWSxCOLUMNS (50 groups) generate the sets that the pages name. The last 10,000 rows
(or a fifth) serve as new ones. Seconds are those of the work alone: no reading, no import, no compilation. They differ from
machine to machine; compare ratios.

    embed      umap-learn, unseeded on all threads (ours is seeded); --quality adds trustworthiness and accuracies
    two-step   ours alone: UMAP(30 neighbours, min_dist 0), HDBSCAN(10, 500), ARI of the clustered for --seeds
    pca        scikit-learn, 50 components
    hdbscan    fast_hdbscan, hdbscan (exact; with --approximate as it is by default), hdbscan_rs or sklearn.cluster, on our
               two-dimensional embedding, with --columns N on N principal components (rows of N or fewer columns as they are)
    genie      genieclust, on the same
    kmeans     scikit-learn, on 50 principal components, --clusters from one start
    gmm        scikit-learn, on 10 principal components, four covariances, --clusters from one start
    boost      xgboost (one QuantileDMatrix for all labels) or hessboost (one call)
    shap       xgboost, hessboost or shap, values of one XGBoost model for the new rows; of all labels' models of our own,
               ours in one call, with --all; --interactions for 200 rows; --background N for values against N rows

boost and shap take the leaves of a `recluster fit` instead of the labels with --leaves.
"""
import argparse, gzip, importlib, json, os, pathlib, statistics, subprocess, tempfile, time, warnings
import numpy as np

warnings.filterwarnings("ignore")
ROOT = pathlib.Path(__file__).resolve().parents[2]
ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("stage", choices="embed two-step pca hdbscan genie kmeans gmm boost shap".split())
ap.add_argument("--mnist", type=pathlib.Path)
ap.add_argument("--data")
ap.add_argument("--labels")
ap.add_argument("--bin", default=ROOT / "target/release/recluster")
ap.add_argument("--rows", type=int, default=10_000)
ap.add_argument("--runs", type=int, default=3)
ap.add_argument("--peer", default="")
ap.add_argument("--seeds", default="0,1,2,3,4")
ap.add_argument("--clusters", type=int, default=10)
ap.add_argument("--columns", type=int, default=3)
ap.add_argument("--approximate", action="store_true")
ap.add_argument("--min-samples", type=int, default=10)
ap.add_argument("--min-cluster-size", type=int, default=500)
ap.add_argument("--rounds", type=int, default=100)
ap.add_argument("--max-depth", type=int, default=6)
ap.add_argument("--all", action="store_true")
ap.add_argument("--leaves", action="store_true")
ap.add_argument("--interactions", action="store_true")
ap.add_argument("--background", type=int, default=0)
ap.add_argument("--quality", action="store_true")
o = ap.parse_args()
TEMP = tempfile.TemporaryDirectory()


def at(name):
    return f"{TEMP.name}/{name}"


def idx(path):
    raw = gzip.open(path).read()
    shape = np.frombuffer(raw, ">i4", raw[3], 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def rows_and_labels():
    if o.data == "dense":
        draws = np.random.default_rng(1)
        x, noise = draws.normal(size=(120_000, 30)).astype(np.float32), draws.normal(size=(120_000, 5))
        return x, (x[:, :5] + 0.7 * x[:, 5:10] * x[:, 10:15] + 0.5 * np.sin(2 * x[:, 15:20]) + 0.6 * noise).argmax(1).astype(np.int32)
    if (o.data or "").startswith("blobs:"):
        from sklearn.datasets import make_blobs
        count, columns = map(int, o.data.removeprefix("blobs:").split("x"))
        x, labels = make_blobs(count, columns, centers=50, random_state=0)
        return x.astype(np.float32), labels.astype(np.int32)
    if o.data:
        return np.load(o.data).astype(np.float32), np.load(o.labels) if o.labels else None
    parts = [(idx(o.mnist / f"{part}-images-idx3-ubyte.gz"), idx(o.mnist / f"{part}-labels-idx1-ubyte.gz")) for part in ("train", "t10k")]
    rows, labels = (np.concatenate(side) for side in zip(*parts))
    return rows.reshape(len(rows), -1).astype(np.float32), labels.astype(np.int32)


def ours(command, **flags):
    """Runs our program; its report, and the megabytes that it held at most."""
    words = [str(o.bin), command]
    for flag, value in flags.items():
        words += ["--" + flag.replace("_", "-")] + ([] if value is True else [str(value)])
    with tempfile.TemporaryFile("w+") as told, tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(words, stdout=told, stderr=said)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0), said.seek(0)
        if child.returncode:
            raise SystemExit(f"{' '.join(words)}\n{said.read()}")
        return json.loads(told.read().splitlines()[-1]) | {"megabytes": used.ru_maxrss // 1024}


def timed(work):
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def in_turn(mine, other):
    """Both sides, `--runs` times in turn; what the last runs gave."""
    seconds = [], []
    for _ in range(o.runs):
        report = mine()
        seconds[0].append(report["seconds"]["total"])
        result, took = other()
        seconds[1].append(took)
    a, b = map(statistics.median, seconds)
    spread = " ".join("[" + " ".join(f"{s:.3f}" for s in side) + "]" for side in seconds)
    print(f"{o.stage}, {len(X)} rows: recluster {a:.3f} s, {o.peer} {b:.3f} s, {b / a:.2f} times faster   {spread}; "
          f"recluster held {report['megabytes']} MB, its input included")
    return result


def components(count):
    ours("embed", data=at("x.npy"), out=at("e.npy"), method="pca", components=count)
    np.save(at("e.npy"), np.load(at("e.npy")).astype(np.float32))
    return np.load(at("e.npy"))


def picture():
    if X.shape[1] <= o.columns:
        np.save(at("e.npy"), X)
        return X
    if o.columns > 3:
        return components(o.columns)
    ours("embed", data=at("x.npy"), out=at("e.npy"))
    return np.load(at("e.npy"))


def agreement(a, b):
    from sklearn.metrics import adjusted_rand_score
    return f"ARI {adjusted_rand_score(a, b):.5f}"


def embed():
    import umap
    o.peer = "umap-learn"
    umap.UMAP(n_epochs=10).fit(X[:5000]).transform(X[:100])  # compiles
    # Rows of the fit are no new rows: they need no search.
    unseen = o.rows + len(NEW) <= TOTAL
    new = dict(new=at("new.npy"), new_out=at("new_e.npy"))
    places = []

    def other():
        model, took = timed(lambda: umap.UMAP().fit(X))
        if not unseen:
            return model.embedding_, took
        model.transform(NEW[:64])  # builds its search index
        moved, seconds = timed(lambda: model.transform(NEW))
        places[:] = [seconds, moved]
        return model.embedding_, took

    theirs = in_turn(lambda: ours("embed", data=at("x.npy"), out=at("e.npy")), other)
    if not unseen:
        print(f"no new rows: {TOTAL - len(NEW)} --rows at most leave {len(NEW)} that are not fitted")
    else:
        report = ours("embed", data=at("x.npy"), out=at("e.npy"), **new)
        own, index = report["seconds"]["transform"], report["seconds"]["index"]
        print(f"{len(NEW)} new rows: {own:.3f} s (index {index:.3f} s), {places[0]:.3f} s, {places[0] / own:.2f} times faster")
        print(f"recall of the fit's neighbours {report['graph']['recall']:.4f}")
    if o.quality:
        from sklearn.manifold import trustworthiness
        from sklearn.model_selection import cross_val_score
        from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
        few = slice(10_000)
        near = NearestNeighbors(n_neighbors=15).fit(X[few]).kneighbors(return_distance=False)
        for name, e in (("recluster", np.load(at("e.npy"))), ("umap-learn", theirs)):
            close = NearestNeighbors(n_neighbors=15).fit(e[few]).kneighbors(return_distance=False)
            kept = np.mean([len(np.intersect1d(a, b)) / 15 for a, b in zip(near, close)])
            vote = KNeighborsClassifier(5)
            print(f"{name}: trustworthiness {trustworthiness(X[few], e[few], n_neighbors=15):.4f}, neighbours kept {kept:.4f}, "
                  f"5-NN {cross_val_score(vote, e, Y, cv=5).mean():.4f}", end="")
            moved = (np.load(at("new_e.npy")) if name == "recluster" else places[1]) if unseen else None
            print("" if moved is None else f", of new rows {vote.fit(e, Y).score(moved, NEW_Y):.4f}")


def two_step():
    from sklearn.metrics import adjusted_rand_score
    found = []
    for seed in o.seeds.split(","):
        ours("embed", data=at("x.npy"), out=at("e.npy"), neighbors=30, min_dist=0, seed=seed)
        ours("cluster", data=at("e.npy"), out=at("l.npy"), min_samples=o.min_samples, min_cluster_size=o.min_cluster_size)
        labels = np.load(at("l.npy"))
        inside = labels >= 0
        found.append(adjusted_rand_score(Y[inside], labels[inside]))
        print(f"seed {seed}: ARI {found[-1]:.3f}, clustered {inside.mean():.3f}, clusters {labels.max() + 1}")
    print(f"median {statistics.median(found):.3f}")


def pca():
    from sklearn.decomposition import PCA
    o.peer = "scikit-learn"
    in_turn(lambda: ours("embed", data=at("x.npy"), out=at("e.npy"), method="pca", components=50),
            lambda: timed(lambda: PCA(50, random_state=0).fit_transform(X)))
    exact = PCA(50, svd_solver="covariance_eigh").fit_transform(X.astype(np.float64))
    mine, theirs = (np.linalg.qr(e.astype(np.float64))[0] for e in (np.load(at("e.npy")), exact))
    print(f"sine of the largest angle to the space of scores in f64 {np.linalg.norm(mine - theirs @ (theirs.T @ mine), 2):.1e}")


def clusters(points, fit, **flags):
    labels = in_turn(lambda: ours("cluster", data=at("e.npy"), out=at("l.npy"), **flags), lambda: timed(lambda: fit(points)))
    print(agreement(labels, np.load(at("l.npy"))))


def hdbscan():
    points, sizes = picture(), dict(min_samples=o.min_samples, min_cluster_size=o.min_cluster_size)
    o.peer = o.peer or "fast_hdbscan"
    module = importlib.import_module(o.peer)
    exact = dict(approx_min_span_tree=o.approximate) if o.peer == "hdbscan" else {}
    counts_itself = o.peer in ("hdbscan_rs", "sklearn.cluster")
    theirs = {**sizes, "min_samples": o.min_samples + counts_itself}
    module.HDBSCAN().fit(points[:3000].astype(np.float64))
    clusters(points.astype(np.float64), lambda p: module.HDBSCAN(**theirs, **exact).fit_predict(p), **sizes)


def genie():
    import genieclust
    o.peer, points = "genieclust", picture().astype(np.float64)
    for smooth in (0, o.min_samples):
        genieclust.Genie(n_clusters=2, M=smooth).fit(points[:3000])
        clusters(points, lambda p: genieclust.Genie(n_clusters=o.clusters, M=smooth).fit_predict(p),
                 method="genie", clusters=o.clusters, min_samples=max(smooth, 1))


def start(points):
    """Rows to start from, the same for both sides."""
    picked = points[np.random.default_rng(0).choice(len(points), o.clusters, replace=False)]
    np.save(at("s.npy"), picked)
    return picked


def kmeans():
    from sklearn.cluster import KMeans
    o.peer, points = "scikit-learn", components(50)
    first = start(points)
    clusters(points, lambda p: KMeans(o.clusters, init=first, n_init=1, max_iter=300).fit_predict(p),
             method="kmeans", clusters=o.clusters, start=at("s.npy"))


def gmm():
    from sklearn.mixture import GaussianMixture
    o.peer, points = "scikit-learn", components(10).astype(np.float64)
    k, d = o.clusters, points.shape[1]
    own = np.argmin(((points[:, None] - start(points)) ** 2).sum(2), 1)
    groups = [points[own == c] for c in range(k)]
    weights = np.array([len(g) for g in groups]) / len(points)
    spreads = np.stack([np.cov(g.T, bias=True) for g in groups])
    floor = 1e-6 * np.eye(d)
    inverse = dict(full=np.linalg.inv(spreads + floor), tied=np.linalg.inv(np.tensordot(weights, spreads, 1) + floor),
                   diag=1 / (np.stack([np.diag(s) for s in spreads]) + 1e-6))
    inverse["spherical"] = 1 / (1 / inverse["diag"]).mean(1)
    for kind, precisions in inverse.items():
        print(kind, end=": ")
        settings = dict(covariance_type=kind, weights_init=weights, means_init=[g.mean(0) for g in groups], precisions_init=precisions)
        clusters(points, lambda p: GaussianMixture(k, **settings).fit_predict(p),
                 method="gmm", clusters=k, covariance="diagonal" if kind == "diag" else kind, start=at("s.npy"))


def one_against_rest(count):
    import xgboost as xgb
    matrix, models = xgb.QuantileDMatrix(X), []
    for label in range(count):
        matrix.set_label((Y == label).astype(np.float32))
        models.append(xgb.train(dict(objective="binary:logistic", tree_method="hist", max_depth=o.max_depth), matrix, o.rounds))
    return models


def boost():
    count, o.peer = int(Y.max()) + 1, o.peer or "xgboost"
    flags = dict(data=at("x.npy"), labels=at("y.npy"), out=at("m.json"), rounds=o.rounds, max_depth=o.max_depth)
    if o.peer == "hessboost":
        import hessboost
        settings = dict(objective="binary:logistic", tree_method="hist", max_depth=o.max_depth, eta=0.3, multi_strategy="one_output_per_tree")
        target = np.eye(count, dtype=np.float32)[Y]
        model = in_turn(lambda: ours("boost", **flags),
                        lambda: timed(lambda: hessboost.train(settings, hessboost.DMatrix(X, label=target), o.rounds, verbose_eval=False)))
        theirs = model.predict(hessboost.DMatrix(NEW))
    else:
        import xgboost as xgb
        models = in_turn(lambda: ours("boost", **flags), lambda: timed(lambda: one_against_rest(count)))
        theirs = np.stack([m.predict(xgb.DMatrix(NEW)) for m in models], 1)
    ours("boost", **flags, new=at("new.npy"), new_out=at("p.npy"))
    for name, p in (("recluster", np.load(at("p.npy"))), (o.peer, theirs)):
        right = np.clip(np.where(np.arange(count) == NEW_Y[:, None], p, 1 - p), 1e-15, 1)
        print(f"{name}: log-loss {-np.log(right).mean():.6f}, accuracy {(p.argmax(1) == NEW_Y).mean():.4f}")


def shap():
    """Ours in one call against the peer's call for each model; the models are XGBoost's, or with --all our own of all labels."""
    import xgboost as xgb
    o.peer = o.peer or ("shap" if o.background else "xgboost")
    if o.all:
        ours("boost", data=at("x.npy"), labels=at("y.npy"), out=at("m.json"), rounds=o.rounds, max_depth=o.max_depth, xgboost_out=at("models"))
        files = [at(f"models/label_{label}.json") for label in range(Y.max() + 1)]
    else:
        one_against_rest(1)[0].save_model(at("m.json"))
        files = [at("m.json")]
    rows = NEW[:200] if o.interactions else NEW
    np.save(at("new.npy"), rows), np.save(at("background.npy"), X[: o.background])
    flags = dict(interactions=True) if o.interactions else dict(background=at("background.npy")) if o.background else {}
    models = [xgb.Booster(model_file=file) for file in files]
    if o.peer == "hessboost":
        import hessboost
        for model, file in zip(models, files):
            model.save_model(file)  # hessboost reads base_score in XGBoost's own spelling alone
        models, data = [hessboost.Booster(model_file=file) for file in files], hessboost.DMatrix(rows)
    elif o.peer == "shap":
        import shap
        background = dict(data=X[: o.background], feature_perturbation="interventional") if o.background else {}
        models = [shap.TreeExplainer(model, **background) for model in models]
    else:
        data = xgb.DMatrix(rows)

    def values(model):
        if o.peer == "shap":
            return model.shap_interaction_values(rows) if o.interactions else model.shap_values(rows)
        return model.predict(data, **({"pred_interactions": True} if o.interactions else {"pred_contribs": True}))

    theirs = in_turn(lambda: ours("shap", model=at("m.json"), data=at("new.npy"), out=at("s.npy"), **flags),
                     lambda: timed(lambda: [values(model) for model in models]))
    mine = np.load(at("s.npy"), mmap_mode="r")
    part = slice(0, 5 if o.interactions else 500)
    gap = 0.0
    for label, their in enumerate(theirs):
        own, their = mine[part][..., label], np.asarray(their[part])
        own = own[tuple(slice(0, size) for size in their.shape)]
        gap = max(gap, np.abs(own - their).max())
    print(f"{len(files)} models; largest difference in the first rows {gap:.1e}")


def leaves():
    """The leaves of a fit as labels, of the fitted rows and the new ones; rows outside any leaf are left out."""
    import csv
    ours("fit", data=at("x.npy"), out=at("fit"), second_look=1)
    ours("predict", model=at("fit/model.json"), data=at("new.npy"), out=at("new.csv"))
    column = lambda file, name: np.array([row[name] for row in csv.DictReader(open(file))])
    old, new = column(at("fit/assignments.csv"), "assigned"), column(at("new.csv"), "assigned")
    names = sorted(set(old))
    number = {name: label for label, name in enumerate(names)}
    print(f"{len(names)} leaves")
    return np.array([number[name] for name in old], np.int32), np.array([number.get(name, 0) for name in new], np.int32)


X, Y = rows_and_labels()
TOTAL, held = len(X), min(10_000, len(X) // 5)
NEW, NEW_Y, X = X[-held:], None if Y is None else Y[-held:], X[: o.rows]
Y = None if Y is None else Y[: o.rows]
np.save(at("x.npy"), X), np.save(at("new.npy"), NEW)
if o.leaves:
    Y, NEW_Y = leaves()
if Y is not None:
    np.save(at("y.npy"), Y.astype(np.int32))
globals()[o.stage.replace("-", "_")]()
