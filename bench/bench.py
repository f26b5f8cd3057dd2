# SPDX-License-Identifier: Apache-2.0
"""Measures explaind, prints a table of targets and figures, and writes them as JSON. Run it with scripts/bench."""
import argparse
import io
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]
os.environ["EXPLAIND_BUILD"] = str(ROOT / "build" / "release")

import growth  # noqa: E402
import loads  # noqa: E402
import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from skimage import data, transform  # noqa: E402
from skimage.segmentation import felzenszwalb, quickshift, slic  # noqa: E402
from support.client import Client, Watched, wait_for  # noqa: E402
from support.paths import program  # noqa: E402
from support.processes import Daemon, Program, StubModel  # noqa: E402

COLUMNS = ("what", "figure", "unit", "target", "peer", "note")


class Table:
    """The figures, in the order they were measured."""

    def __init__(self):
        self.rows = []

    def add(self, what, figure, unit, target="", peer="", note=""):
        self.rows.append(dict(zip(COLUMNS, (what, figure, unit, target, peer, note))))
        print(f"  {what}: {figure:,.4g} {unit}", file=sys.stderr, flush=True)

    def print(self):
        texts = [[f"{row['figure']:,.4g} {row['unit']}" if c == "figure" else str(row[c]) for c in COLUMNS if c != "unit"]
                 for row in self.rows]
        heads = [c for c in COLUMNS if c != "unit"]
        widths = [max(len(line[i]) for line in [heads, *texts]) for i in range(len(heads))]
        for line in [heads, ["-" * width for width in widths], *texts]:
            print("| " + " | ".join(text.ljust(width) for text, width in zip(line, widths)) + " |")


def photo(side):
    """The middle of a photo, 8-bit."""
    cat = data.chelsea()
    cat = cat[:, (cat.shape[1] - cat.shape[0]) // 2:][:, :cat.shape[0]]
    return np.round(transform.resize(cat, (side, side), anti_aliasing=True) * 255).astype(int)


def as_text(image):
    return " ".join(map(str, [*image.shape, *image.ravel().tolist()]))


# ---- the engine, in the process ----

def engine(*arguments, image):
    done = subprocess.run([program("engine_bench"), *arguments], input=as_text(image), text=True, capture_output=True,
                          check=True)
    return [float(word) for word in done.stdout.split()]


def measure_segmentation(table, folder, quick):
    peers = {"quickshift": lambda image: quickshift(image, kernel_size=3, max_dist=200, ratio=0.2, rng=0),
             "slic": lambda image: slic(image, n_segments=16, compactness=10),
             "felzenszwalb": lambda image: felzenszwalb(image, scale=100, sigma=0.8, min_size=20)}
    targets = {("quickshift", 90): 1, ("quickshift", 125): 2, ("quickshift", 224): 6}
    for (name, peer), side in itertools.product(peers.items(), (90, 125, 224)):
        image = photo(side)
        theirs = growth.ms(lambda: peer(image / 255), 3 if quick else 7, time.process_time)
        [ours] = engine("segment", name, image=image)
        target = targets.get((name, side))
        table.add(f"{name}, {side}x{side}", ours, "ms", f"<= {target} ms" if target else "",
                  f"scikit-image {theirs:.1f} ms", f"{theirs / ours:.1f} x")


def measure_bodies(table, folder, quick):
    for kind, target in (("byte", 4), ("float", 12)):
        find, read, size = engine("read", kind, image=photo(90))
        table.add(f"find and read a logged image, 90x90x3 {kind}", (find + read) / 1000, "ms", "", "",
                  f"{size / find:.0f} MB/s to find it, {size / read:.0f} MB/s to read its numbers")
        microseconds, size, copied = engine("splice", kind, image=photo(90))
        table.add(f"one scoring body, 90x90x3 {kind}", microseconds, "us", f"<= {target} us",
                  f"copying as many bytes {copied:.1f} us", f"{size / microseconds / 1000:.1f} GB/s")


def measure_decoding(table, folder, quick):
    for side, form in itertools.product((28, 90, 224), ("PNG", "JPEG")):
        file = io.BytesIO()
        Image.fromarray(photo(side).astype(np.uint8)).save(file, form)
        done = subprocess.run([program("decode_bench"), program("explaind")], input=file.getvalue(),
                              capture_output=True, check=True)
        here, there = (float(word) for word in done.stdout.split())
        table.add(f"decode a {form} of {side}x{side}x3 in its own process", there / 1000, "ms", "",
                  f"{here / 1000:.3f} ms in the daemon's")


# ---- explanations ----

def cpu_ms(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def memory_mib(pid, name="VmRSS"):
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(name + ":"))
    return int(line.split()[1]) / 1024


def attributions(watched, image):
    [task_id] = watched.explain(*watched.log(image))
    assert wait_for(watched.client, task_id)["entity"]["status"]["state"] == "finished"
    return watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]


