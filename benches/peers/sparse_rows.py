"""umap-learn on the rows that examples/sparse.rs writes: seconds and memory of its embedding.

cargo run --release --example sparse 100000 5000 counts.mtx
python benches/peers/sparse_rows.py counts.mtx

Run with umap-learn and scipy.
"""
import resource
import sys
import time

from scipy.io import mmread
from umap import UMAP


def memory():
    return f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"


def main():
    rows = mmread(sys.argv[1]).tocsr().astype("float32")
    rows.sort_indices()
    # Compiled on a few rows first.
    UMAP(metric="cosine", min_dist=0.0, n_epochs=5).fit_transform(rows[:5000])
    print(f"{rows.shape[0]} rows x {rows.shape[1]} columns, {rows.nnz} entries; {memory()}", flush=True)
    start = time.time()
    UMAP(metric="cosine", min_dist=0.0).fit_transform(rows)
    print(f"embedded in {time.time() - start:.1f} s; {memory()}")


main()
