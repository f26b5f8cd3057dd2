#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Paints the data set of the binary notebook: ladybirds and green beetles on foliage, with clutter that means nothing.

    make_insects.py [--few] [DIRECTORY]      (default: data)

Writes data/train/{beetle,ladybird}, data/validation/{beetle,ladybird} and, for checking explanations, data/masks: white
where the insect is. Sizes differ, as photos' do; the same images come out every time. All of it is computed here: no
photo is used, and nothing is fetched.
"""
import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

TRAIN, VALIDATION = 400, 60  # of each class


def noise(rng, height, width, octaves=5):
    """Smooth noise at several scales, 0 to 1."""
    total = np.zeros((height, width))
    for octave in range(octaves):
        cells = 2 ** (octave + 1)
        grid = Image.fromarray((rng.random((cells + 1, cells + 1)) * 255).astype(np.uint8))
        total += np.asarray(grid.resize((width, height), Image.BICUBIC), dtype=float) / 2 ** octave
    return (total - total.min()) / np.ptp(total)


def foliage(rng, height, width):
    """Leaves: two greens mixed by noise, veins, and light from one side."""
    dark = np.array([20, 60, 15]) + rng.integers(-10, 30, 3)
    light = np.array([110, 160, 60]) + rng.integers(-30, 30, 3)
    mix = noise(rng, height, width)[..., None]
    image = dark * (1 - mix) + light * mix
    image += 30 * (np.linspace(-1, 1, width) * rng.choice([-1, 1]))[None, :, None]
    picture = Image.fromarray(image.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.integers(3, 8)):
        x, y, angle = rng.random() * width, rng.random() * height, rng.random() * np.pi
        dx, dy = np.cos(angle) * width, np.sin(angle) * height
        draw.line([x - dx, y - dy, x + dx, y + dy], fill=tuple(int(c) for c in (light + 30).clip(0, 255)), width=1)
    return picture


def clutter(rng, picture):
    """Petals, pebbles and twigs in any colour: they are in both classes alike."""
    draw = ImageDraw.Draw(picture)
    width, height = picture.size
    for _ in range(rng.integers(2, 7)):
        x, y, r = rng.random() * width, rng.random() * height, (0.03 + 0.06 * rng.random()) * width
        colour = tuple(int(c) for c in rng.integers(40, 256, 3))
        if rng.random() < 0.5:
            draw.ellipse([x - r, y - r * 0.6, x + r, y + r * 0.6], fill=colour)
        else:
            draw.line([x - 2 * r, y, x + 2 * r, y + r], fill=colour, width=max(1, int(r / 3)))


def ladybird(draw, mask, x, y, r, rng):
    red = (200 + int(rng.integers(0, 50)), 30 + int(rng.integers(0, 30)), 20)
    for layer, head, body, line in ((draw, (20, 20, 20), red, (20, 20, 20)), (mask, 255, 255, None)):
        layer.ellipse([x - 0.45 * r, y - 1.3 * r, x + 0.45 * r, y - 0.5 * r], fill=head)
        layer.ellipse([x - r, y - r, x + r, y + r], fill=body)
        if line:
            layer.line([x, y - r, x, y + r], fill=line, width=max(1, int(r / 8)))
            for sx, sy in ((-0.5, -0.4), (0.5, -0.4), (-0.45, 0.35), (0.45, 0.35), (0, -0.75)):
                s = 0.18 * r
                layer.ellipse([x + sx * r - s, y + sy * r - s, x + sx * r + s, y + sy * r + s], fill=line)


def beetle(draw, mask, x, y, r, rng):
    green = (20, 110 + int(rng.integers(0, 60)), 90 + int(rng.integers(0, 60)))
    for layer, head, body, line in ((draw, (15, 40, 45), green, (10, 60, 60)), (mask, 255, 255, None)):
        layer.ellipse([x - 0.4 * r, y - 1.6 * r, x + 0.4 * r, y - 0.8 * r], fill=head)
        layer.ellipse([x - 0.65 * r, y - 1.2 * r, x + 0.65 * r, y + 1.3 * r], fill=body)
        for side in (-1, 1):
            for leg in (-0.5, 0.1, 0.7):
                layer.line([x + side * 0.5 * r, y + leg * r, x + side * 1.2 * r, y + (leg + 0.3) * r], fill=head,
                           width=max(1, int(r / 6)))
        if line:
            layer.line([x, y - r, x, y + 1.2 * r], fill=line, width=max(1, int(r / 8)))
            layer.ellipse([x - 0.35 * r, y - 0.8 * r, x - 0.1 * r, y], fill=tuple(min(255, c + 90) for c in green))


def paint(rng, insect):
    """One picture and its mask."""
    height, width = int(rng.integers(96, 150)), int(rng.integers(96, 150))
    background = foliage(rng, height, width)
    clutter(rng, background)
    picture = background.copy()
    mask = Image.new("L", picture.size, 0)
    r = (0.13 + 0.08 * rng.random()) * min(width, height)
    x, y = (0.25 + 0.5 * rng.random()) * width, (0.25 + 0.5 * rng.random()) * height
    insect(ImageDraw.Draw(picture), ImageDraw.Draw(mask), x, y, r, rng)
    angle = float(rng.random() * 360)
    turned = mask.rotate(angle, Image.BICUBIC, center=(x, y)).point(lambda v: 255 * (v > 127))
    background.paste(picture.rotate(angle, Image.BICUBIC, center=(x, y)), (0, 0),
                     turned.filter(ImageFilter.GaussianBlur(0.6)))
    grain = np.asarray(background, dtype=float) + rng.normal(0, 4, (height, width, 1))
    return Image.fromarray(grain.clip(0, 255).astype(np.uint8)), turned


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, nargs="?", default=Path("data"))
    parser.add_argument("--few", action="store_true", help="a few of each, for a look")
    arguments = parser.parse_args()
    directory, n_train, n_validation = arguments.directory, *((4, 4) if arguments.few else (TRAIN, VALIDATION))
    for k, insect in enumerate((beetle, ladybird)):
        for part, count in (("train", n_train), ("validation", n_validation)):
            folder, masks = directory / part / insect.__name__, directory / "masks" / part / insect.__name__
            folder.mkdir(parents=True, exist_ok=True)
            masks.mkdir(parents=True, exist_ok=True)
            for i in range(count):
                picture, mask = paint(np.random.default_rng([k, part == "train", i]), insect)
                picture.save(folder / f"{i:03}.png")
                mask.save(masks / f"{i:03}.png")
    print(f"{2 * (n_train + n_validation)} pictures in {directory}")


if __name__ == "__main__":
    main()
