# SPDX-License-Identifier: Apache-2.0
"""Models that are no networks: forests, trees, neighbours and others, trained on digits of scikit-learn, 28 x 28.

Nothing was tuned on them. Prints a row for each model and mode; needs the release build. An argument is the name of one.
"""
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

sys.path.insert(0, str(Path(__file__).parent))
from study import judge, line, run  # noqa: E402
from tables import FILLS, Picture, Table, hidden, segment  # noqa: E402

MODELS = {
    "a random forest": RandomForestClassifier(200, random_state=0), "extra trees": ExtraTreesClassifier(100, random_state=0),
    "a decision tree": DecisionTreeClassifier(random_state=0), "15 nearest neighbours": KNeighborsClassifier(15),
    "a support vector machine": CalibratedClassifierCV(SVC(), ensemble=False), "logistic regression": LogisticRegression(max_iter=300),
    "naive Bayes": GaussianNB(var_smoothing=1e-2), "boosted trees": HistGradientBoostingClassifier(max_iter=40, random_state=0),
}
MODES = {"auto": ["auto"], "auto, 256 calls": ["auto", "256"], "adaptive": ["adaptive", "512", "0"]}
ASKED = slice(0, 160, 8)    # of every seventh digit, which no model has seen


def enlarged(digit):
    return np.asarray(Image.fromarray((digit / 16 * 255).astype(np.uint8)).resize((28, 28), Image.Resampling.BICUBIC))


def tables_of(model, name, pictures):
    for number, pixels, d, labels in pictures:
        shown = (np.arange(1 << d)[:, None] >> np.arange(d) & 1).astype(bool)[:, labels]
        for fill in FILLS:
            images = np.where(shown[..., None], pixels, hidden(pixels, labels, d, fill))
            scores = model.predict_proba(images.reshape(len(images), -1) / 255).astype(float)
            best = np.argsort(-scores[-1], kind="stable")[:2]
            yield Table(Picture(name, f"digit {number}", True, pixels), fill, d, scores[:, best])


def main():
    digits = load_digits()
    images = np.stack([enlarged(digit) for digit in digits.images])
    unseen = np.arange(len(images)) % 7 == 0
    pictures = []
    for number in np.flatnonzero(unseen)[ASKED]:
        d, labels = segment(images[number][:, :, None])
        if d >= 9:
            pictures.append((number, images[number][:, :, None], d, labels))
    print("| model, mode | cases | calls: median / mean / p90 | error | of LIME, 1000 / 5000 samples | worse than LIME@5000 "
          "| wrong signs | covered |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in sys.argv[1:] or MODELS:
        model = MODELS[name].fit(images[~unseen].reshape((~unseen).sum(), -1) / 255, digits.target[~unseen])
        found = list(tables_of(model, name, pictures))
        for mode, question in MODES.items():
            print(line(f"{name}, {mode}", [judge(*pair, 5) for pair in zip(found, run(question, found))]), flush=True)


if __name__ == "__main__":
    main()
