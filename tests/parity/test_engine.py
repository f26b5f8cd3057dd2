# SPDX-License-Identifier: Apache-2.0
"""The numerical core against scikit-learn, lime and the definitions written out in numpy."""
import os
import pathlib
import subprocess

import pytest

np = pytest.importorskip("numpy")
fit_cases = pytest.importorskip("fit_cases")
TOOL = pathlib.Path(os.environ.get("EXPLAIND_BUILD", "build/release")) / "engine_tool"
CASES = {case[0]: case for case in fit_cases.cases()}

if not TOOL.exists():
    pytest.skip(f"{TOOL} is not built (set EXPLAIND_BUILD)", allow_module_level=True)


def run(*arguments, text=""):
    done = subprocess.run([TOOL, *map(str, arguments)], input=text, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def fit(case):
    lines = [line.split() for line in run("fit", text=fit_cases.text_of(*case))]
    return {words[0]: np.array(words[1:], float) for words in lines if words[0] != "case"}


def masks_of(*arguments):
    """The stages of a design: each the masks up to its end."""
    masks, repeats, stages = [], [], []
    for first, second in (line.split() for line in run("masks", *arguments)):
        if first == "stage":
            stages.append((second, list(masks)))
        else:
            masks.append(int(first, 16))
            repeats.append(int(second))
    return masks, repeats, stages


@pytest.mark.parametrize("name", CASES)
def test_all_figures_follow_their_definitions(name):
    ours, definition = fit(CASES[name]), fit_cases.expected(*CASES[name][1:])
    for key, values in definition.items():
        np.testing.assert_allclose(ours[key], values, rtol=0, atol=1e-9, err_msg=key)


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name][5] == 0])
def test_weighted_least_squares_equals_scikit_learn(name):
    linear_model = pytest.importorskip("sklearn.linear_model")
    _, masks, _, scores, d, _ = CASES[name]
    rows = fit_cases.bits(masks, d)
    weights = fit_cases.kernel(rows)
    model = linear_model.LinearRegression().fit(rows, scores, sample_weight=weights)
    ours = fit(CASES[name])
    np.testing.assert_allclose(ours["coefficients"], [model.intercept_, *model.coef_], rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours["r2"], model.score(rows, scores, sample_weight=weights), rtol=0, atol=1e-9)


@pytest.mark.parametrize("d,samples", [(5, 100), (9, 1000), (11, 5000)])
def test_reference_equals_lime_on_the_same_masks(d, samples):
    lime_base = pytest.importorskip("lime.lime_base")
    pairwise = pytest.importorskip("sklearn.metrics").pairwise_distances
    random = np.random.RandomState(samples)
    data = random.randint(0, 2, samples * d).reshape(samples, d)
    data[0] = 1
    masks, first, back, repeats = np.unique(data @ (1 << np.arange(d)), return_index=True, return_inverse=True,
                                            return_counts=True)
    scores = fit_cases.additive_and_pairs(masks, d, d)
    base = lime_base.LimeBase(lambda distance: np.sqrt(np.exp(-(distance ** 2) / 0.25 ** 2)), random_state=random)
    distances = pairwise(data, data[0].reshape(1, -1), metric="cosine").ravel()
    labels = np.stack([1 - scores[back], scores[back]], axis=1)
    intercept, pairs, r2, local = base.explain_instance_with_data(data, labels, distances, 1, 100000)
    ours = fit(("lime", masks, repeats, scores, d, 1.0))
    weights = dict(pairs)
    np.testing.assert_allclose(ours["coefficients"], [intercept] + [weights[j] for j in range(d)], rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours["r2"], r2, rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours["coefficients"].sum(), local, rtol=0, atol=1e-9)


def test_the_first_stage_is_the_nordstrom_robinson_code():
    masks, _, stages = masks_of("auto", 16)
    order = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 11, 13, 14, 15]
    words = fit_cases.nordstrom_robinson()[:, order] @ (1 << np.arange(16))
    assert stages[0][0] == "nordstrom_robinson_256"
    assert set(stages[0][1]) == set(words.tolist())
    assert [len(set(found)) for _, found in stages] == list(range(256, 2049, 256))
    assert masks[0] == 0xFFFF


def test_the_code_estimates_what_all_masks_give_within_its_standard_errors():
    d = 12
    every = np.arange(2 ** d)
    scores = fit_cases.additive_and_pairs(every, d, 3)
    truth = fit(("all", every, np.ones(len(every), int), scores, d, 0.0))["coefficients"]
    design = np.array(masks_of("auto", d)[2][0][1])
    ours = fit(("code", design, np.ones(len(design), int), scores[design], d, 0.0))
    assert np.all(np.abs(ours["coefficients"] - truth)[1:] <= 1.96 * 0.75 * ours["errors"])


def test_reference_draws_fair_coins_and_all_on_once_for_sure():
    masks, repeats, _ = masks_of("reference", 16)
    rows = fit_cases.bits(masks, 16)
    shown = np.average(rows, axis=0, weights=repeats)
    assert sum(repeats) == 5000
    assert masks[0] == 0xFFFF
    assert len(set(masks)) == len(masks)
    assert np.all(np.abs(shown - 0.5) < 0.03)
