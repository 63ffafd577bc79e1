"""Files of `recluster fit --xgboost-out FOLDER`, scored by XGBoost: what `recluster predict` writes.

    scorer = Scorer("folder")
    scorer.assign(scorer.margins(frame))        # a pandas frame with the columns of the fitted table

On an engine of many machines `encode` and `assign` run on each part of the table, as score_dask.py and score_spark.py do.
"""
import argparse
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd

def arguments():
    """What both scripts are given."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("--id", action="append", default=[])
    parser.add_argument("--abstain", type=float, default=0.0)
    return parser


YES_NO = {True: "yes", False: "no"}


class Scorer:
    """Plain data: it can be sent to other machines."""

    def __init__(self, folder):
        self.folder = Path(folder)
        columns = json.loads((self.folder / "columns.json").read_text())
        self.paths = np.array([each["path"] for each in columns["classes"]], dtype=object)
        self.files = [each["file"] for each in columns["classes"]]
        self.types = [each["type"] for each in columns["features"]]
        names = [each["name"] for each in columns["features"]]
        self.names = None if None in names else names
        self.fields = columns["fields"]
        self.thresholds = columns["thresholds"]

    def booster(self, file="clusters.json"):
        import xgboost

        return xgboost.Booster(model_file=str(self.folder / file))

    def matrix(self, encoded):
        import xgboost

        return xgboost.DMatrix(encoded, missing=np.nan, feature_names=self.names, feature_types=self.types)

    def margins(self, frame):
        """Log-odds of each row's classes, rows x classes."""
        return self.booster().predict(self.matrix(self.encode(frame)), output_margin=True)

    def assign(self, margins, abstain=0.0):
        """The most probable class of each row and the next, with probabilities among all classes and none of them. With
        `abstain` = 0.05 rows get "-" that are less sure than all but 5 % of the known ones."""
        margins = np.asarray(margins, dtype=np.float64).reshape(-1, len(self.paths))
        # Of equal ones the first.
        order = np.argsort(-margins, axis=1, kind="stable")[:, :2]
        # The margin of none of them is 0.
        high = np.maximum(margins.max(axis=1, keepdims=True), 0.0)
        odds = np.exp(margins - high)
        shares = odds / (odds.sum(axis=1, keepdims=True) + np.exp(-high))
        best = np.take_along_axis(shares, order, axis=1)
        paths = self.paths[order]
        text = lambda values: pd.array(values, dtype="string")
        found = pd.DataFrame({"assigned": text(paths[:, 0]), "confidence": best[:, 0]})
        found["runner_up"] = text(paths[:, 1] if len(self.paths) > 1 else [None] * len(found))
        found["runner_up_confidence"] = best[:, 1] if len(self.paths) > 1 else np.nan
        found.loc[found["confidence"] < self.threshold(abstain), "assigned"] = "-"
        return found

    def threshold(self, share):
        return self.thresholds[min(int(share * 200 + 1e-9), 200)] if share > 0 else 0.0

    def columns(self):
        """Columns of the table that are needed; None where all are, by their order."""
        return self.names if self.fields is None else [field["name"] for field in self.fields]

    def encode(self, frame):
        """A table as XGBoost takes it: float32, rows x features, NaN for missing values."""
        needed = self.columns()
        if needed is not None:
            missing = [name for name in needed if name not in frame.columns]
            if missing:
                raise ValueError(f"missing columns: {', '.join(missing)}")
            frame = frame[needed]
        if self.fields is None:
            return frame.to_numpy(dtype=np.float32, na_value=np.nan)
        parts = [part for field in self.fields for part in encoded(field, frame[field["name"]])]
        return np.column_stack(parts).astype(np.float32)


