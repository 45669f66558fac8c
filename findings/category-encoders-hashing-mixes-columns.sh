#!/usr/bin/env bash
# category_encoders 2.11.2 (scikit-learn 1.9.1, pandas 3.1.1): HashingEncoder hashes a cell's value
# without its column, and adds all columns up. Rows that hold the same values in other columns are
# the same row to the model, however many components there are: from Rome to Oslo is from Oslo to
# Rome. scikit-learn's FeatureHasher of dicts hashes "column=value" and tells them apart. Seen:
#
#     HashingEncoder, 64 components: same rows True
#     FeatureHasher, 64 components: same rows False
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'category_encoders==2.11.2' 'scikit-learn==1.9.1' 'pandas==3.1.1' 'numpy==2.4.6'
"$room/venv/bin/python" -W ignore - <<'SEEN'
import pandas as pd
from category_encoders import HashingEncoder
from sklearn.feature_extraction import FeatureHasher

if __name__ == "__main__":
    trips = pd.DataFrame({"from": ["Rome", "Oslo"], "to": ["Oslo", "Rome"]})
    rows = HashingEncoder(n_components=64, max_process=1).fit_transform(trips).to_numpy()
    other = FeatureHasher(64).transform(trips.to_dict("records")).toarray()
    seen = [bool((two[0] == two[1]).all()) for two in (rows, other)]
    print(f"HashingEncoder, 64 components: same rows {seen[0]}")
    print(f"FeatureHasher, 64 components: same rows {seen[1]}")
    assert seen == [True, False]
    assert rows.sum() == 4
SEEN
