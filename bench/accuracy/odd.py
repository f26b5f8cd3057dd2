# SPDX-License-Identifier: Apache-2.0
"""Functions of twelve zones that are no pictures: what the engine says of each, by mode; random modes with seeds 0 to 39.

Prints a table; needs the release build.
"""
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from lime_limit import true_weights  # noqa: E402
from study import SIGNS, run  # noqa: E402

D, SEEDS = 12, 40
ZONES = np.arange(1 << D)[:, None] >> np.arange(D) & 1
FUNCTIONS = {
    "linear": 0.3 + ZONES @ np.linspace(-0.05, 0.06, D),
    "one zone only": 0.2 + 0.6 * ZONES[:, 3],
    "constant": np.full(1 << D, 0.7),
    "linear with 1 % noise": 0.3 + ZONES @ np.linspace(-0.05, 0.06, D) + 0.01 * np.random.default_rng(0).normal(size=1 << D),
    "saturated": (ZONES.sum(axis=1) > 3).astype(float),
    "AND of six": 0.1 + 0.8 * ZONES[:, :6].all(axis=1),
    "parity of six": 0.1 + 0.8 * (ZONES[:, :6].sum(axis=1) % 2),
}


def main():
    print("| function | mode | calls | verdict | error, longest | wrong signs | covered |\n| --- | --- | --- | --- | --- | --- | --- |")
    for name, scores in FUNCTIONS.items():
        table = SimpleNamespace(d=D, scores=np.c_[scores, 1 - scores])
        for mode, questions in {"auto": [["auto"]], "adaptive": [["adaptive", "512", str(seed)] for seed in range(SEEDS)]}.items():
            said = [next(iter(run(question, [table]))) for question in questions]
            truths = [true_weights(table.scores[:, one["class"]], D) for one in said]
            errors = [np.linalg.norm(one["weights"] - true) for one, true in zip(said, truths)]
            size = max(np.linalg.norm(truths[0]), 1e-12)
            wrong = sum(SIGNS[word] * weight < 0 for one, true in zip(said, truths)
                        for word, weight in zip(one["decisions"], true) if word in SIGNS)
            covered = np.mean([(true >= one["low"] - 1e-12) & (true <= one["high"] + 1e-12) for one, true in zip(said, truths)])
            calls, verdicts = [one["calls"] for one in said], sorted({one["verdict"] for one in said})
            print(f"| {name} | {mode} | {np.median(calls):.0f} | {', '.join(verdicts)} | {max(errors) / size:.4f} "
                  f"of {size:.3f} | {wrong} | {covered:.3f} |", flush=True)


if __name__ == "__main__":
    main()
