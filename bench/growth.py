# SPDX-License-Identifier: Apache-2.0
"""What the number of stored records costs: the same questions to a database of more and more of them."""
import os
import subprocess
import threading
import time
from statistics import median

import loads
import numpy as np
from support.client import Client, Watched
from support.paths import program
from support.processes import Daemon, StubModel

UNITS = {"k": 1000, "M": 1_000_000}
PURGED = 100_000  # at most: as many as there is time for
RUNS = 15


def number(text):
    """10k, 1M or 250 as a number."""
    return int(text[:-1]) * UNITS[text[-1]] if text[-1] in UNITS else int(text)


def ms(function, runs=RUNS, clock=time.perf_counter):
    times = []
    for _ in range(runs):
        started = clock()
        function()
        times.append((clock() - started) * 1000)
    return median(times)


def started(folder):
    begun = time.perf_counter()
    daemon = Daemon(folder, http__connections_per_address=256)
    return daemon, (time.perf_counter() - begun) * 1000


def lists(watched, total):
    """Pages of 100, by what finds them."""
    client, path = watched.client, watched.records_path
    deep = client.get(path, offset=total - 150, limit=1)["next"]["after"]
    by_time = client.get(path, order="scoring_timestamp:desc", limit=100)["next"]["after"]
    values = client.get(path, offset=total // 2, limit=1)["records"][0]["entity"]["values"]
    questions = {
        "first page": {}, "last page, behind a key": {"after": deep}, "last page, by offset": {"offset": total - 120},
        "newest first": {"order": "scoring_timestamp:desc"},
        "newest first, second page": {"order": "scoring_timestamp:desc", "after": by_time},
        "the whole count": {"limit": 0, "include_total_count": "true"},
        "one transaction": {"filter": f"transaction_id:eq:{values['transaction_id']}"},
    }
    return {name: ms(lambda params=params: client.get(path, **params)) for name, params in questions.items()}


def purge(watched, seconds, load):
    """Purges the oldest records, first while others are logged: rates of the purge beside them, of logging, and alone."""
    oldest = watched.client.get(watched.records_path, order="scoring_timestamp:asc", offset=PURGED, limit=1)
    values = oldest["records"][0]["entity"]["values"]
    logged = []
    thread = threading.Thread(target=lambda: logged.append(load(seconds)))
    thread.start()
    address = watched.client.post(f"/v2/data_sets/{watched.data_set_id}/purges",
                                  {"end": values["scoring_timestamp"]})["metadata"]["url"]
    rates = [purged_a_second(watched.client, address, seconds - 0.5)]
    thread.join()
    rates.append(purged_a_second(watched.client, address, 2 * seconds))
    while watched.client.get(address)["entity"]["state"] == "active":  # else it goes on beside the next size
        time.sleep(0.1)
    return rates[0], logged[0].rate, rates[1]


def purged_a_second(client, address, seconds):
    begun, before = time.perf_counter(), client.get(address)["entity"]["records_count"]
    while True:
        time.sleep(0.05)
        now, entity = time.perf_counter(), client.get(address)["entity"]
        if entity["state"] == "finished" or now - begun > seconds:
            return (entity["records_count"] - before) / (now - begun)


def grow(folder, watched, total):
    begun = time.perf_counter()
    subprocess.run([program("fill_records"), folder / "data" / "explaind.db", watched.data_set_id, str(total)], check=True)
    os.sync()   # else commits wait for what the filling wrote
    size = (folder / "data" / "explaind.db").stat().st_size
    return time.perf_counter() - begun, size


def measure_size(table, folder, watched, total, task_id, log, seconds):
    name = f"{total:,} records"
    _, size = grow(folder, watched, total)
    starts = []
    for _ in range(3):
        daemon, took = started(folder)
        starts.append(took)
        daemon.stop()
    daemon, took = started(folder)
    watched.client = Client(daemon.url, watched.client.instance)
    table.add(f"{name}: start until ready", median([*starts, took]), "ms", "", "", f"{size / 2**30:.2f} GiB on disk")
    for what, took in lists(watched, watched.count()).items():
        table.add(f"{name}: {what}", took, "ms")
    url = f"{watched.client.base}/v2/explanation_tasks/{task_id}"
    polled = [loads.run(url, 8, seconds).check() for _ in range(3)]
    table.add(f"{name}: GET of a finished explanation", median(load.rate for load in polled), "/s", "", "",
              f"p99 {median(load.p99_ms for load in polled):.2f} ms")
    logged = [log(watched, f"{total}x{i}", seconds) for i in range(3)]
    table.add(f"{name}: durable records, one a request", median(load.rate for load in logged), "/s", "", "",
              f"p99 {median(load.p99_ms for load in logged):.1f} ms at 64 connections")
    if total > 2 * PURGED:
        alone = median(load.rate for load in logged)
        beside, logging, by_itself = purge(watched, 2 * seconds, lambda s: log(watched, f"{total}p", s))
        table.add(f"{name}: purge while others log", beside, "/s", "", "",
                  f"logging goes on with {logging / alone:.0%} of its rate")
        table.add(f"{name}: purge", by_itself, "/s")
    daemon.stop()


def measure_growth(table, folder, sizes, quick, log_for_a_while):
    """`log_for_a_while`: as the section `logging` logs."""
    stub = StubModel(folder, "constant")
    daemon, _ = started(folder)
    watched = Watched(Client(daemon.url), stub, parameters={})
    small = np.zeros((4, 4, 1), int)
    task_id, _ = watched.explained(np.arange(90 * 90 * 3).reshape(90, 90, 3).tolist())
    watched.log(small.tolist(), scoring_timestamp="2020-01-01T00:00:00Z")
    daemon.stop()
    for total in sizes:
        measure_size(table, folder, watched, total, task_id,
                     lambda one, prefix, seconds: log_for_a_while(one, small, prefix, folder, seconds), 1 if quick else 3)
    stub.stop()
