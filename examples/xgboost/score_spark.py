"""Clusters of the rows of Parquet files, on Spark.

    spark-submit --py-files scoring.py score_spark.py FOLDER rows.parquet assigned --id id [--abstain 0.05]
    python score_spark.py FOLDER rows.parquet assigned --id id

FOLDER is that of `recluster fit --xgboost-out`, on the driver. `assigned` becomes a folder of Parquet files with the columns
of `recluster predict`. The trees are scored by `xgboost.spark`, between two steps in pandas: words to numbers, and margins
to clusters.
"""
import os
import sys
from pathlib import Path

import pandas as pd
from pyspark.ml.functions import vector_to_array
from pyspark.sql import SparkSession
from pyspark.sql import types as T
from xgboost import XGBClassifier
from xgboost.spark import SparkXGBClassifier, SparkXGBClassifierModel

from scoring import Scorer, arguments


def classifier(scorer):
    model = XGBClassifier()
    model.load_model(str(scorer.folder / "clusters.json"))
    # The estimator has the parameters, as after a fit.
    settings = SparkXGBClassifier(features_col="features", raw_prediction_col="margins")
    return settings._copyValues(SparkXGBClassifierModel(model))


def score(spark, scorer, data, ids, abstain):
    table = spark.read.parquet(data)
    kept = [table.schema[name] for name in ids]

    def encode(parts):
        for part in parts:
            yield part[ids].assign(features=list(scorer.encode(part)))

    def assign(parts):
        for part in parts:
            margins = part["margins"].to_list()
            yield pd.concat([part[ids].reset_index(drop=True), scorer.assign(margins, abstain)], axis=1)

    features = T.StructField("features", T.ArrayType(T.FloatType()))
    encoded = table.mapInPandas(encode, T.StructType([*kept, features]))
    scored = classifier(scorer).transform(encoded)
    scored = scored.select(*ids, vector_to_array("margins").alias("margins"))
    found = [
        T.StructField("assigned", T.StringType()),
        T.StructField("confidence", T.DoubleType()),
        T.StructField("runner_up", T.StringType()),
        T.StructField("runner_up_confidence", T.DoubleType()),
    ]
    return scored.mapInPandas(assign, T.StructType([*kept, *found]))


if __name__ == "__main__":
    args = arguments().parse_args()
    # Workers on this machine are of this Python.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = SparkSession.builder.appName("recluster").getOrCreate()
    # Workers need the encoding, too, wherever they run.
    spark.sparkContext.addPyFile(str(Path(__file__).with_name("scoring.py")))
    assigned = score(spark, Scorer(args.folder), args.data, args.id, args.abstain)
    assigned.write.mode("overwrite").parquet(args.out)
    spark.stop()
