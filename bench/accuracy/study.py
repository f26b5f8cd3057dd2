# SPDX-License-Identifier: Apache-2.0
"""How near the engine comes to the weights it estimates, how many calls that takes, and whether its intervals hold.

Every picture's model is a table of all its masks (tables.py), so that the truth is known. Prints tables as Markdown and
writes them with all cases as JSON. Run it with scripts/bench --accuracy.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean, median

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from lime_limit import lime_error, relative_error, true_weights  # noqa: E402
from tables import ROOT, tables  # noqa: E402

# what the engine is asked; random modes with several seeds
MODES = {"auto": [["auto"]], "auto, 256 calls": [["auto", "256"]], "array, 512": [["array", "512"]],
         "adaptive, seeds 0-4": [["adaptive", "512", str(seed)] for seed in range(5)],
         "reference, 1000, seeds 0-4": [["reference", "1000", str(seed)] for seed in range(5)]}
SIGNS = {"positive": 1, "negative": -1}


def as_text(table_list):
    parts = []
    for table in table_list:
        parts.append(f"{table.d} {table.scores.shape[1]}\n")
        parts.extend(" ".join(map(repr, row)) + "\n" for row in table.scores.tolist())
    return "".join(parts)


def run(question, table_list):
    """What the engine says of the most probable class of each table."""
    tool = next(path for path in (ROOT / "build/release").rglob("engine_tool") if path.is_file())
    printed = subprocess.run([tool, "explain", *question], input=as_text(table_list), capture_output=True, text=True,
                             check=True).stdout
    for block in printed.split("explanation ")[1:]:
        head, named, weights, low, high, decisions = [line.split() for line in block.strip().split("\n")[:6]]
        yield {"calls": int(head[0]), "class": int(named[1]), "verdict": named[2], "q2": float(named[3]),
               "surrogate_q2": float(named[4]), "weights": np.array(weights[1:], float),
               "low": np.array(low[1:], float), "high": np.array(high[1:], float), "decisions": decisions[1:]}


def judge(table, said, seeds):
    scores = table.scores[:, said["class"]]
    truth = true_weights(scores, table.d)
    signs = [(SIGNS[decision], true) for decision, true in zip(said["decisions"], truth) if decision in SIGNS]
    return {"case": table.name, "model": table.picture.model, "photos": table.picture.photos, "calls": said["calls"],
            "q2": said["q2"], "surrogate_q2": said["surrogate_q2"], "verdict": said["verdict"],
            "error": relative_error(said["weights"], truth),
            "lime_1000": lime_error(scores, table.d, 1000, seeds), "lime_5000": lime_error(scores, table.d, 5000, seeds),
            "covered": float(np.mean((truth >= said["low"] - 1e-12) & (truth <= said["high"] + 1e-12))),
            "signs": len(signs), "wrong_signs": sum(bool(sign * true < 0) for sign, true in signs)}


def line(name, cases):
    calls = [case["calls"] for case in cases]
    lost = sum(case["error"] > case["lime_5000"] for case in cases)
    return (f"| {name} | {len(cases)} | {median(calls):.0f} / {mean(calls):.0f} / {np.quantile(calls, 0.9):.0f} "
            f"| {median(case['error'] for case in cases):.4f} | {median(case['lime_1000'] for case in cases):.4f} / "
            f"{median(case['lime_5000'] for case in cases):.4f} | {lost} | {sum(c['wrong_signs'] for c in cases)} of "
            f"{sum(c['signs'] for c in cases)} | {mean(case['covered'] for case in cases):.3f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two photos and a few digits")
    parser.add_argument("--seeds", type=int, default=10, help="runs of lime's formulas per case (default 10)")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "accuracy.json")
    arguments = parser.parse_args()
    table_list = list(tables(arguments.quick, lambda text: print(text, file=sys.stderr, flush=True)))
    found = {mode: [judge(*pair, arguments.seeds) for question in questions
                    for pair in zip(table_list, run(question, table_list))] for mode, questions in MODES.items()}
    print("| mode, model, photos | cases | calls: median / mean / p90 | error | of LIME, 1000 / 5000 samples "
          "| worse than LIME@5000 | wrong signs | covered |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
    for mode, cases in found.items():
        for model in dict.fromkeys(case["model"] for case in cases):
            for photos in ("tuned on", "held out", "new"):
                chosen = [case for case in cases if case["model"] == model and case["photos"] == photos]
                if chosen:
                    print(line(f"{mode}, {model}, {photos}", chosen))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(found, indent=1))
    print(f"\nall cases in {arguments.json}", file=sys.stderr)


if __name__ == "__main__":
    main()
