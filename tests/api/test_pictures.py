# SPDX-License-Identifier: Apache-2.0
"""Pictures that show weights: heat map, signs, outlines, masks, legends, transparency, SVG, JSON."""
import io
import xml.etree.ElementTree as xml

import numpy
import pytest
from PIL import Image
from support.client import Watched
from support.images import blocks, labels, read_png

BLUE, ORANGE, GREEN, PURPLE = (43, 87, 186), (230, 97, 1), (0, 136, 55), (123, 50, 148)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def watched(api, model):
    """A model for which the left half of an image speaks, the right half against it."""
    return Watched(api, model)


@pytest.fixture
def explained(watched):
    """A task, and the zones of its most probable class: labels as an array, weights."""
    task_id, _ = watched.explained(blocks(n=6, height=24, width=48))
    entity = watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]
    zones = labels(entity["segmentation"], entity["image"]["height"], entity["image"]["width"])
    return task_id, zones, numpy.array(entity["classes"][0]["weights"])


def draw(watched, task_id, **params):
    return watched.client.request("GET", f"/v2/explanation_tasks/{task_id}/image", params=params)


def pixels(watched, task_id, **params):
    return read_png(draw(watched, task_id, **params).content).astype(int)


def test_the_heat_map_has_the_sign_as_colour_and_the_weight_as_strength(watched, explained):
    task_id, zones, weights = explained
    picture = pixels(watched, task_id, pane="heatmap", overlay="black", alpha=1, scale=1)
    share = weights / abs(weights).max()
    assert abs(share).max() == 1 and share.min() < 0 < share.max(), "a case with both signs"
    for zone, strength in enumerate(share):
        colour = numpy.array(BLUE if strength > 0 else ORANGE)
        wanted = numpy.round(colour * abs(strength))
        assert abs(picture[zones == zone] - wanted).max() <= 1


def test_the_other_map_and_the_clip_are_obeyed(watched, explained):
    task_id, zones, weights = explained
    picture = pixels(watched, task_id, pane="both", overlay="black", alpha=1, scale=1, color_map="green_purple", clip=0.5)
    bordered = numpy.zeros(zones.shape, bool)
    for axis in (0, 1):
        for step in (1, -1):
            bordered |= numpy.roll(zones, step, axis) != zones
    for zone, strength in enumerate(weights / abs(weights).max()):
        inside = picture[(zones == zone) & ~bordered]
        colour = (GREEN if strength > 0 else PURPLE) if abs(strength) >= 0.5 else (0, 0, 0)
        assert len(inside) and (inside == colour).all()


def test_the_masked_picture_keeps_what_speaks_for_the_class_and_fades_the_rest(watched, explained):
    task_id, zones, weights = explained
    original = pixels(watched, task_id, pane="original")
    picture = pixels(watched, task_id, pane="masked", scale=8)[4::8, 4::8]     # the middle of each enlarged pixel
    inner = numpy.ones(zones.shape, bool)
    for axis in (0, 1):
        for step in (1, -1):
            inner &= numpy.roll(zones, step, axis) == zones
    kept = inner & (weights[zones] > 0)
    faded = inner & (weights[zones] <= 0)
    assert kept.any() and faded.any()
    assert (picture[kept] == original[kept]).all()
    assert (picture[faded] >= 255 * 0.8).all()


@pytest.mark.parametrize("pane", ["heatmap", "both", "outline", "masked"])
def test_small_images_are_enlarged_for_people(watched, explained, pane):
    task_id, zones, _ = explained
    height, width, _ = pixels(watched, task_id, pane=pane).shape
    assert max(height, width) >= 256 and height % zones.shape[0] == width % zones.shape[1] == 0
    assert pixels(watched, task_id, pane=pane, scale=2).shape == (2 * zones.shape[0], 2 * zones.shape[1], 3)


def test_outlines_are_where_zones_meet(watched, explained):
    task_id, zones, weights = explained
    original = pixels(watched, task_id, pane="original")
    picture = pixels(watched, task_id, pane="outline", scale=1)
    changed = (picture != original).any(axis=2)
    horizontal = zones[:, 1:] != zones[:, :-1]
    assert (changed[:, 1:] | ~horizontal).all(), "every border is drawn"
    colours = {tuple(colour) for colour in picture[changed]}
    assert colours <= {BLUE, ORANGE}


