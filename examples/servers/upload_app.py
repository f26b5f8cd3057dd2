# SPDX-License-Identifier: Apache-2.0
"""FastAPI: a picture uploaded as a file in a form, as from a web page; the scores of all classes by name."""
from fastapi import FastAPI, Form, HTTPException, UploadFile
from onnx_model import OnnxModel

app = FastAPI()
model = OnnxModel()


@app.post("/classify")
def classify(image: UploadFile, sorted_by_score: bool = Form(False)):
    try:
        picture = model.picture(image.file.read())
    except OSError as error:
        raise HTTPException(400, f"image: {error}") from error
    scores = {f"class {i}": float(p) for i, p in enumerate(model.score([picture])[0])}
    if sorted_by_score:
        scores = dict(sorted(scores.items(), key=lambda item: -item[1]))
    return {"file": image.filename, "scores": scores}
