"""Surveys with planted classes, found again: ours on the CSV as it is, and what one would use instead.

    pip install -r benches/peers/requirements.txt
    cargo build --release --features cli
    python benches/peers/tables.py --keep peers.json
    python benches/peers/tables.py --keep peers.json --missing 0.3
    python benches/peers/tables.py --methods recluster --sets 3 --seeds 5 -- --evidence require
    python benches/peers/tables.py --methods recluster,denseclus,onehot --null 20
    python benches/peers/tables.py --write FOLDER

A set is a latent-class survey that is generated here: two thirds of its questions are ordinal (1 to 5, a latent normal cut
at four places, its mean shifted by class), a third nominal (3 to 6 words), and 60 % of both differ between the classes, of
which the smallest has 6 % of the rows and the others more by even steps. Within a class answers are independent, which is
what a latent class model assumes: `lca` fits the very model that made the rows. The more questions, the less each tells
(its shift falls with their number to the power -1/4), so that the classes are about equally hard to tell by distance.
Missing answers (--missing SHARE) are blank cells, at random. With --null N the surveys have no classes: correlated normals
with three common factors, cut into answers of the same kinds.

Methods (--methods):

    recluster   `recluster fit` with its defaults: two rows, leaves by cluster (noise apart) and as assigned by the model
    denseclus   DenseClus: ordinals power-transformed into one UMAP, dummies of the words by hamming into another (30
                neighbours, min_dist 0, 5 columns), their graphs intersected, HDBSCAN (min_samples 15) with clusters of at
                least 5 % of the rows and, second row, of at least 100 as published
    onehot      all answers one-hot, UMAP (15 neighbours, min_dist 0), HDBSCAN (min_samples 10, at least 5 % of the rows)
    kmeans      all answers one-hot, k-means, 10 starts                             } these are
    kmodes      all answers as categories, Huang's start, 5 starts                  } told the
    kprototypes ordinals standardised, nominals as categories, Huang, 5 starts      } number
    lca         latent class model by EM, all answers as categories, 5 starts       } of classes
    truth       the likeliest class by the parameters that made the rows: no method can expect more

lca and truth leave missing answers out; for the other peers they are the column's median or mode.
umap-learn lays an intersection out from a seed of its own, so denseclus depends on --seeds only by way of approximate
neighbours, above 4,096 rows.

Figures, medians over seeds: `ari`, of all rows with noise as a class of its own; `clustered`, the share of rows that are not
noise, and `ari of these`; the number of clusters found; seconds, those of peers with compilation.
With --keep FILE what peers reach is saved and used again. Flags after `--` are handed to `recluster fit`.
"""
import argparse, csv, json, pathlib, statistics, subprocess, sys, tempfile, time, warnings, zlib
import numpy as np

warnings.filterwarnings("ignore")
ROOT = pathlib.Path(__file__).resolve().parents[2]
ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--sets", type=int, default=6, help="the first N sets; beyond six they are drawn anew")
ap.add_argument("--seeds", type=int, default=1, help="seeds of each method on each set")
ap.add_argument("--methods", default="recluster,denseclus,onehot,kmeans,kmodes,kprototypes,lca,truth")
ap.add_argument("--missing", type=float, default=0.0)
ap.add_argument("--strength", type=float, default=1.0, help="how far the classes are apart")
ap.add_argument("--null", type=int, metavar="N", help="N surveys without classes instead: how often are they split?")
ap.add_argument("--keep", type=pathlib.Path)
ap.add_argument("--write", type=pathlib.Path, help="only write the sets to this folder as NAME.csv and NAME.labels.npy")
ap.add_argument("--bin", default=ROOT / "target/release/recluster")
ap.add_argument("more", nargs="*")

SETS = [(1_000, 30, 3), (2_000, 60, 4), (3_000, 100, 6), (5_000, 45, 5), (8_000, 150, 8), (20_000, 75, 7)]
NULLS = [(1_000, 30), (2_000, 60), (5_000, 100)]
WORDS = [
    "red blue green yellow black white", "north south east west centre abroad", "bus car bike train walk other",
    "never rarely sometimes often always unsure", "tea coffee water juice milk wine", "flat house farm room boat none",
]
NORMAL = statistics.NormalDist()
cdf, quantile = np.vectorize(NORMAL.cdf, otypes=[float]), np.vectorize(NORMAL.inv_cdf, otypes=[float])