def test_svg_has_a_path_for_each_zone_and_its_numbers(watched, explained):
    task_id, zones, weights = explained
    response = draw(watched, task_id, pane="heatmap", format="svg", scale=4)
    assert response.headers["Content-Type"] == "image/svg+xml"
    document = xml.fromstring(response.content)
    titles = [path.find(f"{SVG}title").text for path in document.iter(f"{SVG}path")]
    assert len(titles) == len(weights)
    for zone, title in enumerate(titles):
        assert title.startswith(f"zone {zone}: {weights[zone]:+.4f} (")
    texts = [text.text for text in document.iter(f"{SVG}text")]
    assert texts == [f"{abs(weights).max():+.3f}", "0", f"{-abs(weights).max():+.3f}"]
    bare = xml.fromstring(draw(watched, task_id, pane="heatmap", format="svg", legend=0).content)
    assert not list(bare.iter(f"{SVG}text"))
    area = sum(int(run.split("h")[1].split("v")[0]) for path in document.iter(f"{SVG}path")
               for run in path.get("d").split("z") if run)
    assert area == zones.size


def rgba(watched, task_id, **params):
    picture = Image.open(io.BytesIO(draw(watched, task_id, overlay="transparent", **params).content))
    assert picture.mode == "RGBA"
    return numpy.asarray(picture).astype(int)


def test_a_transparent_heat_map_is_colour_whose_strength_is_alpha(watched, explained):
    task_id, zones, weights = explained
    picture = rgba(watched, task_id, pane="heatmap", alpha=1, scale=1)
    share = weights / abs(weights).max()
    for zone, strength in enumerate(share):
        inside = picture[zones == zone]
        assert abs(inside[:, 3] - 255 * abs(strength)).max() <= 1
        if strength:
            assert (inside[:, :3] == (BLUE if strength > 0 else ORANGE)).all()


@pytest.mark.parametrize("pane, sign", [("positive", 1), ("negative", -1), ("masked", 1)])
def test_transparent_panes_show_their_zones_and_nothing_else(watched, explained, pane, sign):
    task_id, zones, weights = explained
    original = pixels(watched, task_id, pane="original")
    picture = rgba(watched, task_id, pane=pane, scale=1 if pane != "masked" else 8)
    if pane == "masked":
        picture = picture[4::8, 4::8]
    inner = numpy.ones(zones.shape, bool)
    for axis in (0, 1):
        for step in (1, -1):
            inner &= numpy.roll(zones, step, axis) == zones
    shown = inner & (sign * weights[zones] > 0)
    hidden = inner & (sign * weights[zones] <= 0)
    assert shown.any() and hidden.any()
    assert (picture[shown][:, 3] == 255).all() and (picture[hidden][:, 3] == 0).all()
    assert (picture[shown][:, :3] == original[shown]).all()


def test_transparent_outlines_are_borders_on_nothing(watched, explained):
    task_id, zones, _ = explained
    alpha = rgba(watched, task_id, pane="outline", scale=1)[..., 3]
    borders = zones[:, 1:] != zones[:, :-1]
    assert set(numpy.unique(alpha)) == {0, 255} and (alpha[:, 1:][borders] == 255).all()


@pytest.mark.parametrize("pane, overlay", [("heatmap", "grey"), ("both", "original"), ("heatmap", "transparent")])
def test_a_legend_stands_below_the_picture(watched, explained, pane, overlay):
    task_id, _, _ = explained
    plain, with_legend = (numpy.asarray(Image.open(io.BytesIO(draw(
        watched, task_id, pane=pane, overlay=overlay, legend=legend).content))) for legend in (0, 1))
    height = plain.shape[0]
    assert with_legend.shape[0] > height + 30 and with_legend.shape[1:] == plain.shape[1:]
    assert (with_legend[:height] == plain).all()
    strip = with_legend[height:, :, :3].astype(int)
    bar = strip[14]
    reddish, bluish = bar[12] - bar[12].min(), bar[-13] - bar[-13].min()
    assert reddish[0] > 60 and bluish[2] > 40, "against on the left, for on the right"
    dark = (strip < 120).all(axis=2)[24:]
    third = strip.shape[1] // 3
    assert dark[:, :third].any() and dark[:, third:-third].any() and dark[:, -third:].any(), "three texts"


