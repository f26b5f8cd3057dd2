#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Executes a notebook from top to bottom and writes it with its outputs.

    run.py NOTEBOOK.ipynb OUT.ipynb

EXPLAIND_URL and NOTEBOOK_WORK are passed on to it. What libraries print on stderr while they start is left out.
"""
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

SECONDS = 900  # for one cell


def main():
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    notebook = nbformat.read(source, 4)
    started = time.time()
    try:
        NotebookClient(notebook, timeout=SECONDS, kernel_name="python3",
                       resources={"metadata": {"path": str(source.parent)}}).execute()
    finally:
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)
            if "outputs" in cell:
                cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
        nbformat.write(notebook, out)
    print(f"{source.name}: {time.time() - started:.0f} s")


if __name__ == "__main__":
    main()
