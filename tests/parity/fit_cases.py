# SPDX-License-Identifier: Apache-2.0
"""Regressions as text (tests/tools/fit_case.h) and what numpy says about them."""
import itertools

import numpy as np


def bits(masks, d):
    """Masks as rows of zeros and ones, superpixel 0 first."""
    return ((np.asarray(masks)[:, None] >> np.arange(d)) & 1).astype(float)


def kernel(rows):
    """lime's image kernel: cosine distance to all ones, width 0.25."""
    share = rows.sum(axis=1) / rows.shape[1]
    return np.exp(-((1 - np.sqrt(share)) ** 2) / 0.125)


def nordstrom_robinson():
    """The 256 words of 16 bits, as rows, from the octacode over Z4."""
    generator = np.array([[3, 3, 2, 3, 1, 0, 0, 0], [3, 0, 3, 2, 3, 1, 0, 0],
                          [3, 0, 0, 3, 2, 3, 1, 0], [3, 0, 0, 0, 3, 2, 3, 1]])
    gray = np.array([[0, 0], [0, 1], [1, 1], [1, 0]])
    words = np.array(list(itertools.product(range(4), repeat=4))) @ generator % 4
    return gray[words].reshape(256, 16)


def additive_and_pairs(masks, d, seed):
    """A score that is nearly but not quite additive, inside (0, 1)."""
    random = np.random.RandomState(seed)
    rows = bits(masks, d)
    logit = rows @ random.normal(size=d) - 0.5
    for a, b in itertools.combinations(range(d), 2):
        if random.uniform() < 0.2:
            logit += random.normal() * rows[:, a] * rows[:, b]
    return 1 / (1 + np.exp(-logit))


def expected(masks, repeats, scores, d, ridge):
    """Coefficients, R2, Q2 and standard errors straight from their definitions."""
    rows = bits(masks, d)
    x = np.hstack([np.ones((len(rows), 1)), rows])
    w, m = kernel(rows), np.asarray(repeats, float)
    penalty = ridge * np.diag([0.0] + [1.0] * d)
    inverse = np.linalg.inv(x.T @ (x * (w * m)[:, None]) + penalty)
    coefficients = inverse @ (x.T @ (w * m * scores))
    leverage = w * np.einsum("ij,jk,ik->i", x, inverse, x)
    raw = scores - x @ coefficients
    left_out = raw / (1 - leverage)
    mean = np.sum(w * m * scores) / np.sum(w * m)
    total = np.sum(w * m * (scores - mean) ** 2)
    meat = x.T @ (x * (m * w ** 2 * left_out ** 2)[:, None])
    errors = np.sqrt(np.diag(inverse @ meat @ inverse))[1:]
    return {"coefficients": coefficients, "r2": [1 - np.sum(w * m * raw ** 2) / total],
            "q2": [1 - np.sum(w * m * left_out ** 2) / total], "errors": errors}


def text_of(name, masks, repeats, scores, d, ridge, answers=None):
    lines = [f"case {name}", f"segments {d}", f"ridge {ridge!r}", f"rows {len(masks)}"]
    lines += [f"{mask:x} {count} {score!r}" for mask, count, score in
              zip(map(int, masks), map(int, repeats), map(float, scores))]
    for key, values in (answers or {}).items():
        lines.append(" ".join([key] + [repr(float(value)) for value in values]))
    return "\n".join(lines + ["end", ""])


def cases():
    """(name, masks, repeats, scores, d, ridge)"""
    order = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 11, 13, 14, 15]
    for d in (12, 16):
        masks = nordstrom_robinson()[:, order[:d]] @ (1 << np.arange(d))
        yield f"code_{d}", masks, np.ones(256, int), additive_and_pairs(masks, d, d), d, 0.0
    masks = np.arange(2 ** 6)
    yield "all_masks_6", masks, np.ones(64, int), additive_and_pairs(masks, 6, 6), 6, 0.0
    drawn = np.random.RandomState(8).randint(0, 2, (400, 8))
    drawn[0] = 1
    masks, repeats = np.unique(drawn @ (1 << np.arange(8)), return_counts=True)
    yield "drawn_8", masks, repeats, additive_and_pairs(masks, 8, 8), 8, 1.0
