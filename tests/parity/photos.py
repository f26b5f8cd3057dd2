# SPDX-License-Identifier: Apache-2.0
"""Photos that come inside scikit-image and scikit-learn, cut and scaled; and which of them have plateaus.

Of equal densities quickshift needs a rule. scikit-image breaks such ties by random noise; ours takes the pixel with the
lower index. Photos in which a pixel has a neighbour in its window of exactly its own density, are plateaus: there the two
differ by design, and labels are compared on the others only.
"""
import numpy as np
from skimage import color, data, transform
from sklearn.datasets import load_sample_image

NAMES = ["astronaut", "chelsea", "coffee", "rocket", "camera", "coins", "moon", "hubble_deep_field", "page", "text", "clock"]


def photos():
    """(name, H x W x 3 in [0, 1]) of what is there without a download."""
    for name in NAMES:
        try:
            image = getattr(data, name)()
        except Exception:  # pylint: disable=broad-except  (not in the wheel: it would have to be downloaded)
            continue
        yield name, (color.gray2rgb(image) if image.ndim == 2 else image[..., :3]) / 255
    for name in ("china.jpg", "flower.jpg"):
        yield name, load_sample_image(name) / 255


def crops(sizes=((90, 3), (128, 2), (224, 1))):
    """(name, image): the middle of each photo at 90 px and further cuts, 8-bit values as [0, 1]."""
    for name, photo in photos():
        side = min(photo.shape[:2])
        for size, cuts in sizes:
            for cut in range(cuts):
                cut_side = int(side * (1, 0.7, 0.5)[cut])
                top, left = (photo.shape[0] - cut_side) // 2, (photo.shape[1] - cut_side) // 2
                image = transform.resize(photo[top:top + cut_side, left:left + cut_side], (size, size),
                                         anti_aliasing=True)
                yield f"{name}-{size}-{cut}", np.round(image * 255) / 255


def has_plateau(image, ratio=0.2):
    """Whether two neighbouring 3 x 3 neighbourhoods are equal: what gives equal densities in a window."""
    lab = np.round(color.rgb2lab(image) * ratio, 9)
    same = np.zeros(lab.shape[:2], bool)
    for shift in ((0, 1), (1, 0)):
        same |= np.all(lab == np.roll(lab, shift, axis=(0, 1)), axis=2)
    from scipy.ndimage import uniform_filter
    return bool((uniform_filter(same.astype(float), 3) > 0.999).any())
