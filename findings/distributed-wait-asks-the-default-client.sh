#!/usr/bin/env bash
# distributed 2026.8.0: `wait(futures)` and `as_completed(futures)` ask the default client, not the one
# that the futures belong to. With a client made by set_as_default=False, as libraries make theirs, they
# raise "No clients found"; `future.result()` of the same future works. Seen:
#
#     result        3
#     wait          ValueError: No clients found
#     as_completed  ValueError: No clients found
#
# A library waits by future.result(timeout=…) or future.exception(timeout=…), or inside `with
# client.as_current():`, where both work.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'dask==2026.8.0' 'distributed==2026.8.0'
cd "$room"
cat >seen.py <<'SEEN'
from distributed import Client, LocalCluster, as_completed, wait


def seen(call):
    try:
        return str(call())
    except ValueError as error:
        return f"ValueError: {str(error).splitlines()[0]}"


if __name__ == "__main__":
    options = {"n_workers": 1, "processes": False, "dashboard_address": ":0", "silence_logs": 50}
    with LocalCluster(**options) as cluster, Client(cluster, set_as_default=False) as client:
        future = client.submit(sum, [1, 2])
        found = [
            seen(lambda: future.result(timeout=20)),
            seen(lambda: len(wait([future], timeout=20).done)),
            seen(lambda: len([*as_completed([future], timeout=20)])),
        ]
        with client.as_current():
            inside = seen(lambda: len(wait([future], timeout=20).done))
    for name, text in zip(("result", "wait", "as_completed"), found):
        print(f"{name:13} {text}")
    assert found == ["3", "ValueError: No clients found", "ValueError: No clients found"]
    assert inside == "1"
SEEN
"$room/venv/bin/python" seen.py
