"""Training by contrast learns, goes on where it stopped, and keeps the best epoch."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from competition.utils.errors import InputError
from models.exif_language.dual_encoder import Joint
from models.exif_language.fit import measured, optimizer, train_joint
from models.exif_language.text_encoder import text_encoder, unit
from models.presets.exif_language import contrast_recipe
from models.training.checkpoints import best_epoch
from models.training.fit import load_model

COLORS = 6
RECIPE = replace(contrast_recipe("smoke"), epochs=3, batch=12, micro_batch=12, learning_rate=1e-2, warm_up=0.2)


def pair(rng, count):
    """Patches of one color each, and texts that name it."""
    colors = rng.integers(COLORS, size=count)
    patches = np.zeros((count, 8, 8, 3), np.uint8)
    patches[np.arange(count), :, :, colors % 3] = np.where(colors < 3, 250, 120)[:, None, None]
    return patches, np.stack([np.ones(count), 2 + colors, np.zeros(count)], axis=1).astype(np.int32)


class Colors:
    """Stands for both kinds of pairs."""

    tokens = pair(np.random.default_rng(7), 24)[1]
    kinds = tokens[:, 1]
    stop = None

    def __len__(self):
        return 20

    def batch(self, epoch, index):
        if (epoch, index) == self.stop:
            raise KeyboardInterrupt
        patches, tokens = pair(np.random.default_rng((epoch, index)), 12)
        return patches, tokens, tokens[:, 1]

    def batches(self):
        yield pair(np.random.default_rng(7), 24)


def joint():
    keras.utils.set_random_seed(0)
    pixels = keras.Input((8, 8, 3), dtype="uint8", name="patch")
    x = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(pixels))
    image = keras.Model(pixels, unit(layers.Dense(16, activation="gelu")(x), 8))
    return Joint(image, text_encoder(10, 3, 8, 1, 2, 8), 10.0, learned=True)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    folder = tmp_path_factory.mktemp("straight")
    return folder, train_joint(joint(), RECIPE, Colors(), Colors(), folder)


def test_it_learns_what_belongs_together(straight):
    _, history = straight
    assert history["epoch"].tolist() == [0, 1, 2]
    last = history.iloc[-1]
    assert last["image_to_text_1"] > 3 * last["chance_1"] and last["text_to_image_1"] > 3 * last["chance_1"]
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert last["learning_rate"] == pytest.approx(1e-7, rel=0.05)


def test_a_stopped_training_goes_on_as_if_nothing_had_happened(straight, tmp_path):
    broken = Colors()
    broken.stop = (1, 3)
    with pytest.raises(KeyboardInterrupt):
        train_joint(joint(), RECIPE, broken, Colors(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-0.weights.h5", "history.csv"]
    history = train_joint(joint(), RECIPE, Colors(), Colors(), tmp_path)
    told = [name for name in history if name != "seconds"]
    np.testing.assert_allclose(history[told], straight[1][told], rtol=1e-4, atol=1e-6)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.csv", "image.keras", "text.keras"]


def test_the_encoders_are_those_of_the_best_epoch(straight):
    folder, history = straight
    kept = Joint(load_model(folder / "image.keras"), load_model(folder / "text.keras"))
    best = history.iloc[best_epoch(list(history["val_loss"]))]
    kept.log_scale.assign(np.log(best["scale"]))
    told = measured(kept, Colors())
    assert told == pytest.approx({name: best[name] for name in told}, abs=1e-5)


def test_a_finished_training_is_not_done_again(straight):
    folder, history = straight
    again = Colors()
    again.stop = (0, 0)
    assert len(train_joint(joint(), RECIPE, again, again, folder)) == len(history)


def test_a_loss_that_is_no_number_is_told(tmp_path):
    model = joint()
    model.log_scale.assign(np.nan)
    with pytest.raises(InputError, match="became nan in epoch 0, step 0"):
        train_joint(model, RECIPE, Colors(), Colors(), tmp_path)


def test_the_rate_rises_in_a_line_and_falls_in_a_cosine():
    made = optimizer(joint(), RECIPE, 100)
    rates = []
    for step in range(101):
        made.iterations.assign(step)
        rates.append(float(made.learning_rate))
    assert max(rates) == pytest.approx(RECIPE.learning_rate) and rates.index(max(rates)) == 20
    assert np.diff(rates[:21]) == pytest.approx(np.full(20, np.diff(rates[:21]).mean()), rel=1e-3)
    assert rates[60] == pytest.approx(RECIPE.learning_rate / 2, rel=1e-3)
    assert rates[-1] == pytest.approx(1e-7, rel=0.05)
