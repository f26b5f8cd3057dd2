#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job on real input: why does an image model see what it sees in a photo?

Starts the example model server (EfficientNet-lite0, 1000 classes) and explaind, logs one scored photo, asks for the
explanation, says the result in words and writes demo-output/. Run it with scripts/demo.
"""
import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import requests
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
DATA_MART = "00000000-0000-0000-0000-000000000000"
SIDE = 128
POLL_SECONDS = 0.1
READY_SECONDS = 60


class Program:
    """A server that says on stdout where it listens."""

    def __init__(self, name, command, log):
        self.name, self.log = name, log
        with open(log, "wb") as stderr:
            self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=stderr,
                                            text=True, start_new_session=True)
        self.url = self.wait()

    def wait(self):
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            line = self.process.stdout.readline()
            found = re.search(r"listening on (http://\S+)", line)
            if found:
                return found[1]
            if not line:
                break
        self.stop()
        raise SystemExit(f"{self.name} did not start:\n{Path(self.log).read_text()}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()


class Api:
    """The few calls of the OpenScale v2 API that the demo makes."""

    def __init__(self, url):
        self.base = f"{url}/openscale/{DATA_MART}/v2"

    def call(self, method, path, **arguments):
        answer = requests.request(method, self.base + path, timeout=60, **arguments)
        if answer.status_code >= 300:
            raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer

    def get(self, path, **params):
        return self.call("GET", path, params=params).json()

    def post(self, path, body):
        return self.call("POST", path, json=body).json()


def load_photo(path):
    """The middle of a photo, 128 x 128, as the integers 0-255 that the model takes."""
    if path:
        photo = Image.open(path).convert("RGB")
    else:
        from skimage import data
        photo = Image.fromarray(data.chelsea())
    side = min(photo.size)
    left, top = (photo.width - side) // 2, (photo.height - side) // 2
    return np.asarray(photo.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def score(model_url, photo):
    request = {"input_data": [{"values": [photo.tolist()]}]}
    url = f"{model_url}/ml/v4/deployments/example/predictions"
    answer = requests.post(url, params={"version": "2020-09-01"}, json=request, timeout=60)
    answer.raise_for_status()
    return request, answer.json(), answer.headers["X-Global-Transaction-Id"]


def subscribe(api, model_url):
    """Provider, subscription, explainability: what an operator does once."""
    provider = api.post("/service_providers", {"name": "example model server",
                                               "service_type": "custom_machine_learning",
                                               "credentials": {"url": model_url}})
    subscription = api.post("/subscriptions", {
        "data_mart_id": DATA_MART, "service_provider_id": provider["metadata"]["id"],
        "asset": {"asset_id": "efficientnet-lite0", "name": "EfficientNet-lite0", "asset_type": "model",
                  "problem_type": "multiclass", "input_data_type": "unstructured_image"},
        "deployment": {"deployment_id": "example", "name": "example", "deployment_type": "online",
                       "scoring_endpoint": {"url": f"{model_url}/ml/v4/deployments/example/predictions"}},
        "asset_properties": {"probability_fields": ["probability"]}})
    subscription_id = subscription["metadata"]["id"]
    api.post("/monitor_instances", {"data_mart_id": DATA_MART, "monitor_definition_id": "explainability",
                                    "target": {"target_type": "subscription", "target_id": subscription_id},
                                    "parameters": {"enabled": True}})
    sets = api.get("/data_sets", **{"target.target_id": subscription_id, "type": "payload_logging"})
    return subscription_id, sets["data_sets"][0]["metadata"]["id"]


def show_progress(progress, shown={}):
    """A bar on a terminal, else a line whenever another tenth is done."""
    width = 40
    if not sys.stderr.isatty():
        step = (progress["total"], 10 * progress["done"] // max(progress["total"], 1))
        if step != shown.get("step"):
            print(f"  {progress['phase']} {progress['done']}/{progress['total']}", file=sys.stderr)
        shown["step"] = step
        return
    total = max(progress["total"], 1)
    filled = min(width, width * progress["done"] // total)
    eta = progress.get("eta_ms")
    left = f"{eta / 1000:4.0f} s left" if eta is not None else ""
    sys.stderr.write(f"\r  {progress['phase']:<10} [{'#' * filled}{'.' * (width - filled)}] "
                     f"{progress['done']:5d}/{progress['total']:<5d} {left}   ")
    sys.stderr.flush()


def wait_for(api, task_id):
    while True:
        answer = api.get(f"/explanation_tasks/{task_id}")
        status = answer["entity"]["status"]
        if status["state"] != "in_progress":
            if sys.stderr.isatty():
                sys.stderr.write("\r" + " " * 90 + "\r")
            return answer
        show_progress(status["progress"])
        time.sleep(POLL_SECONDS)


def where(segment, image):
    """A segment's place in words."""
    row, column = segment["centroid"]
    vertical = ["top", "middle", "bottom"][min(2, int(3 * row / image["height"]))]
    horizontal = ["left", "centre", "right"][min(2, int(3 * column / image["width"]))]
    return "centre" if (vertical, horizontal) == ("middle", "centre") else f"{vertical} {horizontal}"


