# SPDX-License-Identifier: Apache-2.0
"""Pictures of 224 x 224 with up to 60 superpixels: too many masks for a table, so that a large sample stands for it.

The model takes 224 x 224 pixels and averages them down to its own 128 x 128. A sample of complement pairs is scored once
for each picture and kept in .cache/accuracy.
"""
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from photos import FOLDER, find_photo
from tables import BATCH, crops, hidden, segment, session_of

SIDE, MODEL_SIDE = 224, 128
SEGMENTS = 60
PAIRS = 8192
# Model, photo and whether constants were chosen on it.
CASES = [("efficientnet_lite0_128", "coffee.png", False), ("efficientnet_lite0_128", "astronaut.png", False),
         ("efficientnet_lite0_128", "chelsea.png", False), ("efficientnet_lite0_128", "china.jpg", True),
         ("efficientnet_lite0_128", "flower.jpg", True), ("efficientnet_lite0_128", "ihc.png", True),
         ("efficientnet_lite2_128", "chelsea.png", True), ("efficientnet_lite2_128", "china.jpg", True),
         ("efficientnet_lite2_128", "flower.jpg", True)]


@dataclass
class Fine:
    name: str
    held: bool
    pixels: np.ndarray     # SIDE x SIDE x 3
    d: int
    score: object          # n x d bools to n probabilities of the most probable class
    shown: np.ndarray      # 2 PAIRS x d bools: masks, each followed by its complement
    scores: np.ndarray     # 2 PAIRS


def down(pixels):
    """Averages of areas: linear, so that the parts of a picture can be scaled one by one."""
    edges = np.arange(MODEL_SIDE + 1) * SIDE / MODEL_SIDE
    cover = np.clip(np.minimum(edges[1:, None], np.arange(1, SIDE + 1)) - np.maximum(edges[:-1, None], np.arange(SIDE)), 0, 1)
    cover /= cover.sum(axis=1, keepdims=True)
    return np.einsum("ir,rcx,jc->ijx", cover, pixels, cover, optimize=True)


def scorer(model, pixels, labels, d):
    """A picture is the sum of what its superpixels add, shown or hidden."""
    session, background = session_of(model), hidden(pixels, labels, d, "mean").astype(float)
    name = session.get_inputs()[0].name
    base = down(background).ravel().astype(np.float32)
    parts = np.stack([down((pixels - background) * (labels == j)[..., None]).ravel() for j in range(d)]).astype(np.float32)

    def all_classes(shown):
        images = base + shown.astype(np.float32) @ parts
        return session.run(None, {name: images.reshape(-1, MODEL_SIDE, MODEL_SIDE, 3)})[0]

    best = int(np.argmax(all_classes(np.ones((1, d)))[0]))

    def score(shown):
        return np.concatenate([all_classes(shown[i:i + BATCH])[:, best] for i in range(0, len(shown), BATCH)]).astype(float)
    return score


def fine_pictures(progress=print):
    FOLDER.mkdir(parents=True, exist_ok=True)
    for model, photo, held in CASES:
        image = dict(crops(find_photo(photo)))["whole"].resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        pixels = np.asarray(image)
        d, labels = segment(pixels, SEGMENTS)
        score = scorer(model, pixels, labels, d)
        path = FOLDER / f"{model}_{Path(photo).stem}_fine.npz"
        masks = np.random.default_rng(0).random((PAIRS, d)) < 0.5
        shown = np.stack([masks, ~masks], axis=1).reshape(-1, d)
        if not path.exists():
            np.savez_compressed(f"{path}.new.npz", scores=score(shown), labels=labels)
            os.rename(f"{path}.new.npz", path)
            progress(f"{path.stem}: {d} superpixels")
        stored = np.load(path)
        if not np.array_equal(stored["labels"], labels):
            raise ValueError(f"{path} was made with other superpixels")
        yield Fine(f"{model} {Path(photo).stem}", held, pixels, d, score, shown, stored["scores"])
