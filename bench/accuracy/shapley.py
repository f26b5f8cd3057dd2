# SPDX-License-Identifier: Apache-2.0
"""Whether the intervals of Shapley values hold: those of a sample against the exact ones of all masks.

Prints a row for each model or kind of function and question; needs the release build. The functions are those of
combinations.py with other numbers than the ones the factors were chosen on.
"""
import argparse
import subprocess
from math import comb

import numpy as np

from combinations import KINDS, table_of
from study import as_text
from tables import ROOT, tables

QUESTIONS = {"auto": ["auto"], "64 calls": ["auto", "64"], "128 calls": ["auto", "128"], "256 calls": ["auto", "256"],
             "array, 512": ["array", "512"], "adaptive": ["adaptive", "512", "1"]}
CHOSEN_ON = 40   # the first functions of each kind
FUNCTIONS = 64


def true_values(scores, d):
    masks = np.arange(1 << d)
    shown = np.array([mask.bit_count() for mask in range(1 << d)])
    gives = np.array([1 / (d * comb(d - 1, max(k - 1, 0))) for k in range(d + 1)])[shown] * scores
    takes = np.array([1 / (d * comb(d - 1, min(k, d - 1))) for k in range(d + 1)])[shown] * scores
    return np.array([np.where(masks >> j & 1, gives, -takes).sum() for j in range(d)])


def run(question, table_list):
    tool = next(path for path in (ROOT / "build/release").rglob("engine_tool") if path.is_file())
    printed = subprocess.run([tool, "shapley", *question], input=as_text(table_list), capture_output=True, text=True,
                             check=True).stdout
    for block in printed.split("explanation ")[1:]:
        lines = [line.split() for line in block.strip().split("\n")]
        yield {"design": lines[0][1], "class": int(lines[1][1]),
               **{name: np.array(numbers, float) for name, *numbers in lines[-3:]}}


def line(name, question, table_list):
    held, widest, errors, cases = [], [], [], 0
    for table, said in zip(table_list, run(question, table_list)):
        if said["design"] == "all_masks":
            continue
        truth = true_values(table.scores[:, said["class"]], table.d)
        largest = np.abs(truth).max()
        held.extend((said["low"] <= truth) & (truth <= said["high"]))
        widest.append((said["high"] - said["low"]).max() / 2 / largest)
        errors.append(np.abs(said["shapley"] - truth).max() / largest)
        cases += 1
    return f"| {name} | {cases} | {np.mean(held):.3f} | {np.median(errors):.4f} | {np.median(widest):.4f} |" if cases else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--functions", action="store_true", help="no pictures")
    cases = {kind: [table_of(kind, number) for number in range(CHOSEN_ON, FUNCTIONS)] for kind in KINDS}
    if not parser.parse_args().functions:
        for table in tables(False):
            cases.setdefault(table.picture.model, []).append(table)
    print("| model, masks | cases | covered | widest error | widest half interval |\n| --- | --- | --- | --- | --- |")
    for name, table_list in cases.items():
        for mode, question in QUESTIONS.items():
            print(line(f"{name}, {mode}", question, table_list), flush=True)


if __name__ == "__main__":
    main()
