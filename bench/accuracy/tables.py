# SPDX-License-Identifier: Apache-2.0
"""Models as tables: the scores of all masks of a picture, so that the truth is known and every method can be tried.

A table is made once (some 20 s for the 1000-class model) and kept in .cache/accuracy.
"""
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from sklearn.datasets import load_digits

sys.path.insert(0, str(Path(__file__).parent))
from photos import FOLDER, find_photo  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / ".cache" / "models"
SEGMENTS = 12
BATCH = 32
FILLS = ("mean", "black")

# The thresholds of the ladder were chosen on the first list; the second one was looked at afterwards only; the third one
# came when everything was decided.
TUNED = ("coffee.png", "astronaut.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png", "coins.png", "camera.png")
HELD = ("ihc.png", "hubble_deep_field.jpg", "retina.jpg", "horse.png", "moon.png", "china.jpg", "flower.jpg",
        "grass.png", "gravel.png", "brick.png", "page.png", "text.png")
NEW = ("Aqua.jpg", "Blinds.jpg", "Dune.jpg", "Elephants.jpg", "FreshFlower.jpg", "Garden.jpg", "GreenMeadow.jpg",
       "LadyBird.jpg", "RainDrops.jpg", "Storm.jpg", "TwoWings.jpg", "Wood.jpg", "YellowFlower.jpg")


@dataclass
class Picture:
    model: str
    name: str
    photos: str            # "tuned on", "held out" or "new"
    pixels: np.ndarray     # H x W x C, 0-255


@dataclass
class Table:
    picture: Picture
    fill: str
    d: int
    scores: np.ndarray     # 2^d x 2: of the two most probable classes

    @property
    def name(self):
        return f"{self.picture.model} {self.picture.name} {self.fill}"


def session_of(model):
    """lite2 is made when it is needed first: only this study uses it."""
    path = MODELS / f"{model}.onnx"
    if not path.exists() and model == "efficientnet_lite2_128":
        subprocess.run([sys.executable, ROOT / "examples" / "models" / "efficientnet_lite0.py", path,
                        MODELS / "imagenet_labels.txt", "--variant", "lite2"], check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options)


def crops(photo):
    """The middle, and a closer look at the upper left of it."""
    width, height = photo.size
    side, near = min(photo.size), int(min(photo.size) * 0.6)
    left, top = (width - side) // 2, (height - side) // 2
    yield "whole", photo.crop((left, top, left + side, top + side))
    left, top = (width - near) // 3, (height - near) // 3
    yield "near", photo.crop((left, top, left + near, top + near))


def pictures(quick):
    for names, photos in ((TUNED, "tuned on"), (HELD, "held out"), (NEW, "new")):
        for name in names[:1] if quick else names:
            for crop, image in crops(find_photo(name)):
                if crop != "whole" and photos == "new":
                    continue
                pixels = np.asarray(image.resize((128, 128), Image.Resampling.LANCZOS))
                yield Picture("efficientnet_lite0_128", f"{Path(name).stem} {crop}", photos, pixels)
                if crop == "whole" and not quick:   # nothing was tuned on it
                    yield Picture("efficientnet_lite2_128", f"{Path(name).stem} {crop}",
                                  "new" if photos == "new" else "held out", pixels)
    digits = load_digits().images
    for i in range(0, 4 if quick else 40):
        grey = Image.fromarray((digits[7 * i] / 16 * 255).astype(np.uint8))
        pixels = np.asarray(grey.resize((28, 28), Image.Resampling.BICUBIC))[:, :, None]
        yield Picture("digits", f"digit {7 * i}", "held out" if i % 2 else "tuned on", pixels)


def segment(pixels, most=SEGMENTS):
    """The product's own superpixels."""
    tool = next(path for path in (ROOT / "build/release").rglob("segment_tool") if path.is_file())
    text = " ".join(map(str, [*pixels.shape, *pixels.ravel().tolist()]))
    printed = subprocess.run([tool, "merged", str(most)], input=text, capture_output=True, text=True, check=True)
    words = printed.stdout.split()
    return int(words[2]), np.array(words[3:], int).reshape(pixels.shape[:2])


def hidden(pixels, labels, d, fill):
    picture = np.zeros_like(pixels)
    for j in range(d if fill == "mean" else 0):
        picture[labels == j] = np.round(pixels[labels == j].mean(axis=0))
    return picture


def score_all(session, picture, labels, d, fill):
    shown = (np.arange(1 << d)[:, None] >> np.arange(d) & 1).astype(bool)
    background, parts, name = hidden(picture.pixels, labels, d, fill), [], session.get_inputs()[0].name
    for first in range(0, len(shown), BATCH):
        on = shown[first:first + BATCH][:, labels][..., None]
        images = np.where(on, picture.pixels, background).astype(np.float32)
        parts.append(session.run(None, {name: images})[0])
    scores = np.concatenate(parts)
    return scores[:, np.argsort(-scores[-1], kind="stable")[:2]]


def tables(quick, progress=print):
    """All of them, those that are not there yet made on the way. Pictures of fewer than nine superpixels are left out:
    there all masks are scored anyway."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    sessions = {}
    for picture in pictures(quick):
        for fill in FILLS[:1] if picture.model == "efficientnet_lite2_128" else FILLS:
            path = FOLDER / f"{picture.model} {picture.name} {fill}.npz".replace(" ", "_")
            if not path.exists():
                d, labels = segment(picture.pixels)
                if picture.model not in sessions:
                    sessions[picture.model] = session_of(picture.model)
                session = sessions[picture.model]
                scores = score_all(session, picture, labels, d, fill) if d >= 9 else np.zeros((0, 2))
                np.savez_compressed(f"{path}.new.npz", scores=scores.astype(np.float64), d=d)
                os.rename(f"{path}.new.npz", path)
                progress(f"{path.stem}: {d} superpixels")
            stored = np.load(path)
            if len(stored["scores"]):
                yield Table(picture, fill, int(stored["d"]), stored["scores"])
