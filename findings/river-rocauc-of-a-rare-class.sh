#!/usr/bin/env bash
# river 0.26.1 (scikit-learn 1.9.1): metrics.ROCAUC keeps counts at ten fixed thresholds from 0 to 1.
# Of a rare class all probabilities may lie below the second of them, 0.11; the area is then 0.5,
# as if by chance, even where they rank each positive row above all negative ones. A hundred thresholds,
# or RollingROCAUC, which keeps the last scores, get it right. Seen:
#
#     ROCAUC 0.5, 100 thresholds 1.0, RollingROCAUC 1.0, scikit-learn 1.0
#
# A stream that compares models by this area sees no difference where the class is rare.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'river==0.26.1' 'scikit-learn==1.9.1' 'numpy==2.4.6'
"$room/venv/bin/python" -W ignore - <<'SEEN'
from river import metrics
from sklearn.metrics import roc_auc_score

scores = [k / 1000 for k in range(1, 21)]
labels = [score > 0.0101 for score in scores]


def area(metric):
    for label, score in zip(labels, scores):
        metric.update(label, score)
    return round(metric.get(), 2)


few, many = area(metrics.ROCAUC()), area(metrics.ROCAUC(n_thresholds=100))
rolling, right = area(metrics.RollingROCAUC()), float(roc_auc_score(labels, scores))
print(f"ROCAUC {few}, 100 thresholds {many}, RollingROCAUC {rolling}, scikit-learn {right}")
assert (few, many, rolling, right) == (0.5, 1, 1, 1)
SEEN
