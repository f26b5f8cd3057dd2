# SPDX-License-Identifier: Apache-2.0
"""Images of few different floats take little room and come back as they were logged, whoever reads them."""
import json
import sqlite3

import numpy
import pytest
from support.client import wait_for
from support.data import explaind, until

SIDE = 40
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def floats(seed, normalised):
    image = numpy.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3)) / 255
    return ((image - MEAN) / DEVIATION if normalised else image).tolist()


def stored(daemon) -> list[bytes]:
    with sqlite3.connect(f"file:{daemon.data}/explaind.db?mode=ro", uri=True) as database:
        return [row[0] for row in database.execute("SELECT request FROM request_texts ORDER BY id")]


def log(own, image, scoring_id):
    return own.client.post(own.records_path, [{**own.transaction(image), "scoring_id": scoring_id}])


# A pixel of noise takes a byte a number and, of three times as many texts, ten bits; a text a dozen bytes.
@pytest.mark.parametrize("normalised, most", [(False, 1.6), (True, 3.6)])
def test_a_number_takes_hardly_more_than_which_of_the_texts_it_is(own, normalised, most):
    image = floats(1, normalised)
    log(own, image, "a")
    [request] = stored(own.daemon)
    assert len(request) < most * SIDE * SIDE * 3 < len(json.dumps(image)) / 5
    [row] = own.values(includes="scoring_input")
    assert row["scoring_input"] == image


def test_they_are_explained_exported_backed_up_checked_and_dropped(own, tmp_path):
    images = {"a-1": floats(1, False), "b-1": floats(2, True)}
    for scoring_id, image in images.items():
        log(own, image, scoring_id)
    [task_id] = own.explain("b-1")
    assert wait_for(own.client, task_id)["entity"]["status"]["state"] == "finished"
    copy = tmp_path / "copy.db"
    assert explaind("backup", copy, "--data", own.daemon.data).returncode == 0
    exported = explaind("export", "records", "--includes", "scoring_input,scoring_id", copy).stdout.splitlines()
    rows = [json.loads(line)["entity"]["values"] for line in exported]
    assert {row["scoring_id"]: row["scoring_input"] for row in rows} == images
    path = f"/v2/data_sets/{own.data_set_id}/purges"
    made = own.client.post(path, {"scoring_ids": ["a-1"], "pixels_only": True})
    until(lambda: own.client.get(f"{path}/{made['metadata']['id']}")["entity"]["state"] == "finished")
    rows = own.values(includes="scoring_id,scoring_input")
    assert {row["scoring_id"]: row["scoring_input"] for row in rows} == {**images, "a-1": None}
    assert len(stored(own.daemon)) == 1
    own.daemon.stop()
    for database in (["--data", own.daemon.data], [copy]):
        checked = explaind("fsck", *database)
        assert checked.returncode == 0, checked.stdout


def test_fsck_finds_a_damaged_text(own):
    log(own, floats(1, True), "a")
    own.daemon.stop()
    with sqlite3.connect(own.daemon.data / "explaind.db") as database:
        [(request,)] = database.execute("SELECT request FROM request_texts")
        database.execute("UPDATE request_texts SET request = ?", (request[:2000] + b"\0\1\2\3" + request[2004:],))
    checked = explaind("fsck", "--data", own.daemon.data)
    assert checked.returncode == 1, checked.stdout
