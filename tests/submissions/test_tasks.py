"""What a run asks: heads, classes and labels for every task, and the refusal of what cannot be learnt."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest

from competition.manifest import COLUMNS, DTYPES, load_manifest, write_manifest
from competition.settings import SETTINGS, UNKNOWN, bins_of
from competition.utils.errors import InputError
from submissions.tasks import CAMERA, JOINT, LABELED_SPLITS, OUTPUTS, Targets, Task, marginals, told

# One in each of three cells, and one that does not tell its exposure time.
PHOTOGRAPHS = [
    ("train/a/0.jpg", "a", 1.8, 100, 1 / 1000, "train"),
    ("train/a/1.jpg", "a", 2.8, 400, 1 / 60, "train"),
    ("train/b/0.jpg", "b", 8.0, 3200, 1 / 4, "train"),
    ("train/b/1.jpg", "b", 8.0, 3200, np.nan, "train"),
    ("train/b/2.jpg", "b", 4.9, 200, 1 / 2000, "validation"),
    ("test/c.jpg", None, np.nan, np.nan, np.nan, "test"),
]
LABELS = {  # by hand, with table 1
    "aperture": [0, 1, 2, 2, 2, UNKNOWN],
    "iso": [0, 1, 2, 2, 0, UNKNOWN],
    "exposure_time": [0, 1, 2, UNKNOWN, 0, UNKNOWN],
    CAMERA: [0, 0, 1, 1, 1, UNKNOWN],
    JOINT: [0, 13, 26, UNKNOWN, 18, UNKNOWN],
}


def manifest(rows=PHOTOGRAPHS, **changes):
    names = ["path", "camera", "f_number", "iso", "exposure_time", "split"]
    table = pd.DataFrame(rows, columns=names).assign(width=64, height=64, manipulation="unaltered", **changes)
    return table.reindex(columns=list(COLUMNS)).astype(DTYPES)


def targets(name="camera,settings", table=None, **options):
    return Targets(Task(name, **options), manifest() if table is None else table)


def joint(*shape, bins=3, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(bins**3), shape).astype(np.float32)


@pytest.mark.parametrize("bins", [2, 3, 5])
@pytest.mark.parametrize("shape", [(4,), (8, 3)])
def test_marginals_sum_to_one_and_are_those_counted_cell_by_cell(bins, shape):
    whole = joint(*shape, bins=bins)
    found = marginals(whole, bins)
    brute = {name: np.zeros((*shape, bins)) for name in SETTINGS}
    for cell, of_cell in enumerate(itertools.product(range(bins), repeat=3)):
        for name, answer in zip(SETTINGS, of_cell, strict=True):
            brute[name][..., answer] += whole[..., cell]
    assert list(found) == list(SETTINGS)
    for name, one in found.items():
        assert one.shape == (*shape, bins)
        np.testing.assert_allclose(one, brute[name], atol=1e-6)
        np.testing.assert_allclose(one.sum(axis=-1), 1, atol=1e-5)


def test_the_cell_of_a_label_is_the_cell_of_its_marginals():
    """A network that is sure of a photograph's cell is sure of the three labels of that photograph."""
    asked = targets("settings", output="correlated")
    found = asked.labels(asked.manifest)
    known = found[JOINT] != UNKNOWN
    predicted = marginals(np.eye(27, dtype=np.float32)[found[JOINT][known]], 3)
    for name in SETTINGS:
        assert predicted[name].argmax(axis=1).tolist() == found[name][known].tolist()
    names = [asked.heads[JOINT][cell].split(" / ") for cell in found[JOINT][known]]
    assert names == [[asked.answers[name][found[name][row]] for name in SETTINGS] for row in np.flatnonzero(known)]


def test_a_correlated_answer_has_marginals_and_others_stay_as_they_are():
    asked = targets(output="correlated")
    predicted = {CAMERA: np.ones((2, 2), np.float32) / 2, JOINT: joint(2)}
    whole = asked.with_marginals(predicted)
    assert set(whole) == {CAMERA, JOINT, *SETTINGS}
    assert whole[CAMERA] is predicted[CAMERA]
    alone = {"iso": joint(2)}
    assert targets("settings").with_marginals(alone) == alone


def test_labels_are_those_of_the_photographs_in_table_1():
    asked = targets()
    found = asked.labels(asked.manifest)
    assert {name: one.tolist() for name, one in found.items()} == LABELS
    assert {one.dtype for one in found.values()} == {np.dtype(np.int32)}


def test_labels_join_the_manifest_by_path_however_often_and_in_whatever_order():
    asked = targets()
    rows = [4, 4, 0, 3, 4]
    table = asked.manifest.iloc[rows][["path", "camera", "split"]].assign(manipulation="jpeg70")
    found = asked.labels(table)
    assert {name: one.tolist() for name, one in found.items()} == {
        name: [LABELS[name][row] for row in rows] for name in found
    }


def test_a_manifest_read_back_from_disk_keeps_values_on_their_edges(tmp_path):
    table = manifest([(f"{i}.jpg", "a", 2.8, 215.4, 0.002154, split) for i, split in enumerate(LABELED_SPLITS)])
    write_manifest(table, tmp_path / "manifest.csv")
    asked = targets(table=load_manifest(tmp_path / "manifest.csv"))
    assert asked.labels(asked.manifest)[JOINT].tolist() == [13, 13]


