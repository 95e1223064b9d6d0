"""A member, from pixels to probabilities."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
from keras import layers

from models.backbones import BACKBONES, build_backbone, find_backbone
from models.front_ends import FRONT_ENDS, FrontEndOutput
from models.front_ends.dct import Transposition
from models.layers import Normalize, Standardize, Tensor
from models.members import check_recipe, smallest_patch
from models.recipe import Recipe
from models.saved import load_weights

ColorStatistics = tuple[Sequence[float], Sequence[float]]  # means and standard deviations of red, green and blue
UNKNOWN_COLORS: ColorStatistics = ((0.0,) * 3, (255.0,) * 3)


def build(
    member: str, recipe: Recipe, heads: Mapping[str, int], colors: ColorStatistics = UNKNOWN_COLORS
) -> keras.Model:
    """Build a network: front end → backbone → pooled features and `is_manipulated` → dense layers → softmax per head.

    The flag joins the features behind the pooling, as in A. Torrubia's starter code for the competition. Behind a front
    end with logits of its own, the logits of the backbone are added to them and start at zero, so that the untrained
    backbone does not change the predictions of the front end. A member that is a front end alone has no backbone.

    Args:
        member: one of `models.members.MEMBERS`.
        recipe: sizes and choices.
        heads: number of classes by the name of the head, such as `{"camera": 10}`.
        colors: of the training patches, for a recipe that normalizes by them.

    Returns:
        A model from `{"patch": uint8 (batch, side, side, 3), "is_manipulated": float32 (batch, 1)}`, for any side that
        the backbone can take, to `{head: float32 (batch, classes)}`. Rows sum to one, also in mixed precision.

    Raises:
        InputError: see `models.members.check_recipe`, or weights that are not available or do not fit.
    """
    check_recipe(member, recipe)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(recipe.precision)  # the models of keras.applications have no dtype argument
    try:
        model = _build(member, recipe, heads, colors)
    finally:
        keras.config.set_dtype_policy(policy)
    if recipe.weights not in ("imagenet", "none"):
        load_weights(model, Path(recipe.weights))
    return model


def _build(member: str, recipe: Recipe, heads: Mapping[str, int], colors: ColorStatistics) -> keras.Model:
    patch = keras.Input((None, None, 3), dtype="uint8", name="patch")
    is_manipulated = keras.Input((1,), dtype="float32", name="is_manipulated")
    front_end, logits = _front_end(member, recipe, patch, is_manipulated, colors), dict[str, list[Tensor]]()
    if front_end.hidden is not None:
        logits = {head: [layers.Dense(n, name=f"front_end_{head}")(front_end.hidden)] for head, n in heads.items()}
        if recipe.front_end_recipe is not None:
            # The front end knows its training patches almost by heart. Half of the time, the backbone must do without.
            logits = {head: [_drop_rows(parts[0], f"front_end_{head}_drop")] for head, parts in logits.items()}
    if member in BACKBONES:
        weights = "imagenet" if recipe.weights == "imagenet" else None
        image: Tensor = front_end.image
        backbone = build_backbone(member, image.shape[-1], weights, recipe.momentum)
        pooled = layers.GlobalAveragePooling2D(name="features")(backbone(image))
        features = [] if front_end.features is None else [front_end.features]
        x = _tail(layers.Concatenate(name="evidence")([is_manipulated, *features, pooled]), recipe)
        initializer = "zeros" if logits else "glorot_uniform"
        for head, n in heads.items():
            dense = layers.Dense(n, kernel_initializer=initializer, name=f"{head}_logits")
            logits.setdefault(head, []).append(dense(x))
    outputs = {}
    for head, parts in logits.items():
        total = layers.Add(name=f"{head}_sum")(parts) if len(parts) > 1 else parts[0]
        outputs[head] = layers.Activation("softmax", dtype="float32", name=head)(total)
    return keras.Model({"patch": patch, "is_manipulated": is_manipulated}, outputs, name=member)


def _drop_rows(logits: Tensor, name: str) -> Tensor:
    return layers.Dropout(0.5, noise_shape=(None, 1), name=name)(logits)


def _front_end(
    member: str, recipe: Recipe, patch: Tensor, is_manipulated: Tensor, colors: ColorStatistics
) -> FrontEndOutput:
    output = FrontEndOutput(None)
    if recipe.front_end in FRONT_ENDS:
        output = FRONT_ENDS[recipe.front_end].build(patch, is_manipulated, recipe, smallest_patch(member))
    if output.image is not None:
        return output
    if recipe.normalize == "training":
        return output._replace(image=Standardize(*colors, name="standardize")(patch))
    return output._replace(image=Normalize(find_backbone(member).mode, name="normalize")(patch))


def _tail(x: Tensor, recipe: Recipe) -> Tensor:
    if recipe.tail == "paper":
        for number in (1, 2):
            x = layers.Dense(100, name=f"tail_{number}")(x)
            x = layers.BatchNormalization(momentum=recipe.momentum, name=f"tail_{number}_bn")(x)
            x = layers.Activation("relu", name=f"tail_{number}_relu")(x)
        return x
    for width in (512, 256):
        x = layers.Dense(width, activation="relu", name=f"dense_{width}")(x)
        x = layers.Dropout(recipe.dropout, name=f"dropout_{width}")(x)
    return x


def needed_views(network: keras.Model, views: int) -> int:
    """Return 1 if a network gives all dihedral views of a patch the same probabilities, else `views`.

    It does if its front end averages both orientations and its backbone has learned nothing: then the logits that the
    backbone adds are zero.
    """
    averages = any(isinstance(layer, Transposition) for layer in network.layers)
    added = [layer for layer in network.layers if layer.name.endswith("_logits")]
    is_zero = all(not np.any(weight) for layer in added for weight in layer.get_weights())
    return 1 if averages and is_zero else views


def copy_weights(model: keras.Model, trained: keras.Model) -> None:
    """Copy the weights of all layers of a `trained` part of a network to the layers of the same names in `model`."""
    for layer in trained.layers:
        if layer.weights:
            model.get_layer(layer.name).set_weights(layer.get_weights())


def freeze_front_end(model: keras.Model) -> None:
    """Make the front end untrainable: gradients through an untrained backbone only harm it."""
    for layer in model.layers:
        if layer.name.startswith("front_end_"):
            layer.trainable = False