class Survey:
    """Answers as codes from 0 (-1: missing), the words of each question, the classes and what made them."""

    def __init__(self, codes, words, ordinal, classes=None, shares=None, tables=None):
        self.codes, self.words, self.ordinal = codes, words, ordinal
        self.classes, self.shares, self.tables = classes, shares, tables

    def names(self):
        return [f"q{question:0{len(str(len(self.words)))}}" for question in range(1, len(self.words) + 1)]

    def write(self, path):
        cells = [np.array(words + [""])[self.codes[:, question]] for question, words in enumerate(self.words)]
        with open(path, "w", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(self.names())
            out.writerows(zip(*cells))

    def blank(self, missing, draws):
        self.codes = np.where(draws.random(self.codes.shape) < missing, -1, self.codes)
        return self

    def filled(self):
        """The codes, missing ones replaced by the column's median or mode."""
        codes = self.codes.copy()
        for question, column in enumerate(codes.T):
            known = column[column >= 0]
            fill = round(float(np.median(known))) if self.ordinal[question] else np.bincount(known).argmax()
            column[column < 0] = fill
        return codes

    def onehot(self, codes, questions=None):
        """One column an answer; a missing answer is zero in each."""
        if questions is None:
            questions = range(len(self.words))
        return np.concatenate([codes[:, [q]] == np.arange(len(self.words[q])) for q in questions], axis=1).astype(np.float32)


def questionnaire(questions, classes, strength, draws):
    """Words of each question, which are ordinal, and each one's chances: classes x answers."""
    kinds = draws.permutation(np.arange(questions) % 3 < 2)
    differs = np.zeros(questions, bool)
    for kind in (True, False):
        own = np.flatnonzero(kinds == kind)
        differs[draws.permutation(own)[:round(0.6 * len(own))]] = True
    step = strength * (30 / questions) ** 0.25
    words, tables = [], []
    for question in range(questions):
        if kinds[question]:
            words.append(list("12345"))
            cuts = np.cumsum(draws.uniform(0.4, 1.1, size=4))
            cuts -= cuts.mean() + draws.normal(scale=0.5)
            means = draws.normal(scale=1.1 * step, size=(classes, 1)) * differs[question]
            below = np.concatenate([np.zeros((classes, 1)), cdf(cuts - means), np.ones((classes, 1))], axis=1)
            tables.append(np.diff(below, axis=1))
        else:
            words.append(WORDS[draws.integers(len(WORDS))].split()[:draws.integers(3, 7)])
            common = draws.dirichlet(np.full(len(words[-1]), 2.0))
            own = draws.dirichlet(np.full(len(words[-1]), 1.0), size=classes)
            weight = min(1.0, 0.8 * step) * differs[question]
            tables.append((1 - weight) * common + weight * own)
    return words, kinds, tables


def survey(rows, questions, classes, seed, missing=0.0, strength=1.0):
    """A survey of planted classes, answers independent within each."""
    draws = np.random.default_rng([1, rows, questions, classes, seed])
    words, ordinal, tables = questionnaire(questions, classes, strength, draws)
    shares = np.linspace(0.06, 2 / classes - 0.06, classes)
    sizes = np.round(shares * rows).astype(int)
    sizes[-1] += rows - sizes.sum()
    labels = draws.permutation(np.repeat(np.arange(classes), sizes))
    codes = np.stack([
        (draws.random((rows, 1)) > np.cumsum(table, axis=1)[labels, :-1]).sum(axis=1) for table in tables
    ], axis=1)
    return Survey(codes, words, ordinal, labels, shares, tables).blank(missing, draws)


def null_survey(rows, questions, seed, missing=0.0):
    """No classes: a Gaussian copula of three factors, the margins those of a survey whose classes are mixed."""
    draws = np.random.default_rng([2, rows, questions, seed])
    words, ordinal, tables = questionnaire(questions, 5, 1.0, draws)
    loadings = draws.normal(size=(questions, 3))
    loadings *= np.sqrt(draws.uniform(0.05, 0.4, size=(questions, 1))) / np.linalg.norm(loadings, axis=1, keepdims=True)
    unique = np.sqrt(1 - (loadings ** 2).sum(axis=1))
    latent = draws.normal(size=(rows, 3)) @ loadings.T + unique * draws.normal(size=(rows, questions))
    codes = np.stack([
        np.searchsorted(quantile(np.cumsum(table.mean(axis=0))[:-1]), column) for table, column in zip(tables, latent.T)
    ], axis=1)
    return Survey(codes, words, ordinal).blank(missing, draws)


def ours(o, s, classes, seed):
    with tempfile.TemporaryDirectory() as folder:
        s.write(f"{folder}/survey.csv")
        words = [o.bin, "fit", "--data", f"{folder}/survey.csv", "--out", f"{folder}/out", "--seed", seed, *o.more]
        done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(map(str, words))}\n{done.stderr}")
        with open(f"{folder}/out/assignments.csv") as file:
            found = list(csv.DictReader(file))
    labels = []
    for column in ("core", "assigned"):
        paths = {}
        of = np.full(len(s.codes), -1)
        for line in found:
            # Noise ends in "-"; a row that was set aside is "-" or empty.
            if line[column] and not line[column].endswith("-"):
                of[int(line["row"])] = paths.setdefault(line[column], len(paths))
        labels.append(of)
    facts = json.loads(done.stdout.splitlines()[-1])
    return {"recluster": labels[0], "recluster, assigned": labels[1]}, facts


