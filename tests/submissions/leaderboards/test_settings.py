"""The settings leaderboard scores members and their blend on the cached predictions of a run."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from competition.metrics.settings import score_setting
from competition.settings import SETTINGS
from competition.utils.atomic_files import write_csv
from competition.virtual.degradations import COLUMNS, SIMULATION
from submissions.blending import settings_entries
from submissions.leaderboards.settings import FILE_NAME, MEAN, compare_settings, format_settings, score_settings
from submissions.prediction_cache import load_members, save
from submissions.tasks import Task

MEMBERS = ("mobilenet", "resnet50")


def test_every_entry_and_setting_has_a_row_of_scores(make_run):
    run = make_run(members=MEMBERS)
    table = score_settings(run)
    assert table["entry"].tolist() == [name for entry in (*MEMBERS, "blend quadratic") for name in [entry] * 4]
    assert table["setting"].tolist() == [*SETTINGS, MEAN] * 3
    truth = run.targets.labels(run.validation)
    for member in MEMBERS:
        for name in SETTINGS:
            first_view = load_members(run, "validation", name)[member].probabilities[0]
            row = table[(table["entry"] == member) & (table["setting"] == name)].iloc[0]
            for score, value in score_setting(first_view, truth[name]).items():
                assert row[score] == pytest.approx(value, abs=1e-6)
    assert (table["low"] <= table["balanced_accuracy"]).all() and (table["balanced_accuracy"] <= table["high"]).all()
    assert set(table["note"]) == {"simulated photos"}
    written = pd.read_csv(run.folder / FILE_NAME).fillna({"compared_with": ""})
    pd.testing.assert_frame_equal(written, table, check_dtype=False)


def test_all_right_is_the_share_of_images_whose_settings_are_all_right(make_run):
    run = make_run()
    truth = run.targets.labels(run.validation)
    entries = settings_entries(run, "validation")
    for entry, rows in score_settings(run).groupby("entry"):
        right = [entries[entry][name].argmax(axis=1) == truth[name] for name in SETTINGS]
        assert rows["all_right"].tolist() == pytest.approx([np.all(right, axis=0).mean()] * 4)


def test_manipulated_copies_with_equal_predictions_do_not_narrow_the_interval(make_run):
    once, twice = make_run(members=MEMBERS), make_run(members=MEMBERS, manipulated=True)
    for member in MEMBERS:
        for name in SETTINGS:
            predictions = load_members(once, "validation", name)[member]
            doubled = dataclasses.replace(
                predictions,
                names=np.repeat(predictions.names, 2),
                is_manipulated=np.tile([False, True], len(predictions.names)),
                probabilities=np.repeat(predictions.probabilities, 2, axis=1),
            )
            save(doubled, twice.predictions_file(member, "validation", name))
    alone, both = score_settings(once), score_settings(twice)
    assert both["images"].tolist() == [2 * images for images in alone["images"]]
    np.testing.assert_allclose(both["balanced_accuracy"], alone["balanced_accuracy"])
    np.testing.assert_allclose(both["high"] - both["low"], alone["high"] - alone["low"], atol=0.06)


def test_correlated_run_is_scored_on_its_marginals(make_run):
    table = score_settings(make_run(Task("settings", output="correlated")))
    assert table["setting"].tolist() == [*SETTINGS, MEAN] * 3


def test_formatted_table_has_every_score_and_each_note_once(make_run):
    table = score_settings(make_run())
    text, row = format_settings(table), table.iloc[4]
    assert f"{row.balanced_accuracy:.3f} [{row.low:.3f}, {row.high:.3f}]" in text
    assert text.count("simulated photos") == 1 and len(text.splitlines()) == 2 + len(table) + 1


def write_solution(run, with_settings=True):
    """A solution of the test set of a run: the bins that a photo's position gives."""
    images = run.images["test"]
    rows = [
        {
            "fname": Path(path).name,
            "camera": "a",
            "manipulation": "unaltered",
            "f_number": 2,
            "iso": 300,
            "exposure_time": 1,
        }
        for path in images["path"]
    ]
    table = pd.DataFrame(rows)
    write_csv(table if with_settings else table[["fname", "camera", "manipulation"]], run.data / "solution.csv")
    return {"aperture": 0, "iso": 1, "exposure_time": 2}


