# SPDX-License-Identifier: Apache-2.0
"""Photos that come inside scikit-image and scikit-learn, cut and scaled; and which of them have plateaus.

Of equal densities quickshift needs a rule. scikit-image breaks such ties by random noise; ours takes the pixel with the
lower index. On a plateau, where neighbours have the same density, the two differ by design: labels are compared on the
photos without one.
"""
import pathlib

import numpy as np
from skimage import color, data, io, transform
from sklearn.datasets import load_sample_image

FILES = ["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "camera.png", "coins.png", "moon.png", "retina.jpg",
         "hubble_deep_field.jpg", "motorcycle_left.png", "page.png", "text.png", "clock_motion.png"]


def photos():
    """(name, H x W x 3 in [0, 1]) of what is installed; nothing is downloaded."""
    for name in FILES:
        file = pathlib.Path(data.__file__).parent / name
        if file.exists():
            image = io.imread(file)
            yield file.stem, (color.gray2rgb(image) if image.ndim == 2 else image[..., :3]) / 255
    for name in ("china.jpg", "flower.jpg"):
        yield name, load_sample_image(name) / 255


def crops(sizes=((90, 3), (128, 2), (224, 1))):
    """(name, image): the middle of each photo at each size, and closer cuts of it; 8-bit values as [0, 1]."""
    for name, photo in photos():
        side = min(photo.shape[:2])
        for size, cuts in sizes:
            for cut in range(cuts):
                cut_side = int(side * (1, 0.7, 0.5)[cut])
                top, left = (photo.shape[0] - cut_side) // 2, (photo.shape[1] - cut_side) // 2
                image = transform.resize(photo[top:top + cut_side, left:left + cut_side], (size, size),
                                         anti_aliasing=True)
                yield f"{name}-{size}-{cut}", np.round(image * 255) / 255


def density(image, kernel_size=3, ratio=0.2):
    """Quickshift's density of every pixel by its definition, in double precision."""
    lab = color.rgb2lab(image) * ratio
    height, width = lab.shape[:2]
    reach = int(np.ceil(3 * kernel_size))
    padded = np.pad(lab, ((reach, reach), (reach, reach), (0, 0)), constant_values=np.inf)
    total = np.zeros((height, width))
    for dr in range(-reach, reach + 1):
        for dc in range(-reach, reach + 1):
            there = padded[reach + dr:reach + dr + height, reach + dc:reach + dc + width]
            squared = ((lab - there) ** 2).sum(axis=2) + dr * dr + dc * dc
            total += np.exp(-squared / (2 * kernel_size ** 2))
    return total


def has_plateau(image):
    """Whether two pixels that touch have the same density in single precision."""
    single = density(image).astype(np.float32)
    return any((single[a] == single[b]).any() for a, b in (
        (np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1]),
        (np.s_[1:, 1:], np.s_[:-1, :-1]), (np.s_[1:, :-1], np.s_[:-1, 1:])))
