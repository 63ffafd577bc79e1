"""Others' pictures of the values that examples/charts.rs drew: shap's beeswarm, waterfall and two dependence plots, and
datamapplot's map.

    pip install -r benches/peers/requirements.txt matplotlib shap datamapplot
    cargo run --release --example charts FOLDER
    python benches/peers/charts.py FOLDER

Writes shap_beeswarm.png, shap_waterfall.png, shap_dependence_0.png, _4.png and datamapplot_map.png into FOLDER, beside our SVGs
of the same names.
"""
import pathlib, sys
import numpy as np
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import datamapplot
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

    with open(folder / "map.csv") as file:
        rows = [line.rstrip("\n").split(",") for line in file]
    places = np.array([[float(x), float(y)] for x, y, _ in rows])
    names = np.array([name or "Unlabelled" for _, _, name in rows])
    figure, _ = datamapplot.create_plot(places, names, title="Handwritten digits", figsize=(8.6, 8.6))
    figure.savefig(folder / "datamapplot_map.png", dpi=100)


if __name__ == "__main__":
    main()
