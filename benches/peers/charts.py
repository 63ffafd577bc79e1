"""shap's pictures of the values that examples/charts.rs drew: beeswarm, waterfall and two dependence plots.

    pip install -r benches/peers/requirements.txt matplotlib shap
    cargo run --release --example charts FOLDER
    python benches/peers/charts.py FOLDER

Writes shap_beeswarm.png, shap_waterfall.png and shap_dependence_0.png, _4.png into FOLDER, beside our SVGs of the same names.
"""
import pathlib, sys
import numpy as np
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import shap


def main():
    folder = pathlib.Path(sys.argv[1])
    with open(folder / "attributions.csv") as file:
        base, row = file.readline().split(",")
        names = file.readline().strip().split(",")
        table = np.array([[float(cell) for cell in line.split(",")] for line in file])
    values, pushes = table[:, : len(names)], table[:, len(names) :]
    found = shap.Explanation(values=pushes, base_values=np.full(len(table), float(base)), data=values, feature_names=names)

    def save(name):
        plt.gcf().savefig(folder / f"shap_{name}.png", dpi=100, bbox_inches="tight")
        plt.close("all")

    shap.plots.beeswarm(found, show=False)
    save("beeswarm")
    shap.plots.waterfall(found[int(row)], show=False)
    save("waterfall")
    for feature in (0, 4):
        shap.plots.scatter(found[:, feature], color=found, show=False)
        save(f"dependence_{feature}")


if __name__ == "__main__":
    main()
