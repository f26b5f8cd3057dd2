# SPDX-License-Identifier: Apache-2.0
"""The same photos, the same model, the same HTTP endpoint: explaind beside lime, shap and captum.

Every method gets explaind's superpixels and the mean as fill, so that they answer the same question; the truth of either
question is known from all masks. Prints a table as Markdown and draws error and seconds against calls. Run it with
scripts/bench --peers.
"""
import argparse
import itertools
import json
import math
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime
import requests

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench" / "accuracy")]
os.environ.setdefault("EXPLAIND_BUILD", str(ROOT / "build" / "release"))

import pictures  # noqa: E402
import tables  # noqa: E402
from lime_limit import relative_error, true_weights  # noqa: E402
from support import client as waiting  # noqa: E402
from support.client import Client, Watched  # noqa: E402
from support.images import labels as label_map  # noqa: E402
from support.processes import Daemon, ModelServer  # noqa: E402

waiting.FINISH_SECONDS = 900     # 1000-class models on a busy machine
DEADLINE = {"deadline_ms": 900_000}
ZONES, BATCH = 11, 10    # 10: what lime sends at a time
# model: pictures, seeds
PLAN = {"digits": (3, 3), "efficientnet_lite0_128": (2, 2)}


class Endpoint:
    """The model as a function of a batch of images; counts what it is asked."""

    def __init__(self, url):
        self.url, self.session, self.calls = url, requests.Session(), 0

    def __call__(self, images):
        found = []
        for first in range(0, len(images), BATCH):
            part = np.asarray(images[first:first + BATCH]).round().astype(int)
            self.calls += len(part)
            answer = self.session.post(self.url, json={"input_data": [{"values": part.tolist()}]}, timeout=60).json()
            fields, values = (answer["predictions"][0][name] for name in ("fields", "values"))
            at = fields.index("probability")
            found.extend(row[at] for row in values)
        return np.array(found)


@dataclass
class Case:
    """A photo, its superpixels, and what is true of its most probable class."""
    image: np.ndarray
    zones: np.ndarray
    fill: np.ndarray
    label: int
    scores: np.ndarray          # of all masks, by mask
    truth: np.ndarray = None    # what lime estimates
    shapley: np.ndarray = None

    @property
    def d(self):
        return int(self.zones.max()) + 1

    def pictures(self, masks):
        """Images of rows of 0 and 1."""
        shown = np.asarray(masks, bool)[:, self.zones]
        return np.where(shown[..., None], self.image, self.fill)


def shapley_values(scores, d):
    values = np.zeros(d)
    for mask in range(2 ** d):
        size = mask.bit_count()
        for j in range(d):
            if mask >> j & 1:
                values[j] += (scores[mask] - scores[mask ^ 1 << j]) / (d * math.comb(d - 1, size - 1))
    return values


def make_case(watched, session, picture):
    """The truth is read from the model itself, without HTTP."""
    image = picture.pixels
    task_id, _ = watched.explained(image.tolist(), segmentation={"max_segments": ZONES}, budget=512, **DEADLINE)
    entity = watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]
    zones = label_map(entity["segmentation"], *image.shape[:2])
    d = entity["segmentation"]["count"]
    case = Case(image.astype(float), zones, tables.hidden(image, zones, d, "mean").astype(float),
                int(entity["classes"][0]["value"]), None)
    case.scores = tables.score_all(session, picture, zones, d, "mean")[:, 0]
    case.truth, case.shapley = true_weights(case.scores, d), shapley_values(case.scores, d)
    return case


