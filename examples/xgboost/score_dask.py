"""Clusters of the rows of a Parquet file, on Dask.

    python score_dask.py FOLDER rows.parquet assigned --id id [--abstain 0.05] [--scheduler tcp://host:8786]

FOLDER is that of `recluster fit --xgboost-out`. Without a scheduler it starts two workers here. `assigned` becomes a folder
of Parquet files with the columns of `recluster predict`.
"""
import dask.dataframe as dd
import numpy as np
import pandas as pd
from dask.distributed import Client, LocalCluster
from xgboost import dask as dxgb

from scoring import Scorer, arguments


def encode(part, scorer, names):
    return pd.DataFrame(scorer.encode(part), columns=names, index=part.index)


def assign(part, margins, scorer, ids, abstain):
    found = scorer.assign(margins, abstain)
    return pd.concat([part[ids].reset_index(drop=True), found], axis=1)


def score(client, scorer, data, out, ids, abstain):
    table = dd.read_parquet(data, split_row_groups=True)
    names = scorer.names or [f"f{place}" for place in range(len(scorer.types))]
    meta = pd.DataFrame({name: np.empty(0, np.float32) for name in names})
    encoded = table.map_partitions(encode, scorer, names, meta=meta)
    margins = dxgb.inplace_predict(client, scorer.booster(), encoded, predict_type="margin")
    example = assign(table._meta, np.zeros((0, len(scorer.paths))), scorer, ids, abstain)
    assigned = dd.map_partitions(assign, table, margins, scorer, ids, abstain, meta=example, align_dataframes=False)
    assigned.to_parquet(out, write_index=False)


if __name__ == "__main__":
    parser = arguments()
    parser.add_argument("--scheduler")
    args = parser.parse_args()
    here = None if args.scheduler else LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with Client(args.scheduler or here) as client:
        # Workers need the encoding, too.
        client.upload_file(__file__.replace("score_dask.py", "scoring.py"))
        score(client, Scorer(args.folder), args.data, args.out, args.id, args.abstain)
    if here:
        here.close()
