import keras
import numpy as np
import pytest

from models.backbones import build_backbone
from models.resnet18 import resnet18

IMAGENET_HEAD = 512 * 1000 + 1000
BOTH = pytest.mark.parametrize("squeeze", [False, True])


@pytest.fixture(scope="module")
def models():
    return {squeeze: resnet18(None, (None, None, 3), squeeze) for squeeze in (False, True)}


def images(side, batch=2):
    return np.random.default_rng(side).normal(size=(batch, side, side, 3)).astype(np.float32)


@pytest.mark.parametrize(("squeeze", "published"), [(False, 11_689_512), (True, 11_778_592)])
def test_parameters_with_the_imagenet_head_are_as_many_as_published(squeeze, published, models):
    trained = sum(int(np.prod(weight.shape)) for weight in models[squeeze].trainable_variables)
    assert trained + IMAGENET_HEAD == published


@BOTH
@pytest.mark.parametrize(("side", "rows"), [(32, 1), (33, 2), (64, 2), (100, 4)])
def test_output_has_512_channels_for_any_side_from_32(squeeze, side, rows, models):
    out = np.asarray(models[squeeze](images(side)))
    assert out.shape == (2, rows, rows, 512)
    assert np.isfinite(out).all()
    assert (out >= 0).all() and out.any()


@BOTH
def test_reloaded_model_predicts_the_same(squeeze, models, tmp_path):
    models[squeeze].save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras")
    for side in (32, 48):
        np.testing.assert_array_equal(np.asarray(again(images(side))), np.asarray(models[squeeze](images(side))))


def test_every_block_of_se_resnet18_alone_has_squeeze_and_excitation(models):
    found = {
        squeeze: [layer.name for layer in model.layers if "excite" in layer.name] for squeeze, model in models.items()
    }
    assert found == {
        False: [],
        True: [f"conv{stage}_block{block}_excite" for stage in (2, 3, 4, 5) for block in (1, 2)],
    }


def test_excitation_scales_each_channel_by_its_own_weight():
    """With all weights at zero, the sigmoid is one half for every channel."""
    model = resnet18(None, (None, None, 3), squeeze=True)
    for layer in model.layers:
        if layer.name.endswith(("_reduce", "_excite")):
            layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    block = keras.Model(
        model.input, [model.get_layer(f"conv2_block1_{part}").output for part in ("2_bn", "excite", "scale")]
    )
    before, weight, scaled = map(np.asarray, block(images(32)))
    assert weight.shape == (2, 1, 1, 64)
    np.testing.assert_array_equal(weight, np.full_like(weight, 0.5))
    np.testing.assert_allclose(scaled, before / 2)


@pytest.mark.parametrize("name", ["resnet18", "se_resnet18"])
def test_backbones_take_any_number_of_channels(name):
    assert build_backbone(name, 5, None, 0.9).input_shape == (None, None, None, 5)


def test_pretrained_weights_raise():
    with pytest.raises(ValueError, match="ResNet-18 has no imagenet weights"):
        resnet18("imagenet", (None, None, 3))
