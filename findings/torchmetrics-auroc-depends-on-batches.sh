#!/usr/bin/env bash
# torchmetrics 1.9.0 (PyTorch 2.13.0, scikit-learn 1.9.1): BinaryAUROC of a model's scores depends on
# how the rows are batched. Each call of `update` looks whether its own scores lie in [0, 1]; if all
# do it keeps them, else it takes their sigmoid, which is not comparable with those it kept. Of two
# rows, −0.5 of the negative and 0.3 of the positive class, the area is 1; one row a batch it is 0.
# In float32 the sigmoid is also 1 for each score above 17, which ties rows that differ. Seen:
#
#     one batch 1.0, two batches 0.0, scikit-learn 1.0
#     scores 20 and 30: 0.5, scikit-learn 1.0
#
# An area of decision scores needs another library, or probabilities in place of the scores.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'torchmetrics==1.9.0' 'torch==2.13.0' 'scikit-learn==1.9.1' 'numpy==2.4.6'
"$room/venv/bin/python" -W ignore - <<'SEEN'
import torch
from sklearn.metrics import roc_auc_score
from torchmetrics.classification import BinaryAUROC


def area(scores, batch):
    metric = BinaryAUROC()
    for some, labels in zip(torch.tensor(scores).split(batch), torch.tensor([0, 1]).split(batch)):
        metric.update(some, labels)
    return metric.compute().item()


near, far = [-0.5, 0.3], [20.0, 30.0]
seen = [area(near, 2), area(near, 1), float(roc_auc_score([0, 1], near))]
tied = [area(far, 2), float(roc_auc_score([0, 1], far))]
print(f"one batch {seen[0]}, two batches {seen[1]}, scikit-learn {seen[2]}")
print(f"scores 20 and 30: {tied[0]}, scikit-learn {tied[1]}")
assert seen == [1, 0, 1]
assert tied == [0.5, 1]
SEEN
