# SPDX-License-Identifier: Apache-2.0
"""Sparse Walsh models in place of the surrogate, or beside it: does that bring the weights nearer to the truth?

A lasso over all products of the signs of up to three zones, in logits, its penalty chosen on held-out rows; its weights
are those of the function it makes of all masks. Prints, for 256, 512 and 1024 masks of the code, the geometric mean of
the error over LIME@5000's: of the program's own estimate; of the lasso; of the lasso corrected by what it gets wrong of
rows that it did not see, as the program corrects its surrogate; and of the mean of that and the program's.
"""
import itertools
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.linear_model import Lasso, LassoCV
from sklearn.model_selection import cross_val_predict

sys.path.insert(0, str(Path(__file__).parent))
from lime_limit import least_squares, lime_error, relative_error, true_weights  # noqa: E402
from study import run  # noqa: E402
from tables import ROOT, tables  # noqa: E402

SIZES = (256, 512, 1024)
ORDER = 3
CLIP = 1e-4


def masks_of(d, n):
    tool = next(path for path in (ROOT / "build/release").rglob("engine_tool") if path.is_file())
    printed = subprocess.run([tool, "masks", "array", str(d), str(n)], capture_output=True, text=True, check=True).stdout
    return np.array([int(line.split()[0], 16) for line in printed.splitlines() if not line.startswith("stage")])


def characters(d):
    """All masks, and the products of signs of one to ORDER zones."""
    signs = 2.0 * (np.arange(1 << d)[:, None] >> np.arange(d) & 1) - 1
    sets = [s for order in range(1, ORDER + 1) for s in itertools.combinations(range(d), order)]
    return np.stack([signs[:, s].prod(axis=1) for s in sets], axis=1)


def logit(p):
    p = np.clip(p, CLIP, 1 - CLIP)
    return np.log(p / (1 - p))


def lasso(features, rows, scores):
    """Its prediction of all masks, and of rows that it did not see."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = LassoCV(cv=5, alphas=30, max_iter=3000).fit(features[rows], logit(scores[rows]))
        unseen = cross_val_predict(Lasso(alpha=model.alpha_, max_iter=3000), features[rows], logit(scores[rows]), cv=4)
    return 1 / (1 + np.exp(-model.predict(features))), 1 / (1 + np.exp(-unseen))


def main():
    chosen = [t for t in tables(False) if t.picture.model != "digits" and t.d == 12 and len(t.scores)]
    features, found = characters(12), {}
    for size in SIZES:
        rows = masks_of(12, size)
        for table, said in zip(chosen, run(["array", str(size)], chosen)):
            scores = table.scores[:, said["class"]]
            truth, lime = true_weights(scores, 12), lime_error(scores, 12, 5000, 3)
            guess, unseen = lasso(features, rows, scores)
            ours, sparse = said["weights"], true_weights(guess, 12)
            corrected = sparse + least_squares(rows, scores[rows] - unseen, 12)
            q2 = 1 - np.mean((unseen - scores[rows]) ** 2) / np.var(scores[rows])
            held = "tuned on" if table.picture.photos == "tuned on" else table.picture.model
            errors = [relative_error(w, truth) / lime for w in (ours, sparse, corrected, (ours + corrected) / 2)]
            found.setdefault((size, held), []).append([*errors, said["surrogate_q2"], q2])
    print("| masks, photos | cases | the program | lasso | corrected | the mean of both | Q2 of the surrogate | of the lasso |\n"
          "| --- | --- | --- | --- | --- | --- | --- | --- |")
    for (size, held), rows in found.items():
        rows = np.array(rows)
        means = np.exp(np.log(rows[:, :4]).mean(axis=0))
        print(f"| {size}, {held} | {len(rows)} | " + " | ".join(f"{x:.3f}" for x in [*means, *rows[:, 4:].mean(axis=0)]) + " |")


if __name__ == "__main__":
    main()
