# SPDX-License-Identifier: Apache-2.0
"""Images to log, and reading the pictures that come back."""
import base64
import io

import numpy
from PIL import Image

PALETTE = ((0.9, 0.1, 0.1), (0.1, 0.8, 0.2), (0.1, 0.2, 0.9), (0.9, 0.9, 0.2), (0.7, 0.2, 0.8), (0.1, 0.8, 0.8))


def blocks(height=24, width=24, n=3, first=0) -> list:
    """`n` vertical bands of strong colours, values 0-1: few superpixels, so that all masks are scored soon."""
    pixels = numpy.zeros((height, width, 3))
    for band in range(n):
        left, right = band * width // n, (band + 1) * width // n
        pixels[:, left:right] = PALETTE[(first + band) % len(PALETTE)]
    return pixels.round(3).tolist()


def gradient(height, width, channels=3) -> list:
    """0-255 whole numbers, no two rows alike."""
    row, column, channel = numpy.indices((height, width, channels))
    return ((row * 7 + column * 3 + channel * 50) % 256).tolist()


def grey(height=28, width=28) -> list:
    """One channel: a bright disc on black, as a digit would be."""
    row, column = numpy.indices((height, width))
    disc = ((row - height / 2) ** 2 + (column - width / 2) ** 2 < (height / 4) ** 2) * 0.9
    disc[: height // 4, : width // 4] = 0.5
    return disc[..., None].round(3).tolist()


def as_rgb(image) -> numpy.ndarray:
    """What a 0-1 image looks like as 8-bit RGB."""
    pixels = (numpy.asarray(image) * 255).round().astype(numpy.uint8)
    return numpy.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def as_png(image) -> bytes:
    """The file of an image of whole numbers from 0 to 255."""
    out = io.BytesIO()
    Image.fromarray(numpy.asarray(image, dtype=numpy.uint8)).save(out, "PNG")
    return out.getvalue()


def as_form(*files) -> bytes:
    """An upload with the boundary `b`."""
    parts = [b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n' + file + b"\r\n" for file in files]
    return b"".join(parts) + b"--b--\r\n"


def read_png(data: bytes) -> numpy.ndarray:
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "PNG" and picture.mode == "RGB", (picture.format, picture.mode)
    return numpy.asarray(picture)


def pane(prediction: dict) -> numpy.ndarray:
    """The pane of one element of `predictions`."""
    return read_png(base64.b64decode(prediction["explanation"][0]["full_image"], validate=True))


def labels(segmentation: dict, height: int, width: int) -> numpy.ndarray:
    """The label map of an attributions answer."""
    runs = segmentation["labels"]["runs"]
    flat = numpy.repeat([label for label, _ in runs], [length for _, length in runs])
    assert flat.size == height * width
    return flat.reshape(height, width)