def hdbscan_of(places, least, min_samples):
    import hdbscan
    clusterer = hdbscan.HDBSCAN(min_cluster_size=max(2, least), min_samples=min_samples, core_dist_n_jobs=1)
    return clusterer.fit_predict(places.astype(np.float64))


def denseclus(s, classes, seed):
    import umap
    from sklearn.preprocessing import PowerTransformer
    codes = s.filled()
    numbers = PowerTransformer().fit_transform(codes[:, s.ordinal].astype(float) + 1)
    dummies = s.onehot(codes, np.flatnonzero(~s.ordinal))
    graph = dict(n_neighbors=30, min_dist=0.0, n_components=5, random_state=seed, n_jobs=1)
    both = umap.UMAP(**graph).fit(numbers) * umap.UMAP(metric="hamming", **graph).fit(dummies)
    return {
        "denseclus": hdbscan_of(both.embedding_, int(0.05 * len(codes)), 15),
        "denseclus, 100": hdbscan_of(both.embedding_, 100, 15),
    }


def onehot(s, classes, seed):
    import umap
    places = umap.UMAP(n_neighbors=15, min_dist=0.0, random_state=seed, n_jobs=1).fit_transform(s.onehot(s.filled()))
    return {"onehot": hdbscan_of(places, int(0.05 * len(places)), 10)}


def kmeans(s, classes, seed):
    from sklearn.cluster import KMeans
    return {"kmeans": KMeans(classes, n_init=10, random_state=seed).fit_predict(s.onehot(s.filled()))}


def kmodes(s, classes, seed):
    from kmodes.kmodes import KModes
    return {"kmodes": KModes(classes, init="Huang", n_init=5, random_state=seed).fit_predict(s.filled())}


def kprototypes(s, classes, seed):
    from kmodes.kprototypes import KPrototypes
    codes = s.filled().astype(float)
    numbers = codes[:, s.ordinal]
    codes[:, s.ordinal] = (numbers - numbers.mean(axis=0)) / np.maximum(numbers.std(axis=0), 1e-9)
    model = KPrototypes(classes, init="Huang", n_init=5, random_state=seed)
    return {"kprototypes": model.fit_predict(codes, categorical=list(map(int, np.flatnonzero(~s.ordinal))))}


def lca(s, classes, seed, starts=5, steps=500):
    """The likeliest of several EM runs; each chance is smoothed by one answer more a question, spread over its words."""
    draws = np.random.default_rng(seed)
    answers = s.onehot(s.codes)
    ends = np.cumsum([len(words) for words in s.words])[:-1]
    prior = np.concatenate([np.full(len(words), 1 / len(words)) for words in s.words])
    best = (-np.inf, None)
    for _ in range(starts):
        member = draws.dirichlet(np.ones(classes), size=len(answers)).astype(np.float32)
        last = -np.inf
        for _ in range(steps):
            counts = member.T @ answers + prior
            parts = np.split(counts, ends, axis=1)
            chances = np.concatenate([part / part.sum(axis=1, keepdims=True) for part in parts], axis=1)
            shares = (member.sum(axis=0) + 1) / (len(answers) + classes)
            logs = answers @ np.log(chances).T.astype(np.float32) + np.log(shares).astype(np.float32)
            top = logs.max(axis=1, keepdims=True)
            member = np.exp(logs - top)
            total = member.sum(axis=1, keepdims=True)
            member /= total
            fit = float((top + np.log(total)).mean(dtype=float)) + float((prior * np.log(chances)).sum()) / len(answers)
            if fit - last < 1e-6:
                break
            last = fit
        best = max(best, (fit, member.argmax(axis=1)), key=lambda run: run[0])
    return {"lca": best[1]}


