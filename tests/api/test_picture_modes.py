# SPDX-License-Identifier: Apache-2.0
"""What the model is sent of a logged picture that is neither 8-bit grey, RGB nor RGBA, or says that it is turned."""
import base64
import io
import json

import numpy
import pytest
from PIL import Image
from support.client import Watched, wait_for

PATH = "/v1/models/m:predict"


def as_file(picture, form="PNG", **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def grey():
    return Image.fromarray((numpy.arange(12 * 20) % 251).astype(numpy.uint8).reshape(12, 20))


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return as_file(grey().convert("RGB"), "JPEG", exif=exif)


SIXTEEN = Image.fromarray(numpy.asarray(grey(), numpy.uint16) * 257)
FILES = {
    "grey": (as_file(grey()), "L"),
    "grey of one bit": (as_file(grey().convert("1")), "L"),
    "grey of sixteen bits": (as_file(SIXTEEN), "L"),
    "grey with alpha": (as_file(grey().convert("LA")), "L"),
    "grey with a colour that is transparent": (as_file(grey(), transparency=7), "L"),
    "RGB with a colour that is transparent": (as_file(grey().convert("RGB"), transparency=(7, 7, 7)), "RGB"),
    "RGB": (as_file(grey().convert("RGB")), "RGB"),
    "RGB with alpha": (as_file(grey().convert("RGBA")), "RGBA"),
    "a palette": (as_file(grey().quantize(5)), "RGB"),
    "a palette with alpha": (as_file(grey().quantize(5), transparency=0), "RGBA"),
    "a grey JPEG": (as_file(grey(), "JPEG"), "L"),
    "a JPEG": (as_file(grey().convert("RGB"), "JPEG"), "RGB"),
    "a CMYK JPEG": (as_file(grey().convert("CMYK"), "JPEG"), "RGB"),
    "a turned JPEG": (turned(), "RGB"),
}


@pytest.mark.parametrize("kind", FILES)
def test_the_model_is_sent_eight_bits_of_one_three_or_four_channels(api, model, kind):
    file, mode = FILES[kind]
    seen = []

    def watch(path, headers, body):
        rows = json.loads(body)["instances"]
        seen.extend(Image.open(io.BytesIO(base64.b64decode(row["b64"]))) for row in rows)
        return 200, json.dumps({"predictions": [[0.25, 0.75]] * len(rows)}).encode()

    model.answer = watch
    watched = Watched(api, model, path=PATH)
    request = {"instances": [{"b64": base64.b64encode(file).decode()}]}
    [scoring_id] = api.post(watched.records_path, [{"request": request, "response": {"predictions": [[0.25, 0.75]]},
                                                    "scoring_id": "one"}], 202)["scoring_ids"]
    [task_id] = watched.explain(scoring_id, parameters={"image": {"segmentation": {"algorithm": "grid", "rows": 1,
                                                                                   "columns": 2}}})
    assert wait_for(api, task_id)["entity"]["status"]["state"] == "finished"
    assert {picture.mode for picture in seen} == {mode} and {picture.size for picture in seen} == {(20, 12)}
    if file.startswith(b"\x89PNG") and mode == "L" and "one bit" not in kind:
        assert any((numpy.asarray(picture) == numpy.asarray(grey())).all() for picture in seen), "no value is changed"
