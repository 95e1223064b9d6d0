"""Probes score what their features contain, and C does not depend on the photos that are scored."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from competition.utils.atomic_files import write_json
from competition.utils.errors import InputError
from submissions.exif_language import open_exif_language
from submissions.probes.linear_probe import (
    C_VALUES,
    MAJORITY,
    RANDOM,
    TRAINED,
    UNTRAINED,
    Probe,
    chance_probes,
    fit_probe,
    probe_run,
    score_probes,
)
from submissions.probes.targets import Sample
from submissions.run_config import FORMAT_VERSION


def make_sample(labels: np.ndarray, is_validation: np.ndarray, **changes) -> Sample:
    names = np.array([f"{number}.jpg" for number in range(len(labels))])
    classes = tuple(f"class {label}" for label in np.unique(labels))
    sample = Sample(Path(), names, classes, labels, is_validation, names, lambda pixels, index: pixels[None], ())
    return replace(sample, **changes)


def make_features(labels: np.ndarray, distance: float, seed: int = 0, patches: int = 1) -> np.ndarray:
    """Normally distributed features (photos, patches, 6) whose mean depends on the class."""
    noise = np.random.default_rng(seed).normal(size=(len(labels), patches, 6))
    return noise + distance * np.eye(6)[labels][:, None]


LABELS = np.arange(240) % 3
IS_VALIDATION = np.arange(240) >= 120


def test_separable_classes_are_predicted_and_random_labels_are_not():
    probe = fit_probe(make_features(LABELS, 8, patches=2), make_sample(LABELS, IS_VALIDATION))
    assert probe.correct.mean() > 0.98 and probe.correct.shape == (120,)
    shuffled = make_sample(np.random.default_rng(1).permutation(LABELS), IS_VALIDATION)
    assert fit_probe(make_features(LABELS, 8), shuffled).correct.mean() == pytest.approx(1 / 3, abs=0.13)


def test_c_does_not_depend_on_validation_photos():
    features, sample = make_features(LABELS, 1.0), make_sample(LABELS, IS_VALIDATION)
    other = np.where(IS_VALIDATION, np.random.default_rng(2).permutation(LABELS), LABELS)
    swapped = np.where(IS_VALIDATION[:, None, None], make_features(LABELS, 5, seed=3), features)
    chosen = fit_probe(features, sample).c
    assert chosen == fit_probe(features, replace(sample, labels=other)).c == fit_probe(swapped, sample).c
    assert chosen != C_VALUES[0]
    # It does depend on the training labels: with random ones, strong regularization is as good as any.
    shuffled = np.where(IS_VALIDATION, LABELS, np.random.default_rng(4).permutation(LABELS))
    assert fit_probe(make_features(LABELS, 8), replace(sample, labels=shuffled)).c != chosen


def test_c_is_chosen_by_cross_validation_over_groups():
    # Twelve features identify the devices. They only seem to generalize if a device is in training and validation.
    rng = np.random.default_rng(5)
    device = np.repeat(np.arange(12), 10)
    labels = np.repeat(np.arange(2), 60)
    features = np.concatenate([20 * np.eye(12)[device], labels[:, None] + rng.normal(size=(120, 1))], axis=1)
    features = np.append(features, features[-1:], axis=0)[:, None]
    sample = make_sample(np.append(labels, 0), np.arange(121) == 120)  # the last photo is in validation
    by_photo = fit_probe(features, sample).c
    by_device = fit_probe(features, replace(sample, groups=np.append(device.astype(str), "new"))).c
    assert by_device != by_photo


def test_leads_are_paired_and_baselines_score_chance():
    sample = make_sample(LABELS, IS_VALIDATION)
    correct = (np.random.default_rng(6).random(120) < 0.5).astype(float)
    worse = np.where(np.arange(120) < 12, 0, correct)
    probes = {"a": Probe(correct, 1.0), "b": Probe(correct, 0.1), "c": Probe(worse, 1.0)}
    rows = score_probes(probes | chance_probes(sample), sample).set_index("entry")
    assert (rows.loc["b", ["ahead", "ahead_low", "ahead_high"]] == 0).all()
    paired = rows.loc["c", "ahead_high"] - rows.loc["c", "ahead_low"]
    assert 0 < paired < (rows.loc["a", "recall_high"] - rows.loc["a", "recall_low"])
    assert rows.loc["c", "ahead"] == pytest.approx(correct[:12].sum() / 120)
    for entry in (MAJORITY, RANDOM):
        assert rows.loc[entry, ["recall", "recall_low", "recall_high"]].tolist() == pytest.approx([1 / 3] * 3)


def test_probe_of_a_run_without_classifier(run):
    table = probe_run(run, "camera", patches=2).set_index("entry")
    assert table.index.tolist() == [TRAINED, UNTRAINED, MAJORITY, RANDOM]
    assert table.loc[TRAINED, "recall"] >= 0.9 and table.loc[RANDOM, "recall"] == 0.5
    assert (table["photographs"] == 8).all() and "no camera classifier: no finished one" in table["note"].iloc[0]
    written = pd.read_csv(run.folder / "probe-camera.csv")
    np.testing.assert_allclose(written["recall"], table["recall"])
    page = (run.folder / "probe-camera.md").read_text()
    assert f"| {UNTRAINED} |" in page and "fitted on 8 photos, measured on 8, 2 patch(es) of 24" in page


def test_probe_beside_a_classifier(run, make_classifier, tmp_path):
    copy = replace(run, folder=tmp_path / "one")
    shutil.copytree(run.folder, copy.folder)
    make_classifier(tmp_path / "cameras")
    table = probe_run(copy, "make").set_index("entry")
    assert table.index.tolist()[2] == "features of convnet (cameras)"
    assert "of the validation photos, so its score is too high" in table["note"].iloc[0]


def test_unusable_runs_raise(run, tmp_path):
    with pytest.raises(InputError, match="unknown run"):
        open_exif_language(tmp_path / "none")
    config = {"format_version": FORMAT_VERSION, "kind": "exif-language", "data": "photos", "seed": 0, "recipe": {}}
    for change, message in (({"kind": "cameras"}, "not an exif-language run"), ({}, "damaged")):
        write_json(config | change, tmp_path / "config.json")
        with pytest.raises(InputError, match=message):
            open_exif_language(tmp_path)
    (tmp_path / "config.json").write_bytes((run.folder / "config.json").read_bytes())
    with pytest.raises(InputError, match=r"not finished: it has no image\.keras"):
        open_exif_language(tmp_path)
    with pytest.raises(InputError, match="pass their folder with --data"):
        probe_run(run, "camera", data=tmp_path / "gone")


def test_probe_of_authentic_images(run, casia1):
    table = probe_run(run, "authentic", root=casia1).set_index("entry")
    assert table.loc[TRAINED, "recall"] > 0.8 and table.loc[TRAINED, "photographs"] == 6
    for arguments in ({"target": "camera", "root": casia1}, {"target": "authentic"}):
        with pytest.raises(InputError, match="--root, the folder of a data set of splices"):
            probe_run(run, **arguments)
