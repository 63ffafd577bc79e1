"""Pictures of a few sets, ours beside umap-learn's, two seeds each, in the colours of their classes.

    pip install -r benches/peers/requirements.txt matplotlib
    cargo build --release --features cli
    python benches/peers/pictures.py --sets mnist,pendigits.npz,density --mnist FOLDER --out docs/images/layouts.png

Sets as in clusters.py; min_dist 0 and two columns on both sides, as `recluster fit` has them.
"""
import pathlib, subprocess, tempfile
import numpy as np
import clusters

clusters.ap.add_argument("--out", default="layouts.png")


def main():
    o = clusters.ap.parse_args()
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import umap

    names = o.sets.split(",")
    figure, axes = plt.subplots(len(names), 4, figsize=(12, 3.1 * len(names)), squeeze=False)
    for name, row in zip(names, axes):
        X, y = clusters.load(name, o)
        places = []
        with tempfile.TemporaryDirectory() as folder:
            np.save(f"{folder}/x.npy", X)
            for seed in (0, 1):
                words = [o.bin, "embed", "--data", f"{folder}/x.npy", "--out", f"{folder}/e.npy", "--min-dist", 0, "--seed", seed]
                subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                places.append((f"recluster, seed {seed}", np.load(f"{folder}/e.npy")))
        for seed in (0, 1):
            places.append((f"umap-learn, seed {seed}", umap.UMAP(min_dist=0, random_state=seed, n_jobs=1).fit_transform(X)))
        for axis, (title, place) in zip(row, places):
            axis.scatter(place[:, 0], place[:, 1], c=y, s=0.6, cmap="tab10", linewidths=0)
            axis.set_title(f"{pathlib.Path(name).stem}: {title}", fontsize=9)
            axis.set_xticks([])
            axis.set_yticks([])
            axis.set_aspect("equal", "datalim")
    figure.tight_layout()
    figure.savefig(o.out, dpi=110)


main()