def truth(s, classes, seed):
    logs = s.onehot(s.codes) @ np.log(np.concatenate(s.tables, axis=1) + 1e-12).T
    return {"truth": (logs + np.log(s.shares)).argmax(axis=1)}


PEERS = {"denseclus": denseclus, "onehot": onehot, "kmeans": kmeans, "kmodes": kmodes, "kprototypes": kprototypes,
         "lca": lca, "truth": truth}


def judge(labels, y):
    from sklearn.metrics import adjusted_rand_score as ari
    held = labels >= 0
    return {"ari": ari(y, labels), "clustered": held.mean(), "ari of these": ari(y[held], labels[held]) if held.any() else 0.0,
            "clusters": int(len(np.unique(labels[held])))}


def scores(o, kept, method, s, classes, seed):
    """What each row of the method reaches: its name and figures."""
    key = f"{method}, {' x '.join(map(str, s.codes.shape))}, {zlib.crc32(s.codes.tobytes()):08x}, seed {seed}"
    if method != "recluster" and key in kept:
        return kept[key]
    start = time.perf_counter()
    if method == "recluster":
        found, facts = ours(o, s, classes, seed)
    else:
        found, facts = PEERS[method](s, classes, seed), None
    seconds = time.perf_counter() - start
    y = np.zeros(len(s.codes), int) if s.classes is None else s.classes
    result = {name: judge(labels, y) | {"seconds": seconds} for name, labels in found.items()}
    if facts:
        for figures in result.values():
            figures |= {"leaves": facts["leaves"], "seconds": facts["seconds"]["total"]}
    elif o.keep:
        kept[key] = result
        o.keep.write_text(json.dumps(kept, indent=1) + "\n")
    return result


def medians(runs):
    return {figure: statistics.median(run[figure] for run in runs) for figure in runs[0]}


def line(name, of):
    print(f"  {name:<20} ari {of['ari']:.3f}  clustered {100 * of['clustered']:5.1f} %  ari of these {of['ari of these']:.3f}  "
          f"clusters {of['clusters']:4.1f}  {of['seconds']:6.1f} s", flush=True)


def main():
    o = ap.parse_args()
    methods = o.methods.split(",")
    unknown = [method for method in methods if method != "recluster" and method not in PEERS]
    if unknown:
        ap.error(f"no such method: {', '.join(unknown)}")
    kept = json.loads(o.keep.read_text()) if o.keep and o.keep.exists() else {}
    if o.null is not None:
        return nulls(o, kept, methods)
    over = {}
    for number in range(o.sets):
        rows, questions, classes = SETS[number % len(SETS)]
        s = survey(rows, questions, classes, number // len(SETS), o.missing, o.strength)
        if o.write:
            write(o, s, f"survey-{number + 1}-{rows}x{questions}-{classes}")
            continue
        print(f"{number + 1}: {rows} x {questions}, {classes} classes, {100 * o.missing:.0f} % missing, {o.seeds} seeds",
              flush=True)
        for method in methods:
            runs = [scores(o, kept, method, s, classes, seed) for seed in range(o.seeds)]
            for name in runs[0]:
                over.setdefault(name, []).append(medians([run[name] for run in runs]))
                line(name, over[name][-1])
    if over:
        print(f"medians over {o.sets} sets")
        for name, runs in over.items():
            line(name, medians(runs))


def nulls(o, kept, methods):
    """How often surveys without classes are split, by methods that are not told a number of clusters."""
    split = {}
    for number in range(o.null):
        rows, questions = NULLS[number % len(NULLS)]
        s = null_survey(rows, questions, number, o.missing)
        if o.write:
            write(o, s, f"null-{number + 1}-{rows}x{questions}")
            continue
        for method in methods:
            if method in ("recluster", "denseclus", "onehot"):
                for name, of in scores(o, kept, method, s, 1, number).items():
                    split.setdefault(name, []).append(of.get("leaves", of["clusters"]))
    for name, clusters in split.items():
        if name != "recluster, assigned":
            print(f"  {name:<20} {sum(n > 1 for n in clusters)} of {len(clusters)} surveys without classes split  "
                  f"clusters {min(clusters)} to {max(clusters)}, median {statistics.median(clusters):g}")


def write(o, s, name):
    o.write.mkdir(parents=True, exist_ok=True)
    s.write(o.write / f"{name}.csv")
    if s.classes is not None:
        np.save(o.write / f"{name}.labels.npy", s.classes.astype(np.int32))


if __name__ == "__main__":
    main()