def measure_explanations(table, folder, quick):
    """The model answers at once, so that what is left is our own and the transport."""
    stub, daemon = StubModel(folder, "constant"), Daemon(folder)
    watched = Watched(Client(daemon.url), stub, parameters={})
    image = photo(90)
    runs = 10 if quick else 50
    for name, values, target in (("uint8", image, 10), ("float64 text", image / 255, 25)):
        attributions(watched, values.tolist())
        before = cpu_ms(daemon.process.pid)
        entities = [attributions(watched, values.tolist()) for _ in range(runs)]
        cpu = (cpu_ms(daemon.process.pid) - before) / runs
        calls = entities[0]["sampling"]["calls"]
        wall = median(entity["timing_ms"]["total"] for entity in entities)
        own = median(entity["timing_ms"]["total"] - entity["timing_ms"]["score"] for entity in entities)
        table.add(f"explanation, {calls} calls, 90x90 {name}", wall, "ms", f"<= {target} ms", "",
                  f"{own:.1f} ms outside of scoring, {cpu:.1f} ms CPU with logging, polling and reading")
    table.add("memory after these", memory_mib(daemon.process.pid), "MiB", "", "",
              f"peak {memory_mib(daemon.process.pid, 'VmHWM'):.0f} MiB")
    daemon.stop()
    stub.stop()


def measure_memory(table, folder, quick):
    """Eight deployments explained at the same time."""
    stub, daemon = StubModel(folder, "linear", "--image-ms", "1"), Daemon(folder, explain__workers=8)
    client = Client(daemon.url)
    watched = [Watched(client, stub, deployment_id=f"d{i}", parameters={}) for i in range(8)]
    scoring_ids = [one.log(photo(125).tolist())[0] for one in watched]
    tasks = [one.explain(scoring_id)[0] for one, scoring_id in zip(watched, scoring_ids)]
    for task_id in tasks:
        assert wait_for(client, task_id)["entity"]["status"]["state"] == "finished"
    table.add("memory, 8 explanations of 125x125 at a time", memory_mib(daemon.process.pid, "VmHWM"), "MiB",
              "<= 64 MiB", "", "peak")
    daemon.stop()
    stub.stop()


def measure_waiting(table, folder, quick):
    """A model that takes 5 ms an image: the wall time should be its own, shared by as many workers as it has.

    It does not read images: parsing them would take a millisecond each on the cores that the daemon needs.
    """
    for workers, batch in ((1, 0), (2, 0), (8, 0), (8, 1)):
        options = ["--image-ms", "5", "--workers", str(workers)] + (["--max-images", str(batch)] if batch else [])
        stub = StubModel(folder, "constant", *options)
        data_folder = folder / f"{workers}x{batch}"
        data_folder.mkdir()
        daemon = Daemon(data_folder)
        watched = Watched(Client(daemon.url), stub, parameters={})
        entities = [attributions(watched, photo(90).tolist()) for _ in range(3 if quick else 7)]
        wall, first = median(e["timing_ms"]["total"] for e in entities[1:]), entities[0]["timing_ms"]["total"]
        calls = entities[0]["sampling"]["calls"]
        ideal = calls * 5 / workers
        table.add(f"{calls} calls of 5 ms, {workers} workers{', one image a request' if batch else ''}", wall, "ms",
                  f"<= {1.02 * ideal:.0f} ms", "", f"{wall / ideal:.3f} x with {entities[-1]['model']['batch']} images a request, "
                  f"{entities[-1]['model']['in_flight']} in flight; the first explanation {first / ideal:.3f} x")
        daemon.stop()
        stub.stop()