def encoded(field, values):
    """The features of one field."""
    kind = field["kind"]
    if kind in ("number", "count", "share"):
        return [numbers(field, values)]
    if kind == "date":
        return dates(field, values)
    # Each different value is looked up once.
    codes, different = pd.factorize(values, use_na_sentinel=True)
    texts = [None, *map(text_of, different)]
    if kind == "answers":
        table = np.array([answers(field, text) for text in texts], dtype=np.float32)
        return list(table[codes + 1].T)
    places = {level: place for place, level in enumerate(field["levels"])}
    table = np.array([level(field, places, text) for text in texts], dtype=np.float32)
    return [table[codes + 1]]


def numbers(field, values):
    if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
        found = values.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        # Texts that count as missing; others must be plain numbers.
        plain = values.where(~values.isin(field["missing"]))
        found = pd.to_numeric(plain).to_numpy(dtype=np.float64, na_value=np.nan)
    for text in field["missing"]:
        try:
            found = np.where(found == float(text), np.nan, found)
        except ValueError:
            pass
    return np.where(np.isinf(found), np.nan, found)


def dates(field, values):
    if "date32" in str(values.dtype):
        values = values.astype("datetime64[s]")
    elif values.dtype == object and not values.map(lambda value: isinstance(value, str)).any():
        # Dates without a time of day are objects in pandas.
        values = pd.to_datetime(values)
    if not pd.api.types.is_datetime64_any_dtype(values.dtype):
        raise ValueError(f"column {field['name']}: give dates as timestamps, not as {values.dtype}")
    naive = values.dt.tz_convert(None) if values.dt.tz is not None else values
    days = ((naive - pd.Timestamp(0)) / pd.Timedelta(days=1)).to_numpy(dtype=np.float64, na_value=np.nan)
    midnight = np.floor(days)
    cycles = {
        "day": lambda: (days - midnight) * 24,
        # 1 January 1970 was a Thursday.
        "week": lambda: (midnight + 3) % 7,
        "year": lambda: of_year(naive),
    }
    return [days, *(cycles[cycle]() for cycle in field["cycles"])]


def of_year(dates):
    """The day of a leap year, from 0."""
    before = np.array([0, 0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335], dtype=np.float64)
    month = dates.dt.month.to_numpy(dtype=np.float64, na_value=np.nan)
    start = before[np.nan_to_num(month).astype(int)]
    return np.where(np.isnan(month), np.nan, start + dates.dt.day.to_numpy(dtype=np.float64, na_value=np.nan) - 1)


def text_of(value):
    """A value as the library writes it."""
    if isinstance(value, (bool, np.bool_)):
        return YES_NO[bool(value)]
    if isinstance(value, (int, float, np.integer, np.floating)):
        number = float(value)
        if math.isinf(number):
            return None
        return str(int(number)) if number.is_integer() else np.format_float_positional(number, trim="-")
    return value


def level(field, places, text):
    """The place of a text's level, NaN where it is missing."""
    if text is None or text in field["missing"]:
        return places.get(field["blank"], np.nan)
    if text in places:
        return places[text]
    try:
        known = places.get(text_of(float(text)))
    except ValueError:
        known = None
    if known is None and field["kind"] == "flag":
        yes = means_yes(text) if [*map(means_yes, field["levels"])] == [False, True] else None
        known = None if yes is None else int(yes)
    return places.get(field["other"], np.nan) if known is None else known


NO = "no|n|false|f|0|off|none|never|absent|inactive|unchecked|not selected|not checked".split("|")
YES = "yes|y|true|t|1|on|any|ever|present|active|checked|selected".split("|")


def means_yes(text):
    """Whether a text means yes, or no; None where it means neither."""
    plain = " ".join("".join(c if c.isalnum() or c == "'" else " " for c in text.lower().replace("’", "'")).split())
    return False if plain in NO else True if plain in YES else None


def answers(field, text):
    cell = field["blank"] if text is None or text in field["missing"] else text
    if cell is None:
        return [np.nan] * len(field["levels"])
    given = {part.strip() for part in cell.split(field["separator"])}
    return [float(answer in given) for answer in field["levels"]]