@pytest.mark.parametrize(
    ("name", "output", "heads"),
    [
        ("camera", "independent", {CAMERA: 2}),
        ("camera", "correlated", {CAMERA: 2}),
        ("settings", "independent", {"aperture": 3, "iso": 3, "exposure_time": 3}),
        ("settings", "correlated", {JOINT: 27}),
        ("camera,settings", "independent", {CAMERA: 2, "aperture": 3, "iso": 3, "exposure_time": 3}),
        ("camera,settings", "correlated", {CAMERA: 2, JOINT: 27}),
    ],
)
def test_every_task_has_its_heads_and_its_answers(name, output, heads):
    asked = targets(name, output=output)
    assert [(head, len(classes)) for head, classes in asked.heads.items()] == list(heads.items())
    wanted = [CAMERA] * ("camera" in name) + list(SETTINGS) * ("settings" in name)
    assert list(asked.answers) == wanted
    for classes in (*asked.heads.values(), *asked.answers.values()):
        assert len(set(classes)) == len(classes)
    labels = asked.labels(asked.manifest)
    assert {*asked.heads, *asked.answers} <= set(labels)
    for head, classes in asked.heads.items():
        assert labels[head].max() < len(classes)


def test_heads_stand_in_the_order_in_which_they_join_and_answers_do_not():
    order = ("exposure_time", "aperture", "iso")
    asked = targets("camera,settings", order=order)
    assert list(asked.heads) == [CAMERA, *order]
    assert list(asked.answers) == [CAMERA, *SETTINGS]


def test_quantile_edges_are_those_of_the_training_photographs():
    rows = [(f"{i}.jpg", "ab"[i % 2], 1.8 + i, 100 + i, 0.01 * (i + 1), "train") for i in range(12)]
    extreme = [(f"v{i}.jpg", "a", 100.0, 1e6, 1000.0, "validation") for i in range(30)]
    asked = targets("settings", manifest(rows + extreme), edges="quantile", bins=4)
    for name, known in SETTINGS.items():
        values = asked.manifest.loc[asked.manifest["split"] == "train", known.column]
        assert np.bincount(bins_of(name, values, asked.edges[name])).tolist() == [3, 3, 3, 3]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"name": "cameras"}, "unknown task 'cameras'; known: camera, settings, camera,settings"),
        ({"edges": "equal"}, "unknown kind of edges 'equal'; known: paper, quantile"),
        ({"output": "joint"}, "unknown output 'joint'; known: independent, correlated"),
        ({"label_balance": "photos"}, "unknown balance 'photos'; known: cells, bins, none"),
        ({"order": ("aperture", "iso")}, "received the order aperture,iso; expected each of aperture, iso, exposure"),
        ({"order": ("aperture", "iso", "iso")}, "received the order aperture,iso,iso; expected each of"),
        ({"order": ("aperture", "iso", "shutter")}, "received the order aperture,iso,shutter; expected each of"),
    ],
)
def test_what_nobody_can_be_asked_is_refused(options, error):
    with pytest.raises(InputError, match=error):
        Task(**options)


def test_too_few_bins_are_refused():
    with pytest.raises(InputError, match=r"received 1 bin\(s\); settings need at least 2"):
        told(targets("settings", bins=1))


def test_cells_and_missing_labels_are_told():
    assert told(targets("settings")) == [
        "warning: 1 of 4 train photographs do not tell their exposure_time: no label there",
        "note: 3 of 27 cells of settings are occupied",
    ]
    assert told(targets("camera", manifest(f_number=np.nan))) == []


@pytest.mark.parametrize("edges", ["paper", "quantile"])
@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(("split", "photographs"), [("train", 4), ("validation", 1)])
@pytest.mark.parametrize("nothing", [np.nan, 0.0])
def test_a_setting_that_none_of_a_split_tells_has_no_head(edges, name, split, photographs, nothing):
    table = manifest()
    table.loc[table["split"] == split, SETTINGS[name].column] = nothing
    asked = targets("settings", table, edges=edges, bins=2)
    others = [other for other in SETTINGS if other != name]
    assert list(asked.heads) == list(asked.answers) == list(asked.learnable) == others
    found = asked.labels(table)
    assert set(found) == {*others, JOINT}
    assert found[JOINT].max() < 4
    why = f"none of {photographs} {split} photographs tells its {name} (EXIF {SETTINGS[name].column})"
    assert f"warning: {why}: no head for it" in told(asked)
    with pytest.raises(InputError, match=re.escape(f"{why}, and --output correlated asks for all settings; choose")):
        told(targets("settings", table, edges=edges, bins=2, output="correlated"))


def test_no_setting_at_all_is_refused():
    table = manifest(f_number=np.nan, iso=np.nan, exposure_time=0.0)
    with pytest.raises(InputError, match=r"none of 4 train photographs tells its aperture .* learnt from photographs"):
        told(targets("settings", table))


def test_photographs_that_each_lack_a_setting_teach_the_heads_of_the_others_but_no_cells():
    table = manifest()
    for name, row in zip(SETTINGS, range(3), strict=True):
        table.loc[row, SETTINGS[name].column] = np.nan
    assert told(targets("settings", table))[-1] == "note: 0 of 27 cells of settings are occupied"
    with pytest.raises(InputError, match="no training photograph tells all of its settings"):
        told(targets("settings", table, output="correlated"))


@pytest.mark.parametrize("output", OUTPUTS)
def test_one_occupied_cell_is_refused(output):
    with pytest.raises(InputError, match=r"all training photographs lie in 1 of 27 cells of settings: .*quantile"):
        told(targets("settings", manifest(f_number=8.0, iso=100.0, exposure_time=1.0), output=output))