def test_test_set_is_scored_if_the_solution_has_its_settings(make_run):
    run = make_run(test=6)
    bins = write_solution(run)
    table = score_settings(run)
    test = table[(table["split"] == "test") & (table["setting"] != MEAN)]
    assert table["split"].unique().tolist() == ["validation", "test"]
    for row in test.itertuples():
        found = settings_entries(run, "test")[row.entry][row.setting].argmax(axis=1)
        assert row.images == 6 and row.balanced_accuracy == pytest.approx((found == bins[row.setting]).mean())
    assert "6 test" in format_settings(table)


def test_test_set_without_settings_is_not_scored(make_run):
    run = make_run(test=6)
    write_solution(run, with_settings=False)
    assert set(score_settings(run)["split"]) == {"validation"}


def test_entries_are_compared_with_the_first_one_on_the_same_photos(make_run):
    table = score_settings(make_run(members=MEMBERS))
    first, other = (table[table["entry"] == member].reset_index() for member in MEMBERS)
    assert (first["compared_with"] == "").all() and first["difference"].isna().all()
    assert (other["compared_with"] == MEMBERS[0]).all()
    np.testing.assert_allclose(other["difference"], other["balanced_accuracy"] - first["balanced_accuracy"])
    assert (other["difference_low"] <= other["difference"]).all()
    assert (other["difference"] <= other["difference_high"]).all()


def test_last_row_of_an_entry_is_the_mean_of_its_settings(make_run):
    for _, rows in score_settings(make_run(members=MEMBERS)).groupby("entry"):
        scores = ["balanced_accuracy", "bin_error", "accuracy", "log_loss", "difference"]
        np.testing.assert_allclose(rows.iloc[3][scores].astype(float), rows.iloc[:3][scores].mean(skipna=False))
        assert rows.iloc[3]["low"] <= rows.iloc[3]["balanced_accuracy"] <= rows.iloc[3]["high"]
        # Three settings together are known better than the one that is known best.
        assert rows.iloc[3]["high"] - rows.iloc[3]["low"] < (rows.iloc[:3]["high"] - rows.iloc[:3]["low"]).max()


def write_simulation(run, noise):
    paths = [*run.manifest["path"]]
    values = {column: np.zeros(len(paths)) for column in COLUMNS}
    write_csv(pd.DataFrame({"path": paths, **values, "noise": noise(run.manifest)}), run.data / SIMULATION)


def test_ceiling_stands_beside_every_setting_of_simulated_photos(make_run):
    run = make_run()
    assert score_settings(run)["ceiling"].isna().all()
    write_simulation(run, lambda manifest: manifest["iso"])
    table = score_settings(run)
    assert (table["ceiling"] >= 1 / 3).all()
    assert "ceiling" in format_settings(table)


def write_leaderboard(folder, scores):
    rows = [
        {
            "split": "validation",
            "entry": "resnet50",
            "setting": name,
            "balanced_accuracy": score,
            "random": 1 / 3,
            "note": "",
        }
        for name, score in scores.items()
    ]
    write_csv(pd.DataFrame(rows), folder / FILE_NAME)


def test_compare_settings_ranks_by_the_mean_which_is_missing_without_a_head(tmp_path):
    write_leaderboard(tmp_path / "a", dict.fromkeys(SETTINGS, 0.4))
    write_leaderboard(tmp_path / "b", {"aperture": 0.9, "iso": 0.9})
    write_leaderboard(tmp_path / "c", {"aperture": 0.5, "iso": 0.75, "exposure_time": 0.4})
    table = compare_settings(tmp_path)
    assert table["run"].tolist() == ["c", "a", "b"]
    assert table["mean"].tolist()[:2] == pytest.approx([0.55, 0.4])
    assert table.loc[2, ["exposure_time", "mean"]].isna().all()


def test_compare_settings_is_empty_without_settings_runs(tmp_path):
    assert compare_settings(tmp_path).empty
