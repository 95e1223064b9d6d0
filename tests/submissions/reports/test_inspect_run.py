"""Photos are ranked by their log loss and captioned with their settings; tests/commands/test_inspect.py draws runs."""

import numpy as np
import pandas as pd
import pytest

from competition.utils.errors import InputError
from submissions.reports.inspect_run import HeadPredictions, _describe_settings, find_best_and_worst


@pytest.mark.parametrize(
    ("time", "text"),
    [(0.02999874, "1/33 s"), (1 / 8000, "1/8000 s"), (0.25, "1/4 s"), (0.6, "0.6 s"), (30.0, "30 s"), (np.nan, None)],
)
def test_settings_are_described_as_on_a_camera(time, text):
    row = pd.Series({"f_number": 2.2, "exposure_time": time, "iso": 200.0})
    assert _describe_settings(row).split("  ") == ["f/2.2", *([text] if text else []), "ISO 200"]


def head_predictions(truth, *probabilities):
    low = np.array(probabilities)
    return HeadPredictions(("low", "high"), np.stack([low, 1 - low], axis=1), np.array(truth))


def test_photos_are_ranked_by_summed_log_loss():
    rng = np.random.default_rng(0)
    by_head = {name: head_predictions(rng.integers(0, 2, 30), *rng.random(30)) for name in ("aperture", "iso")}
    loss = [-sum(np.log(one.probabilities[image, one.truth[image]]) for one in by_head.values()) for image in range(30)]
    images = np.arange(0, 30, 2)
    best, worst = find_best_and_worst(by_head, images)
    ranked = sorted(images, key=lambda image: loss[image])
    assert best.tolist() == ranked[:5]
    assert worst.tolist() == ranked[:-6:-1]


def test_photos_with_unknown_labels_are_not_ranked():
    by_head = {
        "aperture": head_predictions([0, -1, 0, 0], 0.9, 1.0, 0.5, 0.1),
        "iso": head_predictions([0, 0, 0, -1], *[0.5] * 4),
    }
    best, worst = find_best_and_worst(by_head, np.arange(4))
    assert (best.tolist(), worst.tolist()) == ([0], [2])


def test_single_known_photo_raises():
    with pytest.raises(InputError, match="at least 2 validation photos with known aperture; found 1"):
        find_best_and_worst({"aperture": head_predictions([0, -1], 0.9, 0.1)}, np.arange(2))
