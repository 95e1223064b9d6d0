"""Simulated public and private leaderboards: chances, ranks and the selection of two entries."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from competition.utils.errors import InputError
from submissions.leaderboards.camera import leaderboard
from submissions.leaderboards.evaluation import evaluate_validation
from submissions.leaderboards.shakeup import SHOWN, ShakeUp, format_shakeup, simulate, simulate_runs
from submissions.tasks import Task

PHOTOS = 200


def validation(photos=PHOTOS):
    """Names of photos and flags of images: every photo is unaltered, and every other one also manipulated."""
    names = np.array([f"{number}.jpg" for number in range(photos)])
    return np.concatenate([names, names[::2]]), np.arange(photos + len(names[::2])) >= photos


def independent(rng, accuracies, images):
    return {name: rng.random(images) < accuracy for name, accuracy in accuracies.items()}


def test_identical_entries_keep_a_lead_by_chance():
    names, flags = validation()
    right = np.random.default_rng(0).random(len(flags)) < 0.8
    shakeup = simulate({"a": right, "b": right}, flags, names, draws=500)
    np.testing.assert_array_equal(shakeup.chances(), 0.5)
    assert (shakeup.table()[["public_rank", "private_rank"]] == 1.5).to_numpy().all()
    assert (shakeup.table()["rank_change"] == 0).all()


def test_equally_good_entries_with_other_errors_keep_a_lead_by_chance():
    """A lead is weak evidence that the entry is better. In a fixed set of photos, the leader would always lose."""
    names, flags = np.arange(PHOTOS), np.zeros(PHOTOS, bool)
    right = np.arange(PHOTOS) % 4 > 0
    shakeup = simulate({"a": right, "b": np.roll(right, 1)}, flags, names, draws=4000)
    a, b = shakeup.chances()[[0, 1], [1, 0]]
    assert 0.5 < a < 0.7 and 0.5 < b < 0.7


def test_clearly_better_entry_keeps_its_lead():
    names, flags = validation()
    rng = np.random.default_rng(1)
    shakeup = simulate(independent(rng, {"weak": 0.6, "strong": 0.95}, len(flags)), flags, names, draws=1000)
    assert shakeup.chances()[1, 0] > 0.99
    assert shakeup.table()["entry"].tolist() == ["strong", "weak"]
    assert shakeup.table()["private_rank"].tolist() == pytest.approx([1, 2], abs=0.01)
    assert shakeup.select_two()[:2] == ("weak", "strong")


def test_chance_grows_with_the_number_of_photos():
    chances = []
    for photos in (40, 400):
        names, flags = validation(photos)
        right = np.arange(len(flags)) % 10 > 1
        better = right | (np.arange(len(flags)) % 40 == 0)  # right where the other is, and on a few more images
        worse = np.roll(right, 3)
        chances.append(simulate({"a": better, "b": worse}, flags, names, draws=2000).chances()[0, 1])
    assert chances[0] < chances[1]


def test_order_of_entries_does_not_matter():
    names, flags = validation()
    correct = independent(np.random.default_rng(2), dict.fromkeys("abcd", 0.8), len(flags))
    forward = simulate(correct, flags, names, draws=300)
    backward = simulate(dict(reversed(correct.items())), flags, names, draws=300)
    np.testing.assert_allclose(backward.chances(), forward.chances()[::-1, ::-1])
    columns = ["entry", "weighted_accuracy", "public_rank", "private_rank", "rank_change", "beats a", "selected"]
    tables = [made.table()[columns].sort_values("entry", ignore_index=True) for made in (forward, backward)]
    pd.testing.assert_frame_equal(*tables)


def test_names_of_photos_do_not_matter():
    names, flags = validation()
    correct = independent(np.random.default_rng(3), dict.fromkeys("ab", 0.8), len(flags))
    renamed = np.array([f"{name[::-1]}" for name in names])
    np.testing.assert_array_equal(
        simulate(correct, flags, names, draws=50).public, simulate(correct, flags, renamed, draws=50).public
    )


def test_seed_decides_the_draws():
    names, flags = validation()
    correct = independent(np.random.default_rng(4), dict.fromkeys("ab", 0.8), len(flags))
    one, same, other = (simulate(correct, flags, names, draws=50, seed=seed).private for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_images_of_a_photo_are_in_the_same_part():
    """Two images of each photo, both right or both wrong: scores vary as those of half as many images."""
    right = np.random.default_rng(5).random(PHOTOS) < 0.7
    flags = np.zeros(2 * PHOTOS, bool)
    entries = {"a": np.tile(right, 2), "b": np.tile(~right, 2)}
    pairs = simulate(entries, flags, np.tile(np.arange(PHOTOS), 2), draws=3000)
    singles = simulate(entries, flags, np.arange(2 * PHOTOS), draws=3000)
    ratio = pairs.private[:, 0].std() / singles.private[:, 0].std()
    assert ratio == pytest.approx(np.sqrt(2), rel=0.1)


def test_public_part_has_three_tenths_of_each_kind_of_photo():
    """Unaltered images are right and manipulated ones are wrong, so that the score is the weight of the former."""
    names, flags = np.arange(100), np.arange(100) >= 60
    shakeup = simulate({"a": ~flags, "b": flags}, flags, names, draws=10)
    np.testing.assert_allclose(shakeup.public[:, 0], 18 * 0.7 / (18 * 0.7 + 12 * 0.3))
    np.testing.assert_allclose(shakeup.private[:, 0], 42 * 0.7 / (42 * 0.7 + 28 * 0.3))
    assert shakeup.scores[0] == pytest.approx(60 * 0.7 / (60 * 0.7 + 40 * 0.3))


def test_chance_of_an_entry_that_never_leads_is_missing():
    names, flags = np.arange(PHOTOS), np.zeros(PHOTOS, bool)
    shakeup = simulate({"a": ~flags, "b": flags}, flags, names, draws=20)
    assert shakeup.chances()[0, 1] == 1 and np.isnan(shakeup.chances()[1, 0])
    assert "–" in format_shakeup(shakeup)


def test_chances_agree_with_the_frequencies_of_simulated_competitions():
    """Reliability: in competitions with known accuracies, leaders win about as often as predicted."""
    rng = np.random.default_rng(6)
    photos, flags = np.arange(150), np.zeros(150, bool)
    predicted, observed = [], []
    for _ in range(200):
        accuracies = dict(zip("ab", rng.uniform(0.7, 0.9, 2), strict=True))
        chances = simulate(independent(rng, accuracies, 150), flags, photos, draws=200).chances()
        public, private = (independent(rng, accuracies, size) for size in (45, 105))
        for one, (a, b) in enumerate((("a", "b"), ("b", "a"))):
            if public[a].sum() > public[b].sum() and not np.isnan(chances[one, 1 - one]):
                predicted.append(chances[one, 1 - one])
                observed.append((np.sign(private[a].sum() - private[b].sum()) + 1) / 2)
    assert np.mean(observed) == pytest.approx(np.mean(predicted), abs=0.08)
    high = np.array(predicted) > np.median(predicted)
    assert np.mean(np.array(observed)[high]) > np.mean(np.array(observed)[~high]) + 0.1


def test_selected_pair_has_the_highest_expected_best_score():
    private = np.array([[0.9, 0.5, 0.8, 0.1], [0.5, 0.9, 0.8, 0.1]])  # the first two complement each other
    made = ShakeUp(("a", "b", "c", "d"), private.mean(axis=0), private, private)
    assert made.select_two() == ("a", "b", pytest.approx(0.9))
    assert made.table().set_index("entry")["selected"].to_dict() == {"a": True, "b": True, "c": False, "d": False}


def test_ranks_of_equal_scores_are_shared():
    scores = np.array([[0.9, 0.5, 0.5, 0.1]])
    table = ShakeUp(("a", "b", "c", "d"), scores[0], scores, scores[:, ::-1]).table()
    assert table["public_rank"].tolist() == [1, 2.5, 2.5, 4]
    assert table["rank_change"].tolist() == [3, 0, 0, 3]


@pytest.mark.parametrize(
    ("entries", "photos", "message"),
    [(1, 10, "at least two entries, received 1"), (2, 1, "1 photos are too few to split into public and private")],
)
def test_too_few_entries_or_photos_raise(entries, photos, message):
    flags = np.zeros(photos, bool)
    with pytest.raises(InputError, match=message):
        simulate({str(entry): ~flags for entry in range(entries)}, flags, np.arange(photos), draws=10)


def test_entries_of_a_run_are_those_of_its_leaderboard(make_run):
    run = make_run(Task("camera"), manipulated=True)
    shakeup = simulate_runs([run], draws=20)
    table = leaderboard("made", evaluate_validation(run))
    assert shakeup.entries == tuple(table["entry"])
    np.testing.assert_allclose(shakeup.scores, table["weighted_accuracy"])


def test_entries_of_several_runs_have_the_name_of_their_run(make_run):
    run = make_run(Task("camera"))
    other = replace(run, folder=run.folder.parent / "other")
    shutil.copytree(run.folder, other.folder)
    alone, together = simulate_runs([run], draws=20), simulate_runs([run, other], draws=20)
    names = [f"{name}: {entry}" for name in ("made", "other") for entry in alone.entries]
    assert list(together.entries) == names
    np.testing.assert_allclose(together.scores, np.tile(alone.scores, 2))
    assert together.chances()[0, len(alone.entries)] == 0.5


def test_formatted_tables_show_the_best_entries(make_run):
    shakeup = simulate_runs([make_run(Task("camera"))], draws=20)
    ranks, pairs, selection = format_shakeup(shakeup).split("\n\n")
    assert len(ranks.splitlines()) == 2 + len(shakeup.entries)
    assert len(pairs.splitlines()) == 3 + min(SHOWN, len(shakeup.entries))
    assert selection.startswith("select: ") and " and " in selection


def test_runs_on_other_images_raise(make_run):
    first, second = make_run(Task("camera")), make_run(Task("camera"))
    with pytest.raises(InputError, match="validated on different images; choose runs with the same --data and --seed"):
        simulate_runs([first, second], draws=10)
    with pytest.raises(InputError, match="two runs are called made; name each run once"):
        simulate_runs([first, first], draws=10)
