"""Writes digits.bin: the UCI test set of handwritten digits, in the order of scikit-learn's copy.

Made with scikit-learn 1.9.1 and numpy 2; scikit-learn ships the UCI file `optdigits.tes` unchanged, 1,797 rows in the
order of that file, so nothing is downloaded here.

Layout before compression (raw deflate): 1,797 labels of one byte, then the pixels (0..16) of one byte each, all rows'
first pixel, all rows' second pixel and so on, which compresses better than row by row.

Run from the repository's root: python src/data/make_digits.py
"""

import zlib
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
pixels = digits.data.astype(np.uint8)
labels = digits.target.astype(np.uint8)
assert pixels.shape == (1797, 64) and (pixels == digits.data).all()
deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_FILTERED)
body = deflate.compress(labels.tobytes() + np.ascontiguousarray(pixels.T).tobytes()) + deflate.flush()
Path(__file__).with_name("digits.bin").write_bytes(body)

# What the test in mod.rs compares with.
weights = np.arange(1, 1798)
print(len(body), "bytes; sum of pixels", int(pixels.sum()), "; labels", np.bincount(labels).tolist())
print("sum of row number x row sum", int((weights * pixels.sum(1, dtype=np.int64)).sum()))
print("sum of column number x column sum", int((np.arange(1, 65) * pixels.sum(0, dtype=np.int64)).sum()))
print("sum of row number x label", int((weights * labels.astype(np.int64)).sum()))
