#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/parity/vectors.txt, which tests/unit/explain/test_fit.c reads. Needs numpy."""
import pathlib

import fit_cases

if __name__ == "__main__":
    here = pathlib.Path(__file__).parent
    text = "".join(fit_cases.text_of(*case, answers=fit_cases.expected(*case[1:])) for case in fit_cases.cases())
    (here / "vectors.txt").write_text(text)
