# SPDX-License-Identifier: Apache-2.0
"""Functions of combinations of zones, drawn at random: some look like others on a balanced design.

Nothing was tuned on them but the limits of belief (lib/explain/explain_belief.c). Prints a row for each kind and
budget; needs the release build. An argument is the name of a kind.
"""
import sys
import zlib
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from study import judge, line, run  # noqa: E402
from tables import Picture, Table  # noqa: E402

FUNCTIONS = 40
MODES = {"auto": ["auto"], "512 calls": ["auto", "512"], "256 calls": ["auto", "256"]}
MANY = 17      # zones, more than the code has columns; tables of as many bits take their time
MANY_FUNCTIONS = 6
MANY_MODES = {"auto, 17 zones": ["auto"], "adaptive, 17 zones": ["adaptive", "2048", "1"]}


def products(rng, values, most, scale, counts):
    """Products of two to `most` columns, each with a weight of its own."""
    total = np.zeros(len(values))
    for _ in range(rng.integers(*counts)):
        columns = rng.choice(values.shape[1], rng.integers(2, most + 1), replace=False)
        total += rng.normal() * scale * values[:, columns].prod(axis=1)
    return total


def signs(most):
    def logit(rng, shown):
        values = 2 * shown - 1
        return values @ (rng.normal(size=shown.shape[1]) * 0.5) + products(rng, values, most, 0.35, (3, 25))
    return logit


def together(rng, shown):
    return shown @ (rng.normal(size=shown.shape[1]) * 0.8) - 1 + products(rng, shown, 4, 1.5, (3, 15))


def layers(rng, shown):
    d = shown.shape[1]
    first = np.tanh(shown @ rng.normal(size=(d, 12)) * 0.8 + rng.normal(size=12))
    return np.tanh(first @ rng.normal(size=(12, 8)) * 0.7 + rng.normal(size=8)) @ rng.normal(size=8) * 1.5


def rectified(rng, shown):
    logit = np.maximum(0, shown @ rng.normal(size=(shown.shape[1], 16)) + rng.normal(size=16)) @ rng.normal(size=16) / 2
    return logit - logit.mean()


def largest(rng, shown):
    def one():
        return np.max([shown @ rng.normal(size=shown.shape[1]) * 0.8 for _ in range(4)], axis=0)
    return one() - one()


KINDS = {"pairs of signs": signs(2), "up to three signs": signs(3), "up to four signs": signs(4),
         "zones that are shown together": together, "two layers of tanh": layers, "rectified": rectified,
         "largest of four, twice": largest}


def table_of(kind, number, d=None):
    rng = np.random.default_rng([number, zlib.crc32(kind.encode())])
    d = d or int(rng.integers(9, 15))
    shown = (np.arange(1 << d)[:, None] >> np.arange(d) & 1).astype(float)
    probability = 1 / (1 + np.exp(-KINDS[kind](rng, shown)))
    return Table(Picture(kind, str(number), True, None), "", d, np.c_[probability, 1 - probability])


def show(kind, modes, tables):
    for mode, question in modes.items():
        print(line(f"{kind}, {mode}", [judge(table, said, 10) for table, said in zip(tables, run(question, tables))]),
              flush=True)


def main():
    print("| function, budget | cases | calls: median / mean / p90 | error | of LIME, 1000 / 5000 samples "
          "| worse than LIME@5000 | wrong signs | covered |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
    for kind in sys.argv[1:] or KINDS:
        show(kind, MODES, [table_of(kind, number) for number in range(FUNCTIONS)])
        show(kind, MANY_MODES, [table_of(kind, number, MANY) for number in range(MANY_FUNCTIONS)])


if __name__ == "__main__":
    main()
