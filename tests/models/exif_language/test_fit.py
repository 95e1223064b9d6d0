import keras
import numpy as np
import pytest
from keras import layers

from competition.utils.errors import InputError
from models.exif_language.dual_encoder import DualEncoder
from models.exif_language.encoders import project, text_encoder
from models.exif_language.fit import evaluate, make_optimizer, train_dual_encoder
from models.presets import dual_encoder_recipe
from models.saved import load_model

COLORS = 6
RECIPE = dual_encoder_recipe("smoke", epochs=3, batch=12, micro_batch=12, learning_rate=1e-2, warm_up=0.2)


def make_pairs(rng, count):
    """Patches of one color each, and texts that name it."""
    colors = rng.integers(COLORS, size=count)
    patches = np.zeros((count, 8, 8, 3), np.uint8)
    patches[np.arange(count), :, :, colors % 3] = np.where(colors < 3, 250, 120)[:, None, None]
    return patches, np.stack([np.ones(count), 2 + colors, np.zeros(count)], axis=1).astype(np.int32)


class Colors:
    """Replaces both kinds of pairs. Training stops with an exception at the batch `stop`."""

    tokens = make_pairs(np.random.default_rng(7), 24)[1]
    text_ids = tokens[:, 1]
    stop: tuple[int, int] | None = None

    def __len__(self):
        return 20

    def batch(self, epoch, index):
        if (epoch, index) == self.stop:
            raise KeyboardInterrupt
        patches, tokens = make_pairs(np.random.default_rng((epoch, index)), 12)
        return patches, tokens, tokens[:, 1]

    def batches(self):
        yield make_pairs(np.random.default_rng(7), 24)


def dual_encoder():
    keras.utils.set_random_seed(0)
    pixels = keras.Input((8, 8, 3), dtype="uint8", name="patch")
    x = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(pixels))
    image = keras.Model(pixels, project(layers.Dense(16, activation="gelu")(x), 8))
    return DualEncoder(image, text_encoder(10, 3, 8, 1, 2, 8), 10.0, learn_scale=True)


def train(folder, model=None, training=None):
    """Train a dual encoder on colors and their names."""
    return train_dual_encoder(model or dual_encoder(), RECIPE, training or Colors(), Colors(), folder)  # type: ignore[arg-type]


def measure(model):
    return evaluate(model, Colors())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    return folder, train(folder)


def test_training_learns_which_texts_belong_to_patches(uninterrupted):
    _, history = uninterrupted
    assert history["epoch"].tolist() == [0, 1, 2]
    last = history.iloc[-1]
    assert last["image_to_text_1"] > 3 * last["chance_1"] and last["text_to_image_1"] > 3 * last["chance_1"]
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert last["learning_rate"] == pytest.approx(1e-7, rel=0.05)


def test_resumed_training_equals_an_uninterrupted_one(uninterrupted, tmp_path):
    interrupted = Colors()
    interrupted.stop = (1, 3)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, training=interrupted)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-0.weights.h5", "history.csv"]
    history = train(tmp_path)
    columns = [name for name in history if name != "seconds"]
    np.testing.assert_allclose(history[columns], uninterrupted[1][columns], rtol=1e-4, atol=1e-6)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.csv", "image.keras", "text.keras"]


def test_saved_encoders_have_the_weights_of_the_best_epoch(uninterrupted):
    folder, history = uninterrupted
    kept = DualEncoder(load_model(folder / "image.keras"), load_model(folder / "text.keras"))
    best = history.loc[history["val_loss"].idxmin()]
    kept.log_scale.assign(np.log(best["scale"]))
    measures = measure(kept)
    assert measures == pytest.approx({name: best[name] for name in measures}, abs=1e-5)


def test_finished_training_is_not_repeated(uninterrupted):
    folder, history = uninterrupted
    unused = Colors()
    unused.stop = (0, 0)
    assert len(train(folder, training=unused)) == len(history)


def test_loss_that_is_not_a_number_raises(tmp_path):
    model = dual_encoder()
    model.log_scale.assign(np.nan)
    with pytest.raises(InputError, match="became nan in epoch 0, step 0"):
        train(tmp_path, model)


def test_learning_rate_rises_linearly_and_falls_in_a_cosine():
    optimizer = make_optimizer(dual_encoder(), RECIPE, 100)
    rates = []
    for step in range(101):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    assert max(rates) == pytest.approx(RECIPE.learning_rate) and rates.index(max(rates)) == 20
    assert np.diff(rates[:21]) == pytest.approx(np.full(20, np.diff(rates[:21]).mean()), rel=1e-3)
    assert rates[60] == pytest.approx(RECIPE.learning_rate / 2, rel=1e-3)
    assert rates[-1] == pytest.approx(1e-7, rel=0.05)
