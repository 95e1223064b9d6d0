"""The camera leaderboard scores every entry, and nothing that cannot be measured."""

import json

import numpy as np
import pandas as pd
import pytest

from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError
from submissions.blending import blend
from submissions.leaderboards.camera import COLUMNS, compare_camera, format_table, leaderboard, scores
from submissions.leaderboards.evaluation import Evaluation
from submissions.prediction_cache import Predictions

CLASSES = ("x", "y", "z")


def evaluation(photos=12, members=("mobilenet", "resnet50"), views=8, test=False, cameras=None, public=True):
    """Random members that are right more often than not, on unaltered and manipulated photos or on test files."""
    rng = np.random.default_rng(photos)
    camera = np.tile(np.arange(photos) % 3 if cameras is None else cameras, 2)
    manipulated = np.repeat([False, True], photos)
    names = np.tile([f"train/{index}.jpg" for index in range(photos)], 2)
    if test:
        names = np.array([f"{index}.tif" for index in range(2 * photos)])
    predicted = {}
    for member in members:
        logits = rng.normal(size=(views, 2 * photos, 3)) + 1.5 * np.eye(3)[camera]
        values = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        predicted[member] = Predictions(names, manipulated, CLASSES, values.astype(np.float32))
    truth = pd.DataFrame(
        {
            "name": names,
            "camera": np.array(CLASSES)[camera],
            "manipulation": np.where(manipulated, "gamma0.8", "unaltered"),
        }
    )
    if test:
        is_public = public & (np.arange(2 * photos) % 3 == 0)
        truth["usage"] = np.where(is_public, "Public", "Private")
    return Evaluation(predicted, truth)


def test_every_entry_has_a_row_of_scores():
    table = leaderboard("quick", evaluation(), evaluation(30, test=True))
    assert list(table.columns) == COLUMNS
    assert table["entry"].tolist() == [
        "mobilenet",
        "mobilenet+tta",
        "resnet50",
        "resnet50+tta",
        "blend arithmetic",
        "blend quadratic",
        "blend geometric",
        "blend quadratic, greedy",
        "blend quadratic, exact",
        "blend optimized",
        "blend selection",
        "blend stacking",
    ]
    assert not table.drop(columns="note").isna().to_numpy().any()
    assert (table["run"] == "quick").all() and (table["note"] == "").all() and (table["images"] == 24).all()
    assert (table["low"] <= table["weighted_accuracy"]).all()
    assert (table["weighted_accuracy"] <= table["high"]).all()
    assert (table["private_low"] <= table["private_weighted_accuracy"]).all()
    # Balancing changes labels, not probabilities.
    assert table["log_loss"].iloc[7:9].tolist() == [table["log_loss"].iloc[5]] * 2


def test_rows_score_the_first_view_and_the_view_average():
    validation = evaluation()
    table = leaderboard("quick", validation).set_index("entry")
    first_view, all_views = (
        validation.members["resnet50"].probabilities[0],
        blend(validation.members["resnet50"].probabilities, "quadratic"),
    )
    for entry, predicted in (("resnet50", first_view), ("resnet50+tta", all_views)):
        hits = predicted.argmax(axis=1) == validation.y_true
        expected = (0.7 * hits[:12].mean() + 0.3 * hits[12:].mean()) / 1.0
        assert table.loc[entry, "weighted_accuracy"] == pytest.approx(expected)
        assert table.loc[entry, "unaltered_accuracy"] == pytest.approx(hits[:12].mean())
    assert table["private_weighted_accuracy"].isna().all()


def test_private_scores_ignore_public_images():
    validation, test = evaluation(), evaluation(30, test=True)
    first_view = test.members["mobilenet"].probabilities[0]
    right = (first_view.argmax(axis=1) == test.y_true)[test.truth["usage"] == "Private"]
    weights = np.where(test.is_manipulated, 0.3, 0.7)[test.truth["usage"] == "Private"]
    table = leaderboard("quick", validation, test).set_index("entry")
    assert table.loc["mobilenet", "private_weighted_accuracy"] == pytest.approx((weights * right).sum() / weights.sum())


def test_test_set_without_public_images_has_no_public_score():
    table = leaderboard("quick", evaluation(), evaluation(30, test=True, public=False))
    assert table["private_weighted_accuracy"].notna().all() and table["public_weighted_accuracy"].isna().all()
    heading = format_table(table).splitlines()[0]
    assert "private" in heading and "public" not in heading


def test_single_member_with_a_single_view_has_no_duplicate_entries():
    table = leaderboard("r", evaluation(members=("mobilenet",), views=1))
    assert table["entry"].tolist() == [
        "mobilenet",
        "blend quadratic",
        "blend quadratic, greedy",
        "blend quadratic, exact",
    ]


