#!/usr/bin/env bash
# mlxtend 0.25.0 (scikit-learn 1.9.1): plot_decision_regions casts the points of its grid to the type
# of X before it asks the model. With integer features (hours studied, numbers of visits) every point
# is cut off toward 0, and the picture is that of another model: its boundary lies on integers, up to
# one whole unit from the model's own. scikit-learn's DecisionBoundaryDisplay does not cast. Seen, for
# a model that passes from 2.5 hours on, drawn from −1 to 6:
#
#     mlxtend, floats        boundary at 2.5, predicted at 2.6: 1, drawn there: 1
#     mlxtend, integers      boundary at 3.0, predicted at 2.6: 1, drawn there: 0
#     scikit-learn, integers boundary at 2.5, predicted at 2.6: 1, drawn there: 1
#
# No error, no warning. Give it X.astype(float).
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'mlxtend==0.25.0' 'scikit-learn==1.9.1' 'matplotlib==3.11.2' 'numpy==2.4.6' 'pandas==3.1.1'
MPLCONFIGDIR="$room" "$room/venv/bin/python" - <<'SEEN'
import matplotlib

matplotlib.use("agg")
import numpy as np
from matplotlib import pyplot
from mlxtend.plotting import plot_decision_regions
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.tree import DecisionTreeClassifier


def drawn(axes, hours):
    """The class whose filled contour covers a point of the picture."""
    contours = next(one for one in axes.collections if hasattr(one, "levels"))
    covers = [path.contains_point((hours, 0.5)) for path in contours.get_paths()]
    levels = (contours.levels[:-1] + contours.levels[1:]) / 2
    return int(levels[covers.index(True)] > 0.5)


def boundary(axes):
    """The first tenth of an hour that is drawn as passed."""
    tenths = np.arange(0.05, 5, 0.1)
    first = next(hours for hours in tenths if drawn(axes, hours))
    return round(float(first) - 0.05, 1)


if __name__ == "__main__":
    X = np.array([[0, 0], [1, 1], [2, 0], [2, 1], [3, 0], [3, 1], [4, 1], [5, 0]])
    y = (X[:, 0] > 2).astype(int)
    model = DecisionTreeClassifier(random_state=0).fit(X, y)
    assert model.tree_.threshold[0] == 2.5
    pictures = {}
    for name, table in {"mlxtend, floats": X.astype(float), "mlxtend, integers": X}.items():
        pictures[name] = plot_decision_regions(table, y, clf=model, ax=pyplot.figure().gca())
    display = DecisionBoundaryDisplay.from_estimator(
        model, X, response_method="predict", grid_resolution=500
    )
    pictures["scikit-learn, integers"] = display.ax_
    seen = {}
    predicted = int(model.predict([[2.6, 0.5]])[0])
    for name, axes in pictures.items():
        seen[name] = (boundary(axes), drawn(axes, 2.6))
        print(f"{name:22} boundary at {seen[name][0]}, ", end="")
        print(f"predicted at 2.6: {predicted}, drawn there: {seen[name][1]}")
    assert predicted == 1
    assert seen["mlxtend, floats"] == seen["scikit-learn, integers"] == (2.5, 1)
    assert seen["mlxtend, integers"] == (3.0, 0)
SEEN
