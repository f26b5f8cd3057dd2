# SPDX-License-Identifier: Apache-2.0
"""What people would see: the same photos explained by explaind, lime, shap and captum, each drawn in its own way.

All of them ask the same HTTP endpoint. Each has its own defaults here (superpixels, what is hidden by what, drawing),
because that is what its users look at. Run it with scripts/bench --peers --pictures FILE.
"""
import io
import tempfile
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

SIDE = 384          # of a panel
SAMPLES = 1000      # lime's and captum's
EVALUATIONS = 500   # shap's


def panel(figure):
    """A figure of matplotlib as an image, its margins cut off."""
    data = io.BytesIO()
    figure.savefig(data, dpi=110, bbox_inches="tight", pad_inches=0.02)
    pyplot.close(figure)
    return Image.open(data).convert("RGB")


def explaind_panels(watched, image, label):
    task_id, _ = watched.explained(image.tolist(), classes=[str(label)], deadline_ms=900_000)
    path = f"/v2/explanation_tasks/{task_id}"
    calls = watched.client.get(f"{path}/attributions")["entity"]["model"]["images"]
    drawn = [Image.open(io.BytesIO(watched.client.request("GET", f"{path}/image", params={
        "pane": pane, "class": str(label), "scale": 3, "legend": 1 if pane == "heatmap" else 0}).content)).convert("RGB")
        for pane in ("heatmap", "positive")]
    return calls, drawn


def lime_panels(endpoint, image, label):
    from lime.lime_image import LimeImageExplainer
    from skimage.segmentation import mark_boundaries
    found = LimeImageExplainer(random_state=0).explain_instance(
        image, endpoint, labels=(label,), top_labels=None, num_samples=SAMPLES, batch_size=10, random_seed=0)
    shown, mask = found.get_image_and_mask(label, positive_only=False, num_features=5)
    return [Image.fromarray((mark_boundaries(shown / 255, mask) * 255).astype(np.uint8))]


def shap_panels(endpoint, image, label):
    import shap
    mean = np.broadcast_to(image.mean(axis=(0, 1)), image.shape).copy()
    explainer = shap.Explainer(lambda images: endpoint(images)[:, [label]], shap.maskers.Image(mean, image.shape))
    found = explainer(image[None].astype(float), max_evals=EVALUATIONS, batch_size=10, silent=True)
    shap.image_plot([found.values[..., 0]], image[None] / 255, show=False)
    return [panel(pyplot.gcf())]


def captum_panels(endpoint, image, label):
    import captum.attr
    import torch
    from captum.attr import visualization
    from skimage.segmentation import slic
    torch.manual_seed(0)
    zones = torch.tensor(slic(image, n_segments=16, start_label=0))[None, ..., None]
    forward = lambda images: torch.tensor(endpoint(images.numpy())[:, label])  # noqa: E731
    found = captum.attr.KernelShap(forward).attribute(
        torch.tensor(image.astype(float))[None], baselines=0, feature_mask=zones, n_samples=SAMPLES,
        perturbations_per_eval=10)
    figure, _ = visualization.visualize_image_attr(found[0].numpy(), image, method="blended_heat_map", sign="all",
                                                   show_colorbar=True, use_pyplot=False)
    return [panel(figure)]


def row(watched, endpoint, name, image):
    """The panels of one photo, each with its title."""
    probabilities = endpoint(image[None])[0]
    label = int(np.argmax(probabilities))
    calls, drawn = explaind_panels(watched, image, label)
    row = [(f"{name}: {probabilities[label]:.0%}", Image.fromarray(image)),
           (f"explaind, {calls} calls", drawn[0]), ("explaind, pane", drawn[1])]
    for peer, draw in (("lime", lime_panels), ("shap Partition", shap_panels), ("captum KernelShap", captum_panels)):
        endpoint.calls = 0
        drawn = draw(endpoint, image, label)
        row.append((f"{peer}, {endpoint.calls} calls", drawn[0]))
    return row


def draw(rows, path):
    columns = len(rows[0])
    figure, axes = pyplot.subplots(len(rows), columns, figsize=(3.1 * columns, 3.2 * len(rows)), squeeze=False)
    for line, panels in zip(axes, rows):
        for axis, (title, image) in zip(line, panels):
            axis.imshow(image, interpolation="nearest")
            axis.set_title(title, fontsize=10)
            axis.axis("off")
    figure.tight_layout()
    figure.savefig(path, dpi=80)


def main(path, names, model, start):
    """`start(folder, model)`: the model server, the daemon, a subscription and the endpoint, as compare.py starts them."""
    import tables
    with tempfile.TemporaryDirectory(prefix="explaind-peers-") as folder:
        watched, endpoint, stop = start(Path(folder), model)
        rows = []
        for name in names:
            _, crop = next(tables.crops(tables.find_photo(name)))
            image = np.asarray(crop.resize((128, 128), Image.Resampling.LANCZOS))
            rows.append(row(watched, endpoint, Path(name).stem, image))
        stop()
    draw(rows, path)
