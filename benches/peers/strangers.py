"""Rows of no cluster: how many of them a fit turns away that has never seen their classes, with a guard and without.

    cargo build --release --features cli
    python benches/peers/strangers.py --mnist FOLDER

FOLDER has MNIST's four gzipped IDX files. The digits 0 to 7 of the training set are clustered by `recluster fit`, without labels.
Then `predict --abstain 0.05` meets the test set's digits 0 to 7, which it knows, and strangers: its eights and nines, 1,000 images of
uniform noise and 1,000 known ones with their pixels permuted. Printed are the shares that are turned away.
"""
import argparse, csv, gzip, pathlib, subprocess, tempfile
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--mnist", type=pathlib.Path, required=True)
ap.add_argument("--guard-rows", type=float, default=0.25)
ap.add_argument("--abstain", type=float, default=0.05)
ap.add_argument("--bin", default=ROOT / "target/release/recluster")


def idx(path):
    with gzip.open(path) as file:
        magic = file.read(4)
        shape = np.frombuffer(file.read(4 * magic[3]), ">i4")
        return np.frombuffer(file.read(), np.uint8).reshape(shape[0], -1)


def main():
    o = ap.parse_args()
    images = {part: idx(o.mnist / f"{part}-images-idx3-ubyte.gz").astype(np.float32) for part in ("train", "t10k")}
    digits = {part: idx(o.mnist / f"{part}-labels-idx1-ubyte.gz").ravel() for part in ("train", "t10k")}
    draws = np.random.default_rng(0)
    known = images["t10k"][digits["t10k"] < 8]
    met = {
        "known digits": known,
        "eights, nines": images["t10k"][digits["t10k"] >= 8],
        "uniform noise": draws.integers(0, 256, (1000, known.shape[1])).astype(np.float32),
        "permuted pixels": draws.permuted(known[:1000], axis=1),
    }
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/fitted.npy", images["train"][digits["train"] < 8])
        for name, rows in met.items():
            np.save(f"{folder}/{name}.npy", rows)
        for guard in (0.0, o.guard_rows):
            call = [o.bin, "fit", "--data", f"{folder}/fitted.npy", "--out", f"{folder}/out", "--guard-rows", str(guard)]
            subprocess.run(call, check=True, capture_output=True)
            print(f"--guard-rows {guard}")
            strangers, away = 0, 0
            for name in met:
                call = [o.bin, "predict", "--model", f"{folder}/out/model.json", "--data", f"{folder}/{name}.npy"]
                call += ["--out", f"{folder}/{name}.csv", "--abstain", str(o.abstain)]
                subprocess.run(call, check=True, capture_output=True)
                with open(f"{folder}/{name}.csv", newline="") as file:
                    assigned = [row["assigned"] for row in csv.DictReader(file)]
                print(f"  {name:<16} {assigned.count('-') / len(assigned):.3f} of {len(assigned)}")
                if name != "known digits":
                    strangers, away = strangers + len(assigned), away + assigned.count("-")
            print(f"  {'all strangers':<16} {away / strangers:.3f} of {strangers}", flush=True)


if __name__ == "__main__":
    main()
