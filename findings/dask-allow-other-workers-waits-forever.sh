#!/usr/bin/env bash
# distributed 2026.8.0: a task with workers=[w] and allow_other_workers=True, "whether the computations
# may be performed on other workers", waits forever if w is gone at a moment when no other worker is
# there: workers that come later compute other tasks, but not this one, whose state stays "no-worker".
# So a cluster whose workers were all replaced, by whoever restarts them, no longer computes what it
# had lost, without an error. Seen, after the only worker was replaced by a new one:
#
#     named no worker    7
#     named the old one  TimeoutError, state no-worker
#
# Sent again, under another key and with workers that are there, it is computed.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'dask==2026.8.0' 'distributed==2026.8.0'
cd "$room"
cat >seen.py <<'SEEN'
import time

from distributed import Client, LocalCluster, wait

if __name__ == "__main__":
    options = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": 50}
    with LocalCluster(n_workers=1, **options) as cluster, Client(cluster) as client:
        (first,) = client.nthreads()
        free = client.submit(sum, [3, 4])
        named = client.submit(sum, [1, 2], workers=[first], allow_other_workers=True)
        wait([free, named])
        cluster.scale(0)
        while client.nthreads():
            time.sleep(0.1)
        time.sleep(1)
        cluster.scale(1)
        client.wait_for_workers(1)
        print("named no worker   ", free.result(timeout=20))
        try:
            seen = str(named.result(timeout=20))
        except TimeoutError:
            state = client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.tasks[named.key].state)
            seen = f"TimeoutError, state {state}"
        print("named the old one ", seen)
        assert seen == "TimeoutError, state no-worker"
SEEN
"$room/venv/bin/python" seen.py
