"""A table of 30 mixed columns with eight kinds of rows, as Parquet: for the time and memory of `recluster fit`.

    pip install numpy pyarrow
    python benches/peers/mixed.py 1000000 mixed.parquet
    /usr/bin/time -v target/release/recluster fit --data mixed.parquet --label kind --out out

Twelve skewed amounts (3 % missing), six counts, five columns of words, five answers from 1 to 5, two truth values (one of
them a coin toss), besides an id and the kind.
"""
import sys
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

rows, path = int(sys.argv[1]), sys.argv[2]
draws = np.random.default_rng(7)
kinds = draws.choice(8, rows, p=[0.3, 0.2, 0.15, 0.1, 0.1, 0.06, 0.05, 0.04])
centres = 1.2 * draws.normal(size=(8, 18))
columns = {"id": pa.array([f"u{number:07d}" for number in draws.permutation(rows)])}
for column in range(12):
    amounts = 10 * np.exp(centres[kinds, column] + 0.7 * draws.normal(size=rows))
    amounts[draws.random(rows) < 0.03] = np.nan
    columns[f"amount {column}"] = pa.array(amounts, from_pandas=True)
for column in range(6):
    columns[f"count {column}"] = pa.array(draws.poisson(np.exp(0.7 * centres[kinds, 12 + column] + 1)))
words = np.array("north south east west centre".split())
for column in range(5):
    below = np.cumsum(draws.dirichlet(np.full(5, 0.7), 8), axis=1)[kinds]
    columns[f"word {column}"] = pa.array(words[(draws.random((rows, 1)) > below[:, :-1]).sum(axis=1)])
for column in range(5):
    latent = 3 + draws.normal(size=8)[kinds] + draws.normal(size=rows)
    columns[f"answer {column}"] = pa.array(np.clip(np.round(latent), 1, 5).astype(int))
columns["flag"] = pa.array(draws.random(rows) < draws.random(8)[kinds])
columns["coin"] = pa.array(draws.random(rows) < 0.5)
columns["kind"] = pa.array(kinds)
pq.write_table(pa.table(columns), path, compression="zstd")