def test_unequal_validation_split_is_not_balanced_and_noted():
    unequal = evaluation(cameras=[0] * 6 + [1] * 4 + [2] * 2)
    alone = leaderboard("r", unequal, note="simulated photos")
    assert not alone["entry"].str.contains(",").any()
    assert set(alone["note"]) == {
        "simulated photos; not balanced on validation: its cameras have unequal numbers of images"
    }
    tested = leaderboard("r", unequal, evaluation(30, test=True)).set_index("entry")
    balanced = tested.loc["blend quadratic, exact"]
    assert pd.isna(balanced["weighted_accuracy"]) and pd.isna(balanced["images"])
    assert 0 < balanced["private_weighted_accuracy"] <= 1


def test_indivisible_test_set_is_not_balanced_and_noted():
    table = leaderboard("r", evaluation(), evaluation(31, test=True)).set_index("entry")
    assert pd.isna(table.loc["blend quadratic, exact", "private_weighted_accuracy"])
    assert table.loc["blend quadratic, exact", "weighted_accuracy"] > 0
    assert "cannot be shared equally" in table["note"].iloc[0]


def test_balancing_of_the_test_set_does_not_use_its_labels():
    test = evaluation(30, test=True)
    swapped = Evaluation(
        test.members, test.truth.assign(camera=test.truth["camera"].map({"x": "y", "y": "x", "z": "x"}))
    )
    table = leaderboard("r", evaluation(), swapped).set_index("entry")
    assert not table["private_weighted_accuracy"].isna().any()  # equal quotas, although the truth has no z


def test_test_set_with_other_members_raises():
    with pytest.raises(InputError, match="mobilenet, resnet50, the test set of mobilenet; run predict again"):
        leaderboard("r", evaluation(), evaluation(30, members=("mobilenet",), test=True))


def test_scores_json_agrees_with_the_leaderboard():
    validation, test = evaluation(), evaluation(30, test=True)
    found = json.loads(json.dumps(scores(validation, test)))
    assert list(found) == ["members", "blend"] and list(found["members"]) == ["mobilenet", "resnet50"]
    table = leaderboard("r", validation, test).set_index("entry")
    for entry, parts in (("mobilenet+tta", found["members"]["mobilenet"]), ("blend quadratic", found["blend"])):
        row = table.loc[entry]
        assert list(parts) == ["validation", "private"]
        assert parts["validation"]["weighted_accuracy"] == row["weighted_accuracy"]
        assert parts["validation"]["interval"] == [row["low"], row["high"]]
        assert parts["private"]["weighted_accuracy"] == row["private_weighted_accuracy"]
        assert parts["private"]["images"] == 40
    assert list(scores(validation)["blend"]) == ["validation"]


def test_formatted_table_is_aligned_and_has_each_note_once():
    lines = format_table(leaderboard("r", evaluation(), note="simulated photos")).splitlines()
    assert lines[0].split() == [
        "entry",
        "weighted",
        "accuracy",
        "unaltered",
        "manipulated",
        "log",
        "loss",
        "images",
    ]
    assert lines[-1] == "note: simulated photos" and len(lines) == 2 + 12 + 1
    assert len({len(line) for line in lines[:-1]}) == 1
    with_test = format_table(leaderboard("r", evaluation(), evaluation(30, test=True)))
    assert "private" in with_test and "note" not in with_test


def test_missing_score_is_a_dash():
    unequal = evaluation(cameras=[0] * 6 + [1] * 6)
    lines = format_table(leaderboard("r", unequal, evaluation(30, test=True))).splitlines()
    exact = next(line for line in lines if line.startswith("blend quadratic, exact"))
    assert exact.split()[3:8] == ["–"] * 5


def test_compare_camera_joins_the_leaderboards_of_all_runs(tmp_path):
    for run, tables in {
        "a": (evaluation(), evaluation(30, test=True)),
        "b": (evaluation(15, views=1),),
    }.items():
        write_csv(leaderboard("old name", *tables), tmp_path / run / "leaderboard.csv")
    (tmp_path / "unfinished").mkdir()
    table = compare_camera(tmp_path)
    assert list(table.columns) == COLUMNS and set(table["run"]) == {"a", "b"}
    assert table["weighted_accuracy"].is_monotonic_decreasing
    assert table["private_weighted_accuracy"].notna().sum() == 12
    assert format_table(table).startswith("run")
    one = table[table["run"] == "a"].set_index("entry").sort_index()
    again = leaderboard("a", evaluation(), evaluation(30, test=True)).set_index("entry").sort_index()
    pd.testing.assert_frame_equal(one, again)


def test_missing_or_damaged_leaderboards_raise(tmp_path):
    with pytest.raises(InputError, match=r"has a leaderboard\.csv; train first"):
        compare_camera(tmp_path)
    write_csv(leaderboard("r", evaluation()), tmp_path / "r" / "leaderboard.csv")
    path = tmp_path / "r" / "leaderboard.csv"
    whole = path.read_text()
    path.write_text(whole.replace(",24,", ",many,"))
    with pytest.raises(InputError, match=r"not a number .*delete it and run predict RUN again"):
        compare_camera(tmp_path)
    path.write_text("run,entry\n")
    with pytest.raises(InputError, match=r"lacks weighted_accuracy.*delete it"):
        compare_camera(tmp_path)