def test_as_json_the_zones_have_weights_and_colours(watched, explained):
    task_id, zones, weights = explained
    response = draw(watched, task_id, pane="heatmap", format="json", clip=0.3)
    assert response.headers["Content-Type"].startswith("application/json")
    found = response.json()
    assert (found["pane"], found["height"], found["width"]) == ("heatmap", *zones.shape)
    assert (labels({"labels": found["labels"]}, *zones.shape) == zones).all()
    for zone, weight in zip(found["zones"], weights, strict=True):
        share = abs(weight) / abs(weights).max()
        assert zone["weight"] == pytest.approx(weight) and zone["interval"][0] <= weight <= zone["interval"][1]
        assert zone["sign"] == ("none" if share < 0.3 else "positive" if weight > 0 else "negative")
        assert zone["colour"] == "#%02x%02x%02x" % (BLUE if weight >= 0 else ORANGE)


@pytest.mark.parametrize("params, told", [
    ({"pane": "sideways"}, "positive, negative, original, sheet, both, heatmap, outline, masked"),
    ({"pane": "heatmap", "overlay": "pink"}, "original, grey, black, transparent"),
    ({"pane": "heatmap", "color_map": "rainbow"}, "blue_orange, green_purple"),
    ({"pane": "heatmap", "alpha": "1.5"}, "0 to 1"),
    ({"pane": "heatmap", "alpha": "nan"}, "0 to 1"),
    ({"pane": "heatmap", "clip": "-1"}, "0 to 1"),
    ({"pane": "heatmap", "scale": "0"}, "1 to 16"),
    ({"pane": "heatmap", "scale": "17"}, "1 to 16"),
    ({"pane": "heatmap", "format": "gif"}, "png, svg, json"),
    ({"pane": "sheet", "overlay": "transparent"}, "sheet"),
    ({"pane": "original", "overlay": "transparent"}, "original"),
    ({"pane": "heatmap", "format": "svg", "overlay": "transparent"}, "PNG pictures, not for format=svg"),
    ({"overlay": "transparent"}, "not for pane=sheet"),
    ({"pane": "heatmap", "foo": "1"}, "pane, class, overlay, color_map, alpha, clip, scale, format, legend"),
    ({"width": "100"}, "pane, class, overlay"),
    ({"pane": "heatmap", "colormap": "green_purple"}, "color_map"),
    ({"pane": ["heatmap", "both"]}, "more than once"),
    ({"scale": ["2", "2"]}, "more than once"),
    ({"pane": "outline", "legend": "1"}, "heatmap"),
    ({"pane": "heatmap", "scale": "1", "legend": "1"}, "256"),
    ({"pane": "both", "format": "svg"}, "heatmap"),
    ({"pane": "heatmap", "legend": "yes"}, "0 to 1"),
])
def test_what_cannot_be_drawn_is_refused_by_name(watched, explained, params, told):
    task_id, _, _ = explained
    error = watched.client.refused("GET", f"/v2/explanation_tasks/{task_id}/image", 400, params=params)
    assert told in error["message"] and error["parameters"] == [list(params)[-1]]


def test_every_way_of_drawing_has_a_tag_of_its_own(watched, explained):
    task_id, _, _ = explained
    ways = [{"pane": "heatmap"}, {"pane": "both"}, {"pane": "heatmap", "alpha": 0.5}, {"pane": "heatmap", "clip": 0.5},
            {"pane": "heatmap", "scale": 2}, {"pane": "heatmap", "overlay": "black"}, {"pane": "heatmap", "format": "svg"},
            {"pane": "heatmap", "color_map": "green_purple"}, {"pane": "heatmap", "format": "svg", "legend": 0},
            {"pane": "heatmap", "legend": 1}, {"pane": "heatmap", "overlay": "transparent"},
            {"pane": "heatmap", "format": "json"}]
    tags = [draw(watched, task_id, **way).headers["ETag"] for way in ways]
    assert len(set(tags)) == len(tags)


def test_a_grey_image_of_one_row_is_drawn_too(watched):
    task_id, _ = watched.explained([[[10], [250], [20], [240], [30], [230], [40], [220]]])
    for pane in ("heatmap", "both", "outline", "masked"):
        assert pixels(watched, task_id, pane=pane).shape == (32, 256, 3)
