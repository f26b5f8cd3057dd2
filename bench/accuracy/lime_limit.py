# SPDX-License-Identifier: Apache-2.0
"""What lime estimates, and what it gets from a number of samples: its formulas on a table of all masks."""
from functools import lru_cache

import numpy as np


def rows_of(masks, d):
    return np.c_[np.ones(len(masks)), masks[:, None] >> np.arange(d) & 1].astype(float)


def kernel(rows):
    d = rows.shape[1] - 1
    return np.exp(-(1 - np.sqrt(rows[:, 1:].sum(axis=1) / d)) ** 2 / 0.125)


def least_squares(masks, scores, d, ridge=0.0, repeats=1.0):
    rows = rows_of(masks, d)
    weights = kernel(rows) * repeats
    gram = (rows * weights[:, None]).T @ rows
    gram[np.arange(1, d + 1), np.arange(1, d + 1)] += ridge
    return np.linalg.solve(gram, (rows * weights[:, None]).T @ scores)[1:]


@lru_cache(None)
def operator(d):
    rows = rows_of(np.arange(1 << d), d)
    weights = kernel(rows)
    return np.linalg.solve((rows * weights[:, None]).T @ rows, (rows * weights[:, None]).T)[1:]


def true_weights(scores, d):
    return operator(d) @ scores


def lime(scores, d, samples, seed):
    """As the lime package: all on, then fair coins, ridge with penalty 1."""
    masks = np.random.default_rng(seed).integers(0, 1 << d, samples)
    masks[0] = (1 << d) - 1
    distinct, repeats = np.unique(masks, return_counts=True)
    return least_squares(distinct, scores[distinct], d, 1.0, repeats)


def relative_error(weights, truth):
    return float(np.linalg.norm(weights - truth) / np.linalg.norm(truth))


def lime_error(scores, d, samples, seeds):
    """Root mean square over seeds."""
    truth = true_weights(scores, d)
    return float(np.sqrt(np.mean([relative_error(lime(scores, d, samples, s), truth) ** 2 for s in range(seeds)])))
