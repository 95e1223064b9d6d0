"""Heads, classes and labels of every task, and errors for data without usable labels."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest

from competition.manifest import COLUMNS, DTYPES, load_manifest, write_manifest
from competition.settings import SETTINGS, UNKNOWN, assign_bins
from competition.utils.errors import InputError
from submissions.tasks import CAMERA, JOINT_HEAD, LABELED_SPLITS, OUTPUTS, Targets, Task, label_notes, marginals

# One photo in each of three cells, and one without an exposure time.
PHOTOS = [
    ("train/a/0.jpg", "a", 1.8, 100, 1 / 1000, "train"),
    ("train/a/1.jpg", "a", 2.8, 400, 1 / 60, "train"),
    ("train/b/0.jpg", "b", 8.0, 3200, 1 / 4, "train"),
    ("train/b/1.jpg", "b", 8.0, 3200, np.nan, "train"),
    ("train/b/2.jpg", "b", 4.9, 200, 1 / 2000, "validation"),
    ("test/c.jpg", None, np.nan, np.nan, np.nan, "test"),
]
LABELS = {  # by hand, from table 1 of the paper
    "aperture": [0, 1, 2, 2, 2, UNKNOWN],
    "iso": [0, 1, 2, 2, 0, UNKNOWN],
    "exposure_time": [0, 1, 2, UNKNOWN, 0, UNKNOWN],
    CAMERA: [0, 0, 1, 1, 1, UNKNOWN],
    JOINT_HEAD: [0, 13, 26, UNKNOWN, 18, UNKNOWN],
}


def manifest(rows=PHOTOS, **changes):
    names = ["path", "camera", "f_number", "iso", "exposure_time", "split"]
    table = pd.DataFrame(rows, columns=names).assign(width=64, height=64, manipulation="unaltered", **changes)
    return table.reindex(columns=list(COLUMNS)).astype(DTYPES)


def targets(name="camera,settings", table=None, **options):
    return Targets(Task(name, **options), manifest() if table is None else table)


def joint(*shape, bins=3, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(bins**3), shape).astype(np.float32)


@pytest.mark.parametrize("bins", [2, 3, 5])
@pytest.mark.parametrize("shape", [(4,), (8, 3)])
def test_marginals_sum_to_one_and_equal_a_sum_over_cells(bins, shape):
    whole = joint(*shape, bins=bins)
    found = marginals(whole, bins)
    brute = {name: np.zeros((*shape, bins)) for name in SETTINGS}
    for cell, of_cell in enumerate(itertools.product(range(bins), repeat=3)):
        for name, bin in zip(SETTINGS, of_cell, strict=True):
            brute[name][..., bin] += whole[..., cell]
    assert list(found) == list(SETTINGS)
    for name, one in found.items():
        assert one.shape == (*shape, bins)
        np.testing.assert_allclose(one, brute[name], atol=1e-6)
        np.testing.assert_allclose(one.sum(axis=-1), 1, atol=1e-5)


def test_certain_joint_prediction_has_certain_marginals_with_the_labels_of_the_cell():
    bound = targets("settings", output="correlated")
    found = bound.labels(bound.manifest)
    known = found[JOINT_HEAD] != UNKNOWN
    predicted = marginals(np.eye(27, dtype=np.float32)[found[JOINT_HEAD][known]], 3)
    for name in SETTINGS:
        assert predicted[name].argmax(axis=1).tolist() == found[name][known].tolist()
    names = [bound.heads[JOINT_HEAD][cell].split(" / ") for cell in found[JOINT_HEAD][known]]
    assert names == [[bound.classes[name][found[name][row]] for name in SETTINGS] for row in np.flatnonzero(known)]


def test_with_marginals_adds_settings_to_a_joint_head_only():
    bound = targets(output="correlated")
    predicted = {CAMERA: np.ones((2, 2), np.float32) / 2, JOINT_HEAD: joint(2)}
    whole = bound.with_marginals(predicted)
    assert set(whole) == {CAMERA, JOINT_HEAD, *SETTINGS}
    assert whole[CAMERA] is predicted[CAMERA]
    alone = {"iso": joint(2)}
    assert targets("settings").with_marginals(alone) == alone


def test_labels_match_table_1():
    bound = targets()
    found = bound.labels(bound.manifest)
    assert {name: one.tolist() for name, one in found.items()} == LABELS
    assert {one.dtype for one in found.values()} == {np.dtype(np.int32)}


def test_labels_join_the_manifest_by_path_with_repeats_in_any_order():
    bound = targets()
    rows = [4, 4, 0, 3, 4]
    table = bound.manifest.iloc[rows][["path", "camera", "split"]].assign(manipulation="jpeg70")
    found = bound.labels(table)
    assert {name: one.tolist() for name, one in found.items()} == {
        name: [LABELS[name][row] for row in rows] for name in found
    }


def test_manifest_read_from_disk_keeps_values_on_bin_edges(tmp_path):
    table = manifest([(f"{i}.jpg", "a", 2.8, 215.4, 0.002154, split) for i, split in enumerate(LABELED_SPLITS)])
    write_manifest(table, tmp_path / "manifest.csv")
    bound = targets(table=load_manifest(tmp_path / "manifest.csv"))
    assert bound.labels(bound.manifest)[JOINT_HEAD].tolist() == [13, 13]


@pytest.mark.parametrize(
    ("name", "output", "heads"),
    [
        ("camera", "independent", {CAMERA: 2}),
        ("camera", "correlated", {CAMERA: 2}),
        ("settings", "independent", {"aperture": 3, "iso": 3, "exposure_time": 3}),
        ("settings", "correlated", {JOINT_HEAD: 27}),
        ("camera,settings", "independent", {CAMERA: 2, "aperture": 3, "iso": 3, "exposure_time": 3}),
        ("camera,settings", "correlated", {CAMERA: 2, JOINT_HEAD: 27}),
    ],
)
def test_every_task_has_its_heads_and_classes(name, output, heads):
    bound = targets(name, output=output)
    assert [(head, len(classes)) for head, classes in bound.heads.items()] == list(heads.items())
    wanted = [CAMERA] * ("camera" in name) + list(SETTINGS) * ("settings" in name)
    assert list(bound.classes) == wanted
    for classes in (*bound.heads.values(), *bound.classes.values()):
        assert len(set(classes)) == len(classes)
    labels = bound.labels(bound.manifest)
    assert list(bound.all_heads) == list(dict.fromkeys([*bound.heads, *bound.classes]))
    assert set(bound.all_heads) <= set(labels)
    for head, classes in bound.heads.items():
        assert labels[head].max() < len(classes)


def test_order_changes_the_heads_but_not_the_classes():
    order = ("exposure_time", "aperture", "iso")
    bound = targets("camera,settings", order=order)
    assert list(bound.heads) == [CAMERA, *order]
    assert list(bound.classes) == [CAMERA, *SETTINGS]


def test_quantile_edges_depend_on_training_photos_only():
    rows = [(f"{i}.jpg", "ab"[i % 2], 1.8 + i, 100 + i, 0.01 * (i + 1), "train") for i in range(12)]
    extreme = [(f"v{i}.jpg", "a", 100.0, 1e6, 1000.0, "validation") for i in range(30)]
    bound = targets("settings", manifest(rows + extreme), edges="quantile", bins=4)
    for name, known in SETTINGS.items():
        values = bound.manifest.loc[bound.manifest["split"] == "train", known.column]
        assert np.bincount(assign_bins(name, values, bound.edges[name])).tolist() == [3, 3, 3, 3]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"name": "cameras"}, "unknown task 'cameras'; known: camera, settings, camera,settings"),
        ({"edges": "equal"}, "unknown edges 'equal'; known: paper, quantile"),
        ({"output": "joint"}, "unknown output 'joint'; known: independent, correlated"),
        ({"label_balance": "photos"}, "unknown label balance 'photos'; known: cells, bins, none"),
        ({"order": ("aperture", "iso")}, "received the order aperture,iso; expected each of aperture, iso, exposure"),
        ({"order": ("aperture", "iso", "iso")}, "received the order aperture,iso,iso; expected each of"),
        ({"order": ("aperture", "iso", "shutter")}, "received the order aperture,iso,shutter; expected each of"),
    ],
)
def test_invalid_task_raises(options, error):
    with pytest.raises(InputError, match=error):
        Task(**options)


def test_too_few_bins_raise():
    with pytest.raises(InputError, match=r"received 1 bin\(s\); settings need at least 2"):
        label_notes(targets("settings", bins=1))


def test_label_notes_report_occupied_cells_and_missing_labels():
    assert label_notes(targets("settings")) == [
        "warning: 1 of 4 train photos have no known exposure_time: no label for them",
        "note: the training photos occupy 3 of 27 cells of settings",
    ]
    assert label_notes(targets("camera", manifest(f_number=np.nan))) == []


@pytest.mark.parametrize("edges", ["paper", "quantile"])
@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(("split", "photos"), [("train", 4), ("validation", 1)])
@pytest.mark.parametrize("unknown", [np.nan, 0.0])
def test_setting_without_labels_in_a_split_has_no_head(edges, name, split, photos, unknown):
    table = manifest()
    table.loc[table["split"] == split, SETTINGS[name].column] = unknown
    bound = targets("settings", table, edges=edges, bins=2)
    others = [other for other in SETTINGS if other != name]
    assert list(bound.heads) == list(bound.classes) == list(bound.labeled_settings) == others
    found = bound.labels(table)
    assert set(found) == {*others, JOINT_HEAD}
    assert found[JOINT_HEAD].max() < 4
    problem = f"none of the {photos} {split} photos has a known {name} (EXIF {SETTINGS[name].column})"
    assert f"warning: {problem}: no head for it" in label_notes(bound)
    with pytest.raises(InputError, match=re.escape(f"{problem}; --output correlated needs all settings")):
        label_notes(targets("settings", table, edges=edges, bins=2, output="correlated"))


def test_photos_without_any_setting_raise():
    table = manifest(f_number=np.nan, iso=np.nan, exposure_time=0.0)
    with pytest.raises(InputError, match=r"none of the 4 train photos has a known aperture .* add photos with EXIF"):
        label_notes(targets("settings", table))


def test_photos_that_each_lack_a_setting_label_single_heads_but_no_cells():
    table = manifest()
    for name, row in zip(SETTINGS, range(3), strict=True):
        table.loc[row, SETTINGS[name].column] = np.nan
    assert label_notes(targets("settings", table))[-1] == "note: the training photos occupy 0 of 27 cells of settings"
    with pytest.raises(InputError, match="no training photo has labels of all settings"):
        label_notes(targets("settings", table, output="correlated"))


@pytest.mark.parametrize("output", OUTPUTS)
def test_single_occupied_cell_raises(output):
    with pytest.raises(InputError, match=r"all training photos lie in 1 of 27 cells of settings, .*quantile"):
        label_notes(targets("settings", manifest(f_number=8.0, iso=100.0, exposure_time=1.0), output=output))
