"""Features come from the trained and the untrained encoder, and from the layer before the logits of a classifier."""

from dataclasses import replace

import numpy as np
import pytest

from competition.utils.errors import InputError
from models.classifier import build
from models.presets import classifier_recipe
from submissions.probes.features import classifier_features, find_classifier, trained_encoder, untrained_encoder
from submissions.run import Run

SIDE = 24


def test_untrained_encoder_has_other_weights_and_depends_on_the_seed_alone(run):
    patches = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    first, again = untrained_encoder(run)(patches), untrained_encoder(run)(patches)
    trained = trained_encoder(run)(patches)
    np.testing.assert_array_equal(first, again)
    assert first.shape == trained.shape and not np.allclose(first, trained, atol=1e-3)


def test_finished_classifier_beside_the_run_is_found(run, make_classifier, tmp_path):
    run = replace(run, folder=tmp_path / "one")
    unfinished = make_classifier(tmp_path / "unfinished", finished=False)
    assert find_classifier(run, None) is None
    with pytest.raises(InputError, match="no finished camera classifier for patches of 24 pixels"):
        find_classifier(run, unfinished.folder)
    classifier = make_classifier(tmp_path / "cameras")
    assert find_classifier(run, None) == find_classifier(run, classifier.folder) == (classifier, "convnet")


@pytest.mark.parametrize("member, width", [("convnet", 128), ("mobilenet", 256 + 256)])
def test_classifier_features_are_the_inputs_of_its_logits(member, width, tmp_path, tiny_mobilenet):
    network = build(member, classifier_recipe("smoke", member, patch=64), {"camera": 2})
    run = Run(tmp_path, tmp_path, {}, 0)
    run.member_folder(member).mkdir(parents=True)
    network.save(run.member_folder(member) / "model.keras")
    patches = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    assert classifier_features(run, member)(patches).shape == (3, width)
