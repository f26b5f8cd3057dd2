# SPDX-License-Identifier: Apache-2.0
"""Quickshift against scikit-image, and the whole segmentation against what OpenScale's recorded panes show."""
import base64
import io
import json
import os
import pathlib
import subprocess

import numpy as np
import pytest

pytest.importorskip("skimage", reason="scikit-image is not installed")
import photos  # noqa: E402
from skimage.segmentation import felzenszwalb, quickshift, slic  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = pathlib.Path(os.environ.get("EXPLAIND_BUILD", ROOT / "build" / "release")) / "segment_tool"
DOG = ROOT.parent / "shared" / "data" / "openscale-dog"
FULL = os.environ.get("EXPLAIND_FULL") == "1"


def run(image, *arguments):
    height, width, channels = image.shape
    numbers = " ".join(map(repr, image.ravel().tolist()))
    done = subprocess.run([TOOL, *map(str, arguments)], input=f"{height} {width} {channels} {numbers}",
                          capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.fixture(autouse=True)
def no_tie_noise(monkeypatch):
    """scikit-image adds noise to densities to break ties; parity is of the method without it."""
    class Quiet:
        def normal(self, *, scale=0, size=None):
            return np.zeros(size)
    import skimage.segmentation._quickshift as module
    monkeypatch.setattr(module.np.random, "default_rng", lambda *_: Quiet())


SIZES = ((90, 3), (128, 3), (224, 2)) if FULL else ((90, 3), (128, 2), (224, 1))
CASES = {name: image for name, image in photos.crops(SIZES) if not photos.has_plateau(image)}


def test_the_noise_of_scikit_image_is_off():
    flat = np.full((8, 8, 3), 0.5)
    labels = quickshift(flat, kernel_size=1, max_dist=200, ratio=0.2, rng=0)
    assert labels[3:5, 3:5].ravel().tolist() == [labels[3, 3] + step for step in (0, 1, 2, 3)], \
        "without noise the equally dense pixels of the middle are roots, each its own"


def test_there_are_enough_photos_without_plateaus():
    assert len(CASES) >= 20, sorted(CASES)


@pytest.mark.parametrize("name", CASES)
def test_quickshift_labels_equal_those_of_scikit_image(name):
    image = CASES[name]
    theirs = quickshift(image, kernel_size=3, max_dist=200, ratio=0.2, rng=0)
    ours = np.array(run(image, "raw", 3, 200, 0.2), int).reshape(image.shape[:2])
    assert np.array_equal(ours, theirs), f"{(ours != theirs).sum()} pixels, {ours.max() + 1} and {theirs.max() + 1} segments"


@pytest.mark.parametrize("kernel_size, max_dist, ratio", [(1, 200, 0.2), (2, 50, 0.5), (4, 200, 0.2), (3, 6, 1.0)])
def test_other_settings_agree_too(kernel_size, max_dist, ratio):
    image = CASES["chelsea-90-0"]
    theirs = quickshift(image, kernel_size=kernel_size, max_dist=max_dist, ratio=ratio, rng=0)
    ours = np.array(run(image, "raw", kernel_size, max_dist, ratio), int).reshape(image.shape[:2])
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("n_segments, compactness", [(16, 10), (60, 20), (150, 3)])
def test_slic_labels_equal_those_of_scikit_image(n_segments, compactness, zero):
    for name, image in photos.crops(SIZES):
        theirs = slic(image, n_segments=n_segments, compactness=compactness, slic_zero=zero, start_label=0)
        ours = np.array(run(image, "slic", n_segments, compactness, int(zero)), int).reshape(image.shape[:2])
        assert np.array_equal(ours, theirs), f"{name}: {(ours != theirs).sum()} pixels"


@pytest.mark.parametrize("shape", [(1, 30), (30, 1), (7, 40), (40, 7), (3, 3), (13, 90)])
def test_slic_agrees_on_odd_shapes(shape):
    image = np.random.RandomState(5).random_sample((*shape, 3))
    for n_segments in (2, 5, 16, 200):
        theirs = slic(image, n_segments=n_segments, compactness=10, start_label=0)
        ours = np.array(run(image, "slic", n_segments, 10, 0), int).reshape(shape)
        assert np.array_equal(ours, theirs), n_segments


@pytest.mark.parametrize("scale, sigma, min_size", [(1, 0.8, 20), (100, 0.8, 20), (300, 1.5, 5)])
def test_felzenszwalb_labels_equal_those_of_scikit_image(scale, sigma, min_size):
    """Edges of the same cost are sorted in another order there, so photos with plateaus are left out."""
    for name, image in CASES.items():
        theirs = felzenszwalb(image, scale=scale, sigma=sigma, min_size=min_size)
        ours = np.array(run(image, "felzenszwalb", scale, sigma, min_size), int).reshape(image.shape[:2])
        assert np.array_equal(ours, theirs), f"{name}: {(ours != theirs).sum()} pixels"


# ---- the recorded dog ----

@pytest.fixture(scope="module")
def dog():
    if not DOG.exists():
        pytest.skip("the recorded explanation of OpenScale is not beside this checkout")
    from PIL import Image
    image = np.asarray(Image.open(DOG / "dog_reconstructed.png").convert("RGB"))
    recorded = json.loads((DOG / "recorded_explanation.json").read_text())
    predictions = recorded["entity"]["explanations"][0]["predictions"]
    panes = {p["value"]: np.asarray(Image.open(io.BytesIO(base64.b64decode(p["explanation"][0]["full_image"]))).convert("RGB"))
             for p in predictions}
    return image, panes


def test_the_recorded_dog_has_eleven_superpixels_on_the_recorded_sides(dog):
    image, panes = dog
    words = run(image.astype(float), "merged")
    labels = np.array(words[3:], int).reshape(image.shape[:2])
    assert (words[0], words[1], words[2]) == ("3", "11", "11")
    shown = panes["1"].max(axis=2) > panes["0"].max(axis=2)  # the side with the pixels; black is the other
    black = (panes["1"].max(axis=2) == 0) & (panes["0"].max(axis=2) == 0)
    right = total = 0
    for segment in range(11):
        votes = shown[(labels == segment) & ~black]
        total += votes.size
        right += max(votes.sum(), votes.size - votes.sum())
    print(f"{right / total:.4%} of the pixels on the recorded side")
    assert right / total >= 0.997