def zones(class_, decision, entity):
    chosen = [j for j, d in enumerate(class_["decisions"]) if d == decision]
    chosen.sort(key=lambda j: -abs(class_["weights"][j]))
    segments = entity["segmentation"]["segments"]
    return [f"{where(segments[j], entity['image'])} ({class_['weights'][j]:+.3f})" for j in chosen]


def say(entity, labels):
    sampling, timing, model = entity["sampling"], entity["timing_ms"], entity["model"]
    for class_ in entity["classes"]:
        name = labels[int(class_["value"])]
        print(f"\n  {name}: {class_['probability']:.1%}")
        print(f"    for it:      {', '.join(zones(class_, 'positive', entity)) or 'no zone for certain'}")
        print(f"    against it:  {', '.join(zones(class_, 'negative', entity)) or 'no zone for certain'}")
        undecided = class_["decisions"].count("open")
        if undecided:
            counted = "1 zone, its interval includes" if undecided == 1 else f"{undecided} zones, their intervals include"
            print(f"    open:        {counted} 0")
        print(f"    verdict:     {class_['verdict']['level']}: {class_['verdict']['reason']}")
    print(f"\n  {entity['segmentation']['count']} zones, {sampling['calls']} model calls ({sampling['design']}, "
          f"{sampling['stopped']}), {timing['total'] / 1000:.1f} s in all; explaind's own part "
          f"{timing['total'] - timing['score']:.0f} ms, {model['bytes_sent'] / 1e6:.0f} MB sent to the model")
    for warning in entity["warnings"]:
        print(f"  note: {warning}")


def write_output(api, task_id, request, answer, attributions, folder):
    folder.mkdir(exist_ok=True)
    sheet = api.call("GET", f"/explanation_tasks/{task_id}/image", params={"pane": "sheet"}).content
    (folder / "explanation.png").write_bytes(sheet)
    (folder / "request.json").write_text(json.dumps(request))
    (folder / "explanation.json").write_text(json.dumps(answer, indent=1))
    (folder / "attributions.json").write_text(json.dumps(attributions, indent=1))
    print(f"\n  {folder.name}/explanation.png (original | positive | negative), explanation.json, attributions.json,"
          f" request.json (what the model was asked)")


def explain(daemon_url, model_url, photo, labels, output):
    api = Api(daemon_url)
    subscription_id, data_set_id = subscribe(api, model_url)
    request, response, transaction_id = score(model_url, photo)
    print(f"  the model scored the photo; transaction {transaction_id}")
    logged = api.post(f"/data_sets/{data_set_id}/records",
                      [{"request": request, "response": response, "scoring_id": transaction_id}])
    scoring_id = logged["scoring_ids"][0]
    task = api.post("/explanation_tasks", {"scoring_ids": [scoring_id], "subscription_id": subscription_id})
    task_id = task["metadata"]["explanation_task_ids"][0]
    answer = wait_for(api, task_id)
    if answer["entity"]["status"]["state"] != "finished":
        raise SystemExit(f"the explanation failed: {answer['entity']['errors'][0]['error']['message']}")
    attributions = api.get(f"/explanation_tasks/{task_id}/attributions")
    say(attributions["entity"], labels)
    write_output(api, task_id, request, answer, attributions, output)
    return api, task_id, transaction_id


def how_to_go_on(api, task_id, transaction_id, programs, data):
    print(f"""
Both still run. Go on with curl:
  curl -s {api.base}/transactions/{transaction_id}
  curl -s {api.base}/transactions/{transaction_id}/explanations | head -c 400
  curl -s {api.base}/explanation_tasks/{task_id}/attributions
  curl -s '{api.base}/explanation_tasks/{task_id}/image?pane=positive' -o positive.png
Stop them with: kill {' '.join(str(p.process.pid) for p in programs)} (data in {data})""")


def main():
    parser = argparse.ArgumentParser(prog="scripts/demo", description="Explains why a real model sees what it sees in a photo.")
    parser.add_argument("--image", type=Path, help="a photo of your own (default: the cat that comes with scikit-image)")
    parser.add_argument("--keep", action="store_true", help="leave both servers running and say how to go on with curl")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    models = ROOT / ".cache" / "models"
    labels = (models / "imagenet_labels.txt").read_text().splitlines()
    photo = load_photo(arguments.image)
    data = Path(tempfile.mkdtemp(prefix="explaind-demo-"))
    programs = []
    keep = False
    try:
        programs.append(Program("the model server", [sys.executable, ROOT / "examples/model-server/server.py", "--model",
                                                     models / "efficientnet_lite0_128.onnx", "--port", "0"],
                                data / "model-server.log"))
        programs.append(Program("explaind", [arguments.build / "explaind", "serve", "--listen", "http://127.0.0.1:0",
                                             "--data", data / "data", "--no-auth"], data / "explaind.log"))
        print(f"  model server {programs[0].url}, explaind {programs[1].url}")
        done = explain(programs[1].url, programs[0].url, photo, labels, ROOT / "demo-output")
        keep = arguments.keep
        if keep:
            how_to_go_on(*done, programs, data)
    finally:
        if not keep:
            for program in reversed(programs):
                program.stop()
            shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
