# SPDX-License-Identifier: Apache-2.0
"""`explaind explain`: one image at a shell."""
import json
import os
import re
import signal
import subprocess
import xml.etree.ElementTree as xml

import numpy
import pytest
from PIL import Image
from support.images import blocks, read_png
from support.paths import program
from support.processes import SANITIZER

PATH = "/ml/v4/deployments/d1/predictions"


@pytest.fixture
def photo(tmp_path):
    """A picture of six blocks as a file."""
    pixels = numpy.array(blocks(n=6, height=24, width=48))
    Image.fromarray((pixels * (255 if pixels.max() <= 1 else 1)).astype(numpy.uint8)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def command(*words):
    return [str(word) for word in (program("explaind"), "explain", *words)]


def explain(*words, expect=0, **environment):
    done = subprocess.run(command(*words), capture_output=True, text=True, timeout=60, env={**os.environ, **environment})
    assert not SANITIZER.search(done.stderr), done.stderr[-4000:]
    assert done.returncode == expect, f"{done.stdout}{done.stderr}"
    return done


def test_zones_and_verdict_are_told_in_words(photo, stub_model):
    done = explain(photo, "--model", stub_model.url + PATH, "--fill", "black")
    assert "6 zones, 64 model calls (all_masks, complete)" in done.stdout
    assert done.stdout.count("\nclass ") == 2 and done.stdout.count("verdict: high. ") == 2
    assert not done.stderr, "no bar where nobody looks"


def test_an_explanation_that_cannot_be_printed_is_no_success(photo, stub_model):
    with open("/dev/full", "w") as full:
        done = subprocess.run(command(photo, "--model", stub_model.url + PATH, "--json"), stdout=full, timeout=60)
    assert done.returncode == 74


def test_json_has_the_numbers_of_the_attributions(photo, stub_model):
    entity = json.loads(explain(photo, "--model", stub_model.url + PATH, "--json", "--class", "0").stdout)["entity"]
    [only] = entity["classes"]
    assert only["value"] == "0" and len(only["weights"]) == entity["segmentation"]["count"] == 6
    assert entity["model"]["images"] >= 64 and entity["image"]["range"]["kind"] == "byte"


def test_zones_that_are_enough_and_zones_that_change_the_class(photo, model, tmp_path):
    url = model.url + PATH
    done = explain(photo, "--model", url, "--fill", "black", "--contrastive")
    assert "enough for the class: zones" in done.stdout and "hidden, they change the class: zones" in done.stdout
    for pane in ("pertinent_positive", "pertinent_negative"):
        explain(photo, "--model", url, "--fill", "black", "--pane", pane, "-o", tmp_path / "set.png")
        assert read_png((tmp_path / "set.png").read_bytes()).shape[1] >= 256


@pytest.mark.parametrize("name", ["slic", "felzenszwalb", "grid"])
def test_superpixels_of_another_kind(photo, stub_model, name):
    entity = json.loads(explain(photo, "--model", stub_model.url + PATH, "--json", "--superpixels", name, "--zones",
                                "8").stdout)["entity"]
    assert entity["segmentation"]["algorithm"] == name


def test_from_coarse_to_fine(photo, stub_model):
    entity = json.loads(explain(photo, "--model", stub_model.url + PATH, "--json", "--superpixels", "slic", "--zones", "4",
                                "--refine", "17").stdout)["entity"]
    assert entity["parameters"]["image"]["segmentation"]["refine"] == 17
    assert entity["segmentation"]["count"] <= 17


@pytest.mark.parametrize("words, kind", [([], "byte"), (["--range", "0..1"], "unit"), (["--range", "-1..1"], "signed")])
def test_values_are_sent_in_the_models_range(photo, model, words, kind):
    seen = []
    answer = model.answer

    def watch(path, headers, body):
        seen.extend(json.loads(body)["input_data"][0]["values"])
        return answer(path, headers, body)

    model.answer = watch
    explain(photo, "--model", model.url + PATH, "--size", "12x24", "--fill", "black", *words)
    low, high = {"byte": (0, 255), "unit": (0, 1), "signed": (-1, 1)}[kind]
    values = numpy.array(seen, float)
    assert values.shape[1:] == (12, 24, 3) and values.min() == low and low < values.max() <= high


def test_grey_images_keep_one_channel_and_plain_formats_their_shape(photo, model):
    seen = []

    def plain(path, headers, body):
        images = json.loads(body)["values"]
        seen.extend(images)
        return 200, json.dumps({"fields": ["probability"], "values": [[[0.5, 0.5]] for _ in images]}).encode()

    model.answer = plain
    done = explain(photo, "--model", model.url + "/v1/deployments/d1/online", "--format", "custom", "--channels", "1")
    assert numpy.array(seen).shape[1:] == (24, 48, 1)
    assert "No zone matters" in done.stdout


def test_tiny_weights_are_written_with_digits_that_show_them(photo, model, tmp_path):
    model.probabilities = lambda picture: [0.0005 * numpy.mean(picture) / 255, 0.9]
    done = explain(photo, "--model", model.url + PATH, "--fill", "black", "--class", "0", "-o", tmp_path / "heat.svg")
    weights = [float(line.split()[1]) for line in done.stdout.splitlines() if line.endswith(("tive", "open", "gible"))]
    entity = json.loads(explain(photo, "--model", model.url + PATH, "--fill", "black", "--class", "0", "--json").stdout)["entity"]
    [only] = entity["classes"]
    largest = max(map(abs, only["weights"]))
    assert 0 < largest < 0.0005 and weights == pytest.approx(only["weights"], abs=0.01 * largest)
    texts = [node.text for node in xml.parse(tmp_path / "heat.svg").iter("{http://www.w3.org/2000/svg}text")]
    assert float(texts[0]) == pytest.approx(largest, rel=0.05) and float(texts[2]) == -float(texts[0])


def test_numbers_are_told_when_there_is_nothing_to_draw(photo, model, tmp_path):
    model.probabilities = lambda picture: [0.4, 0.6]
    words = (photo, "--model", model.url + PATH, "--pane", "pertinent_negative", "-o", tmp_path / "set.png")
    done = explain(*words, expect=64)
    assert "no such set of zones was found" in done.stderr and "verdict: " in done.stdout
    assert json.loads(explain(*words, "--json", expect=64).stdout)["entity"]["contrastive"]["negative"] is None


def test_pictures_are_written(photo, stub_model, tmp_path):
    explain(photo, "--model", stub_model.url + PATH, "-o", tmp_path / "heat.png")
    explain(photo, "--model", stub_model.url + PATH, "-o", tmp_path / "pane.png", "--pane", "positive")
    explain(photo, "--model", stub_model.url + PATH, "-o", tmp_path / "heat.svg")
    assert max(read_png((tmp_path / "heat.png").read_bytes()).shape) >= 256
    assert read_png((tmp_path / "pane.png").read_bytes()).shape == (24, 48, 3)
    assert xml.parse(tmp_path / "heat.svg").getroot().tag.endswith("svg")


@pytest.mark.parametrize("width, height, size, noted", [(5, 7, (260, 364 + 44), False), (2, 300, (2, 300), True)])
def test_narrow_pictures_are_drawn_with_the_scale_where_it_fits(model, tmp_path, width, height, size, noted):
    values = numpy.random.default_rng(3).integers(0, 256, (height, width, 3)).astype(numpy.uint8)
    Image.fromarray(values).save(tmp_path / "narrow.png")
    done = explain(tmp_path / "narrow.png", "--model", model.url + PATH, "--fill", "black", "-o", tmp_path / "heat.png")
    assert Image.open(tmp_path / "heat.png").size == size
    assert ("too narrow for the scale" in done.stderr) == noted


def test_a_heat_map_of_what_no_weight_shows_has_no_colour(photo, model, tmp_path):
    """A parity of zones, of which the calls made leave every sign open, must not look like an explanation."""
    shown = numpy.asarray(Image.open(photo), float)

    def parity(picture):
        there = (abs(numpy.asarray(picture, float).reshape(shown.shape) - shown).max(axis=2) < 2)
        cells = there.reshape(4, 6, 4, 12).all(axis=(1, 3)).ravel()[:6]
        return [0.5 + 0.4 * (-1) ** int(cells.sum()), 0.5 - 0.4 * (-1) ** int(cells.sum())]

    values = numpy.random.default_rng(4).integers(1, 256, shown.shape).astype(numpy.uint8)
    Image.fromarray(values).save(photo)
    shown = values.astype(float)
    model.probabilities = parity
    words = (photo, "--model", model.url + PATH, "--superpixels", "grid", "--fill", "black", "--budget", "64")
    entity = json.loads(explain(*words, "--json", "-o", tmp_path / "heat.png").stdout)["entity"]
    assert set(entity["classes"][0]["decisions"]) == {"open"} and entity["classes"][0]["verdict"]["level"] == "low"
    drawn = numpy.asarray(Image.open(tmp_path / "heat.png")).astype(int)[:-44]
    assert (drawn == drawn[..., :1]).all(), "grey, as the backdrop is"
    explain(*words, "-o", tmp_path / "heat.svg")
    document = xml.parse(tmp_path / "heat.svg").getroot()
    svg = "{http://www.w3.org/2000/svg}"
    assert {path.get("fill-opacity") for path in document.iter(f"{svg}path")} == {"0.000"}
    assert "no zone is" in {text.text for text in document.iter(f"{svg}tspan")}


def test_the_same_command_says_the_same(photo, stub_model):
    words = (photo, "--model", stub_model.url + PATH, "--json", "--fill", "noise", "--seed", "7")
    first, second = (json.loads(explain(*words).stdout)["entity"] for _ in range(2))
    assert first["classes"] == second["classes"]


def test_credentials_come_from_the_environment(photo, model):
    explain(photo, "--model", model.url + PATH, EXPLAIND_TOKEN="a-token")
    assert {headers["Authorization"] for headers in model.headers} == {"Bearer a-token"}


@pytest.mark.parametrize("words, status, told", [
    ([], 64, "--model"), (["--model", "URL", "--size", "big"], 64, "HxW"),
    (["--model", "URL", "--channels", "2"], 64, "1 or 3"), (["--model", "URL", "--range", "0..7"], 64, "--range"),
    (["--model", "URL", "--fill", "red"], 64, "--fill: "), (["--model", "URL", "--budget", "few"], 64, "--budget"),
    (["--model", "URL", "--zones", "99"], 64, "--zones: "), (["--model", "URL", "--pane", "all"], 64, "--pane"),
    (["--model", "URL", "--pane", "both", "-o", "x.svg"], 64, "SVG"),
    (["--model", "URL", "--class", "99"], 64, "class"), (["--model", "URL", "-o", "/nowhere/x.png"], 64, "/nowhere"),
    (["--model", "URL", "--budget", "5"], 64, "--budget: "), (["--model", "URL", "--design", "best"], 64, "--design: "),
    (["--model", "URL", "--superpixels", "grid", "--refine", "20"], 64, "--refine: "),
    (["--model", "URL", "--refine", "20", "--zones", "20"], 64, "larger than --zones"),
    (["--model", "URL", "--fill", "image"], 64, "--fill image"), (["--model", "URL", "-o", "x.jpg"], 64, "x.jpg"),
    (["--model", "URL", "--design", "exact", "--superpixels", "grid", "--budget", "64"], 64, "--budget: 64 model calls"),
    (["--model", "URL", "--class-labels", "/nowhere/names"], 64, "--class-labels: /nowhere/names cannot"),
    (["--model", "http://127.0.0.1:9/"], 69, "reached"),
    (["--model", "ftp://127.0.0.1/"], 64, "--model must start with http:// or https://"),
    (["--model", "http://me:secret@127.0.0.1/"], 64, "--model must not hold user and password"),
])
def test_what_is_wrong_is_told_with_a_status(photo, stub_model, words, status, told):
    done = explain(photo, *[stub_model.url + PATH if word == "URL" else word for word in words], expect=status)
    assert told in done.stderr and not done.stdout


def test_a_file_that_cannot_be_written_is_refused_before_the_model_is_asked(photo, model, tmp_path):
    explain(photo, "--model", model.url + PATH, "-o", tmp_path / "heat.jpg", expect=64)
    assert not model.calls and not (tmp_path / "heat.jpg").exists()
    assert "No such file" in explain(photo, "--model", model.url + PATH, "-o", tmp_path / "none" / "heat.png", expect=64).stderr
    assert not model.calls
    (tmp_path / "with.dot").mkdir()
    explain(photo, "--model", model.url + PATH, "-o", tmp_path / "with.dot" / "heat")
    assert (tmp_path / "with.dot" / "heat").read_bytes().startswith(b"\x89PNG")


def test_logits_are_told_by_the_option_that_reads_them(photo, model):
    model.probabilities = lambda picture: [-3.0, 4.5]
    told = explain(photo, "--model", model.url + PATH, expect=69).stderr
    assert "set --activation to softmax" in told and "asset_properties" not in told


def test_a_model_that_names_the_best_few_is_explained_with_all_names(photo, model, tmp_path):
    names = ["cat", "dog", "fox", "owl"]

    def best_two(path, headers, body):
        images = numpy.array(json.loads(body)["input_data"][0]["values"], float)
        left = images[:, :, :24].mean(axis=(1, 2, 3)) / 255
        rows = [{"predictions": [{"label": "owl", "score": 0.3 + 0.5 * p}, {"label": "cat", "score": 0.4 * (1 - p)}]}
                for p in left]
        return 200, json.dumps(rows).encode()

    model.answer = best_two
    (tmp_path / "names").write_bytes("\r\n".join(names).encode())
    words = (photo, "--model", model.url + PATH, "--fill", "black")
    assert "owl" in explain(*words, "--class-labels", tmp_path / "names").stdout
    said = json.loads(explain(*words, "--class-labels", tmp_path / "names", "--json").stdout)["entity"]["warnings"]
    assert any("named only its most probable classes" in text for text in said)
    (tmp_path / "names").write_text("cat\n\nowl\n")
    assert "line 2" in explain(*words, "--class-labels", tmp_path / "names", expect=64).stderr
    (tmp_path / "names").write_text("cat\ncat\ncat (0)\n")
    assert "twice" in explain(*words, "--class-labels", tmp_path / "names", expect=64).stderr
    (tmp_path / "names").write_text("cat\ndog\n")
    told = explain(*words, "--class-labels", tmp_path / "names", expect=69).stderr
    assert "--class-labels can name all of them" in told


def test_two_classes_with_one_name_are_told_apart_by_their_index(photo, model, tmp_path):
    """As in ImageNet: two cranes, two maillots."""
    def scores(picture):
        left = numpy.array(picture, float)[:, :24].mean() / 255
        return [0.1, 0.2 * (1 - left), 0.5 + 0.2 * left, 0.2]

    model.probabilities = scores
    (tmp_path / "names").write_text("crane\ncat\ncrane\nowl\n")
    words = (photo, "--model", model.url + PATH, "--fill", "black", "--json")
    by_file = json.loads(explain(*words, "--class-labels", tmp_path / "names").stdout)["entity"]["classes"][0]
    assert by_file["label"] == "crane (2)"

    def with_labels(path, headers, body):
        images = json.loads(body)["input_data"][0]["values"]
        return 200, json.dumps({"fields": ["probabilities"], "labels": ["crane", "cat", "crane", "owl"],
                                "values": [[scores(picture)] for picture in images]}).encode()

    model.answer = with_labels
    by_answer = json.loads(explain(*words).stdout)["entity"]["classes"][0]
    assert by_answer["label"] == "crane (2)" and by_answer["weights"] == by_file["weights"]


def test_answers_that_name_ever_other_classes_are_told_how_to_be_read(photo, model):
    def best_one(path, headers, body):
        rows = [[{"label": "cat" if numpy.max(image) > 200 else "dog", "score": 0.6}, {"label": "owl", "score": 0.3}]
                for image in json.loads(body)["input_data"][0]["values"]]
        return 200, json.dumps({"predictions": rows}).encode()

    model.answer = best_one
    told = explain(photo, "--model", model.url + PATH, "--fill", "black", expect=69).stderr
    assert "labels of an answer differ" in told and "--class-labels can name all of them" in told


def test_what_is_no_percentage_is_told_as_it_came(photo, model):
    model.probabilities = lambda picture: [128.5, 1.0]
    told = explain(photo, "--model", model.url + PATH, "--activation", "percent", expect=69).stderr
    assert "128.5 is no percentage: numbers from 0 to 100" in told


@pytest.mark.parametrize("mode, noted", [("RGB", False), ("L", False), ("RGBA", True), ("LA", True)])
def test_a_picture_with_an_alpha_channel_is_taken_without_it_and_says_so(photo, stub_model, mode, noted):
    picture = Image.open(photo).convert(mode)
    picture.save(photo)
    done = explain(photo, "--model", stub_model.url + PATH, "--fill", "black")
    assert ("alpha channel" in done.stderr) == noted


@pytest.mark.parametrize("orientation, noted", [(None, False), (1, False), (6, True)])
def test_a_picture_that_says_it_is_turned_is_taken_as_it_is_stored(photo, stub_model, orientation, noted):
    exif = Image.Exif()
    exif[0x010f] = "a camera"
    if orientation:
        exif[0x0112] = orientation
    picture = Image.open(photo)
    picture.save(photo.with_suffix(".jpg"), exif=exif)
    done = explain(photo.with_suffix(".jpg"), "--model", stub_model.url + PATH, "--fill", "black", "--json")
    assert ("EXIF orientation 6" in done.stderr) == noted
    image = json.loads(done.stdout)["entity"]["image"]
    assert (image["width"], image["height"]) == picture.size


def test_a_deadline_that_passes_tells_how_far_it_came(photo, model):
    model.stick_after(4)
    told = explain(photo, "--model", model.url + PATH, "--fill", "black", "--deadline", "2000", expect=69).stderr
    model.release()
    found = re.search(r"deadline passed when (\d+) of the first 64 images were scored: a longer deadline helps", told)
    assert found and 0 < int(found[1]) < 64


def test_a_model_that_fails_is_told_with_what_shows_its_answer(photo, model):
    model.answer = lambda path, headers, body: (400, b'{"error": "a side of 128 is expected"}')
    told = explain(photo, "--model", model.url + PATH, expect=69).stderr
    assert "refused the call with status 400" in told and "explaind probe URL --image FILE" in told


def test_a_cameras_picture_is_scaled_to_the_models_size(tmp_path, stub_model):
    grey = numpy.tile(numpy.repeat([0, 80, 160, 255], 1500).astype(numpy.uint8), (4000, 1))
    Image.fromarray(grey).save(tmp_path / "camera.jpg")
    words = (tmp_path / "camera.jpg", "--model", stub_model.url + PATH, "--fill", "black")
    image = json.loads(explain(*words, "--size", "24x48", "--json").stdout)["entity"]["image"]
    assert (image["height"], image["width"]) == (24, 48)
    told = explain(*words, expect=65).stderr
    assert "is 4000 x 6000 pixels; a side has at most 4096" in told and "--size" in told


def test_what_is_no_image_is_said_to_be_none(tmp_path, stub_model):
    (tmp_path / "text").write_text("no picture")
    assert "no picture" in explain(tmp_path / "text", "--model", stub_model.url + PATH, expect=65).stderr
    for name, why in (("none", "none cannot be opened: No such file or directory"), ("", "cannot be read: Is a directory")):
        assert why in explain(tmp_path / name, "--model", stub_model.url + PATH, expect=65).stderr


def test_an_interrupt_ends_it_cleanly(photo, model):
    model.hold()
    running = subprocess.Popen(command(photo, "--model", model.url + PATH), stderr=subprocess.PIPE, text=True)
    assert model.asked.wait(30)
    running.send_signal(signal.SIGINT)
    _, stderr = running.communicate(timeout=30)
    assert running.returncode == 130 and "cancelled" in stderr
    model.release()


@pytest.mark.parametrize("name", ["parameters.png", "max_segments-1.png", "image.fill.png"])
def test_names_of_files_are_told_as_they_are(tmp_path, name):
    stderr = explain(tmp_path / name, "--model", "http://127.0.0.1:1/x", expect=65).stderr
    assert f"{tmp_path / name} cannot be opened" in stderr