def cases_of(model, watched, n):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(tables.MODELS / f"{model}.onnx"), options)
    chosen = [picture for picture in tables.pictures(False) if picture.model == model]
    return [make_case(watched, session, picture) for picture in chosen[::max(1, len(chosen) // n)][:n]]


# ---- the methods: each takes a case and a seed, and gives weights ----

def explaind(watched, parameters, replay=False):
    def explain(case, endpoint, seed):
        wanted = {"segmentation": {"max_segments": ZONES}, "classes": [str(case.label)], "seed": seed, **DEADLINE,
                  **parameters}
        task_id, _ = watched.explained(case.image.astype(int).tolist(), **wanted)
        path = f"/v2/explanation_tasks/{task_id}"
        entity = watched.client.get(f"{path}/attributions")["entity"]
        endpoint.calls += entity["model"]["images"]
        if replay:
            entity = watched.client.post(f"{path}/replay", {"estimator": "shap", "classes": [str(case.label)]}, 200)["entity"]
        return np.array(entity["classes"][0]["weights"])
    return explain


def lime(samples):
    from lime.lime_image import LimeImageExplainer

    def explain(case, endpoint, seed):
        channels = case.image.shape[2]      # lime knows three only
        found = LimeImageExplainer(random_state=seed).explain_instance(
            np.broadcast_to(case.image, (*case.zones.shape, 3)).copy(), lambda images: endpoint(images[..., :channels]),
            labels=(case.label,), top_labels=None, num_samples=samples, num_features=case.d,
            segmentation_fn=lambda image: case.zones, batch_size=BATCH, random_seed=seed)
        return np.array([dict(found.local_exp[case.label])[zone] for zone in range(case.d)])
    return explain


def shap_kernel(samples):
    import shap

    def explain(case, endpoint, seed):
        np.random.seed(seed)
        f = lambda masks: endpoint(case.pictures(masks))[:, case.label]  # noqa: E731
        found = shap.KernelExplainer(f, np.zeros((1, case.d))).shap_values(np.ones((1, case.d)), nsamples=samples,
                                                                          silent=True)
        return np.asarray(found).ravel()
    return explain


def shap_partition(evaluations):
    import shap

    def explain(case, endpoint, seed):
        np.random.seed(seed)
        f = lambda masks: endpoint(case.pictures(masks))[:, case.label]  # noqa: E731
        centres = np.array([np.argwhere(case.zones == zone).mean(axis=0) for zone in range(case.d)])
        from scipy.cluster.hierarchy import linkage
        masker = shap.maskers.Partition(np.zeros((1, case.d)), clustering=linkage(centres, "complete"))
        found = shap.PartitionExplainer(f, masker)(np.ones((1, case.d)), max_evals=evaluations, silent=True)
        return found.values.ravel()
    return explain


def captum_method(name, samples):
    import captum.attr
    import torch

    def explain(case, endpoint, seed):
        torch.manual_seed(seed)
        np.random.seed(seed)
        zones = torch.tensor(case.zones)[None, ..., None]
        forward = lambda images: torch.tensor(endpoint(images.numpy())[:, case.label])  # noqa: E731
        found = getattr(captum.attr, name)(forward).attribute(
            torch.tensor(case.image)[None], baselines=torch.tensor(case.fill)[None], feature_mask=zones,
            n_samples=samples, perturbations_per_eval=BATCH, return_input_shape=False)
        return found.numpy().ravel()
    return explain


def methods(watched, quick):
    yield "explaind", "lime", explaind(watched, {})
    yield "explaind, 256 calls", "lime", explaind(watched, {"budget": 256})
    yield "explaind, adaptive", "lime", explaind(watched, {"design": "adaptive"})
    yield "explaind, Shapley values by replay", "shapley", explaind(watched, {}, replay=True)
    yield "lime, 1000 samples", "lime", lime(1000)
    if not quick:
        yield "lime, 5000 samples", "lime", lime(5000)
    yield "shap KernelExplainer, 1000", "shapley", shap_kernel(1000)
    yield "shap PartitionExplainer, 500", "shapley", shap_partition(500)
    try:
        yield "captum KernelShap, 1000", "shapley", captum_method("KernelShap", 1000)
        yield "captum Lime, 1000", None, captum_method("Lime", 1000)
    except ImportError as missing:
        print(f"captum is left out: {missing}", file=sys.stderr)


@dataclass
class Row:
    name: str
    question: str
    seconds: list = field(default_factory=list)
    calls: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    overlaps: list = field(default_factory=list)


def top(weights):
    return set(np.argsort(-np.abs(weights))[:5].tolist())


def measure(name, question, explain, cases, endpoint, seeds):
    row = Row(name, question)
    for case in cases:
        tops = []
        for seed in range(seeds):
            endpoint.calls, started = 0, time.perf_counter()
            weights = explain(case, endpoint, seed)
            row.seconds.append(time.perf_counter() - started)
            row.calls.append(endpoint.calls)
            if question:
                row.errors.append(relative_error(weights, case.truth if question == "lime" else case.shapley))
            tops.append(top(weights))
        row.overlaps.extend(len(a & b) / len(a | b) for a, b in itertools.combinations(tops, 2))
    print(f"  {name}: {np.mean(row.seconds):.1f} s, {np.mean(row.calls):.0f} calls", file=sys.stderr, flush=True)
    return row


def line(row):
    error = f"{np.mean(row.errors):.3f}" if row.errors else "another question"
    return (f"| {row.name} | {row.question or ''} | {np.mean(row.calls):.0f} | {np.mean(row.seconds):.1f} | {error} "
            f"| {np.mean(row.overlaps):.2f} |")


def draw(rows, path):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4.2))
    for axis, what, label in ((axes[0], "errors", "error, share of the truth"), (axes[1], "seconds", "seconds")):
        for row in rows:
            values = getattr(row, what)
            if not values:
                continue
            ours = row.name.startswith("explaind")
            axis.scatter(np.mean(row.calls), np.mean(values), s=60, color="#2b57ba" if ours else "#e66101",
                         marker="o" if row.question == "lime" else "s" if row.question else "^")
            axis.annotate(row.name, (np.mean(row.calls), np.mean(values)), fontsize=7, xytext=(5, 4),
                          textcoords="offset points")
        axis.set(xscale="log", yscale="log", xlabel="model calls", ylabel=label)
        axis.grid(alpha=0.3)
    figure.suptitle("circles: LIME's weights, squares: Shapley values", fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def start(folder, model):
    """The model server and the daemon that watches it; what ends both."""
    server, daemon = ModelServer(folder, tables.MODELS / f"{model}.onnx"), Daemon(folder)
    watched = Watched(Client(daemon.url), server, parameters={}, problem_type="multiclass")

    def stop():
        daemon.stop()
        server.stop()
    return watched, Endpoint(watched.scoring_url), stop


def measure_model(model, quick):
    n, seeds = (1, 2) if quick else PLAN[model]
    with tempfile.TemporaryDirectory(prefix="explaind-peers-") as folder:
        watched, endpoint, stop = start(Path(folder), model)
        cases = cases_of(model, watched, n)
        print(f"{model}: {len(cases)} pictures of {', '.join(str(case.d) for case in cases)} superpixels, {seeds} seeds",
              file=sys.stderr, flush=True)
        rows = [measure(*method, cases, endpoint, seeds) for method in methods(watched, quick)]
        stop()
    return rows


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench --peers", description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="*", default=list(PLAN), metavar="MODEL", help=f"of: {', '.join(PLAN)} (all)")
    parser.add_argument("--quick", action="store_true", help="one picture, two seeds, no 5000 samples")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "peers.json")
    parser.add_argument("--picture", type=Path, default=ROOT / "build" / "peers.png", help="of the last model")
    parser.add_argument("--pictures", type=Path, metavar="FILE",
                        help="only draw what each of them shows for some photos, in its own way")
    arguments = parser.parse_args()
    if arguments.pictures:
        pictures.main(arguments.pictures, ("chelsea.png", "coffee.png"), "efficientnet_lite0_128", start)
        return
    found = {}
    for model in arguments.models:
        found[model] = rows = measure_model(model, arguments.quick)
        print(f"\n**{model}**\n\n| method | estimates | calls | seconds | error | top 5 of two seeds agree |\n"
              "| --- | --- | --- | --- | --- | --- |")
        print("\n".join(map(line, rows)), flush=True)
        draw(rows, arguments.picture)
    arguments.json.write_text(json.dumps({model: [vars(row) for row in rows] for model, rows in found.items()}, indent=1))
    print(f"\nfigures in {arguments.json}, picture in {arguments.picture}", file=sys.stderr)


if __name__ == "__main__":
    main()
