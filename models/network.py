"""A member of the ensemble, from pixels to probabilities."""

from collections.abc import Mapping
from pathlib import Path

import keras
from keras import layers

from competition.errors import InputError
from models.backbones import backbone, trunk
from models.fronts import front
from models.recipe import Recipe


def build(member: str, recipe: Recipe, heads: Mapping[str, int]) -> keras.Model:
    """Build a network: front → backbone → pooled features and `is_manipulated` → 512 → 256 → one softmax per head.

    The flag joins the features behind the pooling, as in A. Torrubia's starter code that the blog's author built on.

    Args:
        member: a name of `models.backbones.BACKBONES`.
        recipe: sizes and choices; `recipe.weights` is `imagenet`, `none` or the path of a `.weights.h5` or `.keras` file.
        heads: number of classes by the name of the question, such as `{"camera": 10}`.

    Returns:
        A model from `{"patch": uint8 (batch, size, size, 3), "is_manipulated": float32 (batch, 1)}` to
        `{head: float32 (batch, classes)}` whose rows sum to one, also under mixed precision.

    Raises:
        InputError: unknown names, a patch too small for the backbone, or weights that cannot be had or do not fit.
    """
    smallest = backbone(member).smallest
    if recipe.patch < smallest:
        raise InputError(f"{member} needs patches of at least {smallest} pixels, received {recipe.patch}")
    if recipe.weights == "imagenet" and recipe.front == "stem":
        raise InputError("ImageNet weights expect three channels: use --front none or residual, or --weights none")
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(recipe.precision)  # keras.applications take no dtype of their own
    try:
        model = _build(member, recipe, heads)
    finally:
        keras.config.set_dtype_policy(former)
    if recipe.weights not in ("imagenet", "none"):
        load_weights(model, Path(recipe.weights))
    return model


def _build(member: str, recipe: Recipe, heads: Mapping[str, int]) -> keras.Model:
    patch = keras.Input((recipe.patch, recipe.patch, 3), dtype="uint8", name="patch")
    is_manipulated = keras.Input((1,), dtype="float32", name="is_manipulated")
    start = front(recipe.front, patch, member)
    body = trunk(member, start.image.shape[1:], "imagenet" if recipe.weights == "imagenet" else None)
    for layer in body.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = recipe.momentum  # Keras' 0.99 keeps validation at chance for the first hundreds of steps
    features = [layers.GlobalAveragePooling2D(name="features")(body(start.image)), is_manipulated]
    if start.features is not None:
        features.append(start.features)
    x = layers.Concatenate(name="evidence")(features)
    for width in (512, 256):
        x = layers.Dense(width, activation="relu", name=f"dense_{width}")(x)
        x = layers.Dropout(recipe.dropout, name=f"dropout_{width}")(x)
    outputs = {name: layers.Dense(n, activation="softmax", dtype="float32", name=name)(x) for name, n in heads.items()}
    return keras.Model({"patch": patch, "is_manipulated": is_manipulated}, outputs, name=member)


def load_weights(model: keras.Model, path: Path) -> None:
    """Load weights into `model`; a missing, damaged or misfitting file is an `InputError` that names it."""
    if not path.is_file():
        raise InputError(f"the weights {path} do not exist")
    try:
        model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"the weights {path} are damaged or belong to another network ({reason})") from error
