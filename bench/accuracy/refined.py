# SPDX-License-Identifier: Apache-2.0
"""From coarse to fine (`refine`) against LIME with 5000 samples, on up to 60 superpixels of 224 x 224 pixels.

The error is that of the weights of the superpixels asked for: one that stayed part of a larger one has its share of the
larger one's weight, by area. The truth is the linear fit to the large sample of fine.py; of two halves of it with
independent errors a, b and of weights w the square of the error is estimated as (w - a)(w - b), which has none of the
truth's own error in it. Prints a table; needs the release build.
"""
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from fine import SEGMENTS, fine_pictures  # noqa: E402
from tables import ROOT  # noqa: E402

SAMPLES = 5000
SEEDS = 1


def weights_of(shown, scores, ridge=0.0):
    """As lime_limit.least_squares, of rows of bools."""
    rows = np.c_[np.ones(len(shown)), shown]
    kernel = np.exp(-(1 - np.sqrt(shown.mean(axis=1))) ** 2 / 0.125)
    gram = (rows * kernel[:, None]).T @ rows
    diagonal = np.arange(1, len(gram))
    gram[diagonal, diagonal] += ridge
    return np.linalg.solve(gram, (rows * kernel[:, None]).T @ scores)[1:]


def halves(case, without):
    """The weights of two halves of the pairs that are left."""
    left = np.setdiff1d(np.arange(len(case.scores) // 2), without)
    rows = [np.r_[2 * part, 2 * part + 1] for part in (left[0::2], left[1::2])]
    return [weights_of(case.shown[r], case.scores[r]) for r in rows]


def error(weights, truths):
    a, b = truths
    return float(np.sqrt(max((weights - a) @ (weights - b), 0) / (a @ b)))


def lime_error(case):
    """Root mean square over samples of one mask of each pair."""
    found = []
    for first in (0, len(case.scores) // 2 - SAMPLES):
        pairs = np.arange(first, first + SAMPLES)
        weights = weights_of(case.shown[2 * pairs], case.scores[2 * pairs], 1.0)
        found.append(error(weights, halves(case, pairs)))
    return float(np.sqrt(np.mean(np.square(found))))


def refined(case, seed):
    """What the engine says, asking the model as it goes on: calls, superpixels, weights and halves of intervals."""
    tool = next(path for path in (ROOT / "build/release").rglob("refine_tool") if path.is_file())
    talk = subprocess.Popen([tool, str(SEGMENTS), "0", str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    talk.stdin.write(" ".join(map(str, [*case.pixels.shape, *case.pixels.ravel().tolist()])) + "\n")
    talk.stdin.flush()
    while (line := talk.stdout.readline().split())[:1] == ["score"]:
        masks = np.array([int(talk.stdout.readline(), 16) for _ in range(int(line[1]))], dtype=np.uint64)
        shown = (masks[:, None] >> np.arange(case.d, dtype=np.uint64) & np.uint64(1)).astype(bool)
        talk.stdin.write("".join(f"{score!r}\n" for score in case.score(shown).tolist()))
        talk.stdin.flush()
    share, weight, low, high = np.array([talk.stdout.readline().split() for _ in range(case.d)], float).T
    talk.wait()
    return int(line[1]), int(line[2]), share * weight


def main():
    print("| model, photo | superpixels: asked, refined | LIME, 5000 samples | `refine` | calls |\n| --- | --- | --- | --- | --- |")
    for case in fine_pictures(lambda text: print(text, file=sys.stderr, flush=True)):
        truths = halves(case, [])
        runs = [refined(case, seed) for seed in range(SEEDS)]
        errors = ", ".join(f"{error(weights, truths):.3f}" for _, _, weights in runs)
        print(f"| {case.name}{'' if case.held else ' *'} | {case.d}, {runs[0][1]} | {lime_error(case):.3f} | {errors} "
              f"| {', '.join(str(run[0]) for run in runs)} |", flush=True)


if __name__ == "__main__":
    main()
