"""Leaderboard and submission of settings follow from the predictions on disk alone."""

import numpy as np
import pandas as pd
import pytest

from competition.manifest import COLUMNS, DTYPES, write_manifest
from competition.metrics.settings import score_setting
from competition.settings import SETTINGS
from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError
from models.presets.classifier import recipe
from submissions.leaderboards.compare import score_all, submit_all
from submissions.leaderboards.settings import (
    LEADERBOARD,
    SUBMISSION,
    entries,
    format_settings,
    score_settings,
    submit_settings,
)
from submissions.prediction_cache import Predictions, save
from submissions.run import Run
from submissions.submit import load_members
from submissions.tasks import JOINT, Task

MEMBERS = ("mobilenet", "resnet50")
VALUES = {"f_number": (1.8, 2.8, 8.0), "iso": (100.0, 400.0, 3200.0), "exposure_time": (0.001, 0.01, 0.5)}
PHOTOGRAPHS = 12  # of validation, and as many of training
BINS = np.stack([np.arange(PHOTOGRAPHS) % 3, np.arange(PHOTOGRAPHS) // 3 % 3, np.arange(PHOTOGRAPHS) // 4])


def manifest(test):
    rows = []
    for split in ("train", "validation"):
        for number, bins in enumerate(BINS.T):
            told = {name: values[bin] for (name, values), bin in zip(VALUES.items(), bins, strict=True)}
            rows.append({"path": f"train/a/{split}{number}.jpg", "camera": "ab"[number % 2], "split": split, **told})
    rows += [{"path": f"test/{number}_unalt.tif", "split": "test"} for number in range(test)]
    table = pd.DataFrame(rows).assign(width=64, height=64, manipulation="unaltered")
    return table.reindex(columns=list(COLUMNS)).astype(DTYPES)


def images(table, manipulated):
    """What is evaluated: validation photographs, unaltered and, where asked for, manipulated."""
    shown = table.loc[table["split"] == "validation", ["path", "camera", "manipulation", "split"]]
    shown = pd.concat([shown, shown.assign(manipulation="jpeg70")]) if manipulated else shown
    return shown.sort_values(["path", "manipulation"], ascending=[True, False], ignore_index=True)


def probabilities(truth, classes, views, seed):
    """Right more often than not."""
    logits = np.random.default_rng(seed).normal(size=(views, len(truth), classes)) + 1.2 * np.eye(classes)[truth]
    values = np.exp(logits)
    return (values / values.sum(axis=-1, keepdims=True)).astype(np.float32)


def make_run(folder, task=None, members=MEMBERS, manipulated=False, test=0, dihedral=False):
    """A run with predictions of every member, as if it had been trained."""
    task = task or Task("settings")
    recipes = {member: recipe("smoke", member, "settings", front_end="none") for member in members}
    run = Run(folder / "runs" / "made", folder, recipes, 0, task)
    table = manifest(test)
    write_manifest(table, run.folder / "manifest.csv")
    write_csv(images(table, manipulated), run.folder / "validation.csv")
    (run.folder / "notes.txt").write_text("simulated photographs\n")
    for member, target in ((m, q) for m in members for q in run.targets.heads | run.targets.answers):
        for split, shown in {"validation": run.validation, "test": table[table["split"] == "test"]}.items():
            if len(shown):
                classes = (run.targets.heads | run.targets.answers)[target]
                truth = np.maximum(run.targets.labels(shown)[target], 0)
                values = probabilities(truth, len(classes), 8, seed=len(member) + len(target))
                manipulation = (shown["manipulation"] != "unaltered").to_numpy(bool)
                names = shown["path"].to_numpy(np.str_)
                predicted = Predictions(names, manipulation, classes, values, dihedral)
                save(predicted, run.predictions(member, split, target))
    return run


def test_every_entry_and_setting_has_a_row_with_its_scores(tmp_path):
    run = make_run(tmp_path)
    table = score_settings(run)
    assert table["entry"].tolist() == [name for entry in (*MEMBERS, "blend quadratic") for name in [entry] * 3]
    assert table["setting"].tolist() == list(SETTINGS) * 3
    truth = run.targets.labels(run.validation)
    for member in MEMBERS:
        for name in SETTINGS:
            first = load_members(run, "validation", name)[member].probabilities[0]  # trained without turns
            row = table[(table["entry"] == member) & (table["setting"] == name)].iloc[0]
            for score, value in score_setting(first, truth[name]).items():
                assert row[score] == pytest.approx(value, abs=1e-6)
    assert (table["low"] <= table["balanced_accuracy"]).all() and (table["balanced_accuracy"] <= table["high"]).all()
    assert set(table["note"]) == {"simulated photographs"}
    pd.testing.assert_frame_equal(pd.read_csv(run.folder / LEADERBOARD), table, check_dtype=False)


def test_the_blend_is_the_root_of_the_mean_square(tmp_path):
    run = make_run(tmp_path)
    predicted = entries(run, "validation")
    for name in SETTINGS:
        several = [load_members(run, "validation", name)[member].probabilities[0] for member in MEMBERS]
        mean = np.sqrt(np.square(np.array(several, float)).mean(axis=0))
        np.testing.assert_allclose(
            predicted["blend quadratic"][name], mean / mean.sum(axis=1, keepdims=True), rtol=1e-6
        )


def test_all_views_of_a_member_that_was_trained_on_them_are_averaged(tmp_path):
    run = make_run(tmp_path, members=("mobilenet",), dihedral=True)
    views = load_members(run, "validation", "iso")["mobilenet"].probabilities.astype(float)
    mean = np.sqrt(np.square(views).mean(axis=0))
    predicted = entries(run, "validation")
    assert list(predicted) == ["mobilenet"]  # a blend of one is none
    np.testing.assert_allclose(predicted["mobilenet"]["iso"], mean / mean.sum(axis=1, keepdims=True), rtol=1e-6)


def test_all_right_counts_photographs_of_which_all_three_settings_are(tmp_path):
    run = make_run(tmp_path)
    truth = run.targets.labels(run.validation)
    predicted = entries(run, "validation")
    for entry, rows in score_settings(run).groupby("entry"):
        right = [predicted[entry][name].argmax(axis=1) == truth[name] for name in SETTINGS]
        assert rows["all_right"].tolist() == pytest.approx([np.all(right, axis=0).mean()] * 3)


def test_photographs_seen_twice_do_not_narrow_the_interval(tmp_path):
    """The same answers of the unaltered and the manipulated photograph tell nothing new."""
    once, twice = make_run(tmp_path / "once"), make_run(tmp_path / "twice", manipulated=True)
    for member in MEMBERS:
        for name in SETTINGS:
            predicted = load_members(once, "validation", name)[member]
            doubled = Predictions(
                np.repeat(predicted.names, 2),
                np.tile([False, True], len(predicted.names)),
                predicted.classes,
                np.repeat(predicted.probabilities, 2, axis=1),
                predicted.dihedral,
            )
            save(doubled, twice.predictions(member, "validation", name))
    alone, both = score_settings(once), score_settings(twice)
    assert both["images"].tolist() == [2 * images for images in alone["images"]]
    np.testing.assert_allclose(both["balanced_accuracy"], alone["balanced_accuracy"])
    np.testing.assert_allclose(both["high"] - both["low"], alone["high"] - alone["low"], atol=0.06)


@pytest.mark.parametrize("manipulated", [False, True])
def test_the_submission_answers_every_unaltered_validation_photograph(tmp_path, manipulated):
    run = make_run(tmp_path, manipulated=manipulated)
    assert submit_all(run) == [run.folder / SUBMISSION]
    table = pd.read_csv(run.folder / SUBMISSION)
    columns = ["fname", *(column for name in SETTINGS for column in (name, f"{name}_probability"))]
    assert list(table.columns) == columns
    unaltered = (run.validation["manipulation"] == "unaltered").to_numpy()
    assert table["fname"].tolist() == run.validation.loc[unaltered, "path"].tolist()
    blend = entries(run, "validation")["blend quadratic"]
    for name in SETTINGS:
        predicted = blend[name][unaltered]
        assert table[name].tolist() == [run.targets.answers[name][bin] for bin in predicted.argmax(axis=1)]
        np.testing.assert_allclose(table[f"{name}_probability"], predicted.max(axis=1))


def test_the_submission_answers_the_test_set_where_there_is_one(tmp_path):
    run = make_run(tmp_path, test=5)
    submit_all(run)
    assert pd.read_csv(run.folder / SUBMISSION)["fname"].tolist() == [f"{number}_unalt.tif" for number in range(5)]


def test_a_correlated_run_is_scored_on_its_marginals(tmp_path):
    run = make_run(tmp_path, Task("settings", output="correlated"))
    predicted = entries(run, "validation")
    assert all(set(answer) == {JOINT, *SETTINGS} for answer in predicted.values())
    assert score_settings(run)["setting"].tolist() == list(SETTINGS) * 3


def test_a_member_without_all_of_its_predictions_takes_no_part(tmp_path):
    run = make_run(tmp_path)
    run.predictions("resnet50", "validation", "iso").unlink()
    assert list(entries(run, "validation")) == ["mobilenet"]
    run.predictions("mobilenet", "validation", "aperture").unlink()
    with pytest.raises(InputError, match="has no predictions for validation; run predict first"):
        score_settings(run)


def test_what_a_run_was_not_asked_is_refused_by_naming_what_it_was(tmp_path):
    settings = make_run(tmp_path / "settings")
    with pytest.raises(InputError, match="was trained on aperture, iso, exposure_time, not on camera; train with"):
        load_members(settings, "validation")
    with pytest.raises(InputError, match="was trained on aperture, iso, exposure_time, not on settings; train with"):
        load_members(settings, "validation", JOINT)
    camera = make_run(tmp_path / "camera", Task("camera"))
    for ask in (score_settings, lambda run: submit_settings(run, tmp_path / "answers.csv")):
        with pytest.raises(InputError, match="was trained on camera, not on aperture; train with another --task"):
            ask(camera)


def test_predictions_with_other_bins_are_refused(tmp_path):
    run = make_run(tmp_path)
    other = make_run(tmp_path / "other", Task("settings", bins=2))
    path = other.predictions("mobilenet", "validation", "iso")
    run.predictions("mobilenet", "validation", "iso").write_bytes(path.read_bytes())
    with pytest.raises(
        InputError, match=r"are for the classes below ISO 316\.2, from ISO 316\.2; expected below ISO 215"
    ):
        score_settings(run)


def test_the_table_for_the_terminal_has_every_number_and_each_note_once(tmp_path):
    run = make_run(tmp_path)
    text = format_settings(score_settings(run))
    row = score_settings(run).iloc[4]
    assert f"{row.balanced_accuracy:.3f} [{row.low:.3f}, {row.high:.3f}]" in text
    assert text.count("simulated photographs") == 1
    assert score_all(run) == text