# ---- reading and logging ----

class BareHttp(Program):
    def __init__(self, folder, file):
        super().__init__([program("bare_http"), file], "bare_http listening on", folder / "bare_http.log")


def measure_reading(table, folder, quick):
    stub, daemon = StubModel(folder, "linear"), Daemon(folder)
    watched = Watched(Client(daemon.url), stub, parameters={})
    task_id, _ = watched.explained(photo(90).tolist())
    url = f"{watched.client.base}/v2/explanation_tasks/{task_id}"
    body = watched.client.request("GET", f"/v2/explanation_tasks/{task_id}").content
    (folder / "body").write_bytes(body)
    bare = BareHttp(folder, folder / "body")
    rounds = [(loads.run(bare.url, 8, 2).check(), loads.run(url, 8, 2).check()) for _ in range(1 if quick else 5)]
    peer, ours = (median(load.rate for load in column) for column in zip(*rounds))
    table.add(f"GET of a finished explanation, {len(body) / 1024:.0f} KiB", ours, "/s", ">= 80 % of the peer",
              f"bare microhttpd {peer:,.0f} /s",
              f"{ours / peer:.0%}, p99 {median(mine.p99_ms for _, mine in rounds):.2f} ms, median of {len(rounds)} rounds")
    current = loads.run(url, 8, 2, headers=[f'If-None-Match: "{task_id}"']).check()
    table.add("the same, not modified (304)", current.rate, "/s", ">= 100,000 /s", "", f"p99 {current.p99_ms:.2f} ms")
    table.add("memory after that", memory_mib(daemon.process.pid), "MiB", "<= 64 MiB")
    bare.stop()
    daemon.stop()
    stub.stop()


def log_for_a_while(watched, image, prefix, folder, seconds, rows=1, connections=64):
    """Posts `rows` records a request; the first of them names itself, the daemon names the others."""
    named, nameless = watched.transaction(image.tolist(), scoring_id="@ID@"), watched.transaction(image.tolist())
    nameless.pop("scoring_id", None)
    named["request"] = {"id": "@ID@", **named["request"]}
    body = json.dumps([named] + [nameless] * (rows - 1), separators=(",", ":"))
    (folder / "record.json").write_text(body)
    url = f"{watched.client.base}{watched.records_path}"
    return loads.run(url, connections, seconds, script="post_records.lua", BENCH_BODY=str(folder / "record.json"),
                     BENCH_PREFIX=prefix).check(may_refuse=connections > 64)


def measure_logging(table, folder, quick):
    stub = StubModel(folder, "constant")
    small, large = np.zeros((4, 4, 1), int), photo(48)
    kib = len(str(large.tolist()).replace(" ", "")) // 1024
    cases = (("small rows", small, 1, 64, ""), ("small rows, 100 a request", small, 100, 64, ">= 50,000 /s"),
             (f"{kib} KiB images", large, 1, 64, ">= 8,000 /s"), (f"{kib} KiB images, 512 clients", large, 1, 512, ""))
    for name, image, rows, connections, target in cases:
        data_folder = folder / name.replace(" ", "_")
        data_folder.mkdir()
        daemon = Daemon(data_folder, http__connections=1024, http__connections_per_address=1024)
        watched = Watched(Client(daemon.url), stub)
        load = log_for_a_while(watched, image, "a", data_folder, 2 if quick else 5, rows, connections)
        memory = memory_mib(daemon.process.pid, "VmHWM")
        daemon.kill()
        daemon = Daemon(data_folder)
        watched.client = Client(daemon.url, watched.client.instance)
        acknowledged, kept = load.accepted * rows, watched.count()
        if kept < acknowledged:
            raise SystemExit(f"bench: {acknowledged} records were acknowledged, {kept} are there after a kill")
        table.add(f"durable records, {name}", load.rate * load.accepted / load.answered * rows, "/s", target, "",
                  f"p99 {load.p99_ms:.1f} ms at {connections} connections, {memory:.0f} MiB resident at most, {load.refused:,} answered 503; "
                  f"{acknowledged:,} acknowledged, {kept:,} there after kill -9")
        daemon.stop()
    stub.stop()


