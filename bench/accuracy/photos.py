# SPDX-License-Identifier: Apache-2.0
"""Photos that can be had freely: what ships with scikit-image and scikit-learn, and in a Debian package of wallpapers,
which is fetched and unpacked, not installed, when one of its photos is asked for first."""
import subprocess
from pathlib import Path

import skimage
import sklearn
from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "accuracy"
WALLPAPERS = "mate-backgrounds"


def wallpapers():
    unpacked = FOLDER / WALLPAPERS
    if not unpacked.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-qq", WALLPAPERS], cwd=FOLDER, check=True)
        [package] = FOLDER.glob(f"{WALLPAPERS}_*.deb")
        subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True)
        package.unlink()
    return unpacked / "usr" / "share" / "backgrounds" / "mate"


def find_photo(name):
    for folder in (Path(skimage.__file__).parent / "data", Path(sklearn.__file__).parent / "datasets" / "images"):
        if (folder / name).exists():
            return Image.open(folder / name).convert("RGB")
    return Image.open(next(wallpapers().glob(f"*/{name}"))).convert("RGB")