def measure_gateway(table, folder, quick):
    """Scoring through the daemon against scoring at the model, turn by turn."""
    stub, daemon = StubModel(folder, "constant"), Daemon(folder)
    watched = Watched(Client(daemon.url), stub)
    (folder / "request.json").write_text(json.dumps(watched.score(photo(48).tolist())[0], separators=(",", ":")))
    through = f"{watched.client.base}/v2/subscriptions/{watched.subscription_id}/predictions"
    for connections in (1, 8):
        rounds = [[loads.run(url, connections, 2, script="post_body.lua", BENCH_BODY=str(folder / "request.json")).check()
                   for url in (watched.scoring_url, through)] for _ in range(2 if quick else 7)]
        for what, percentile in (("median", "p50_ms"), ("p99", "p99_ms")):
            direct, ours = (median(getattr(load, percentile) for load in column) for column in zip(*rounds))
            table.add(f"a prediction through the gateway, {connections} connections, {what}", ours, "ms", "",
                      f"at the model {direct:.3f} ms", f"{ours - direct:.3f} ms more, median of {len(rounds)} rounds")
    daemon.stop()
    stub.stop()


def measure_start(table, folder, quick):
    started = time.perf_counter()
    daemon = Daemon(folder)
    first = (time.perf_counter() - started) * 1000
    table.add("memory when idle", memory_mib(daemon.process.pid), "MiB", "<= 32 MiB")
    daemon.stop()
    times = []
    for _ in range(5):
        started = time.perf_counter()
        daemon = Daemon(folder)
        times.append((time.perf_counter() - started) * 1000)
        daemon.stop()
    table.add("start until ready", median(times), "ms", "<= 50 ms", "", f"the first one, with new keys, {first:.0f} ms")


SECTIONS = {"segmentation": measure_segmentation, "bodies": measure_bodies, "decoding": measure_decoding,
            "explanations": measure_explanations, "memory": measure_memory, "waiting": measure_waiting,
            "reading": measure_reading, "logging": measure_logging, "gateway": measure_gateway,
            "start": measure_start}


def machine():
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.processor())
    return {"cpu": model, "cores": os.cpu_count(), "system": platform.platform()}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"which of: {', '.join(SECTIONS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer runs")
    parser.add_argument("--records", metavar="N,…", help="measure what so many stored records cost (10k,1M,10M: half an hour and"
                        " 12 GB in the temporary directory), instead of the sections")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json", help="where the figures go, too")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"there is no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    table = Table()
    if arguments.records:
        with tempfile.TemporaryDirectory(prefix="explaind-bench-") as folder:
            growth.measure_growth(table, Path(folder), [growth.number(n) for n in arguments.records.split(",")],
                                  arguments.quick, log_for_a_while)
    for name in () if arguments.records else arguments.sections or SECTIONS:
        with tempfile.TemporaryDirectory(prefix="explaind-bench-") as folder:
            SECTIONS[name](table, Path(folder), arguments.quick)
    table.print()
    arguments.json.write_text(json.dumps({"machine": machine(), "rows": table.rows}, indent=1) + "\n")
    print(f"\n{machine()['cpu']}, {machine()['cores']} cores; figures in {arguments.json}")


if __name__ == "__main__":
    main()
