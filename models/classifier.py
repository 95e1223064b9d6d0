"""A member of the ensemble, from pixels to probabilities."""

import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
from keras import layers

from competition.utils.errors import InputError
from models.backbones import STEM, backbone, trunk
from models.front_ends import at_least, deepest, statistics, stem
from models.layers import HighPass, Normalize, Standardize
from models.recipe import Recipe, check
from models.statistics import CELL

Colors = tuple[Sequence[float], Sequence[float]]  # means, standard deviations of red, green and blue

# What Keras, h5py and zipfile raise on damaged and misfitting files.
DAMAGED = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    RuntimeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    UserWarning,
)


def build(member: str, recipe: Recipe, heads: Mapping[str, int], colors: Colors | None = None) -> keras.Model:
    """Build a network: front → backbone → pooled features and `is_manipulated` → dense tail → one softmax per head.

    The flag joins the features behind the pooling, as in A. Torrubia's starter code that the blog's author built on.
    Behind a stem, the backbone's logits are added to those of the stem and begin at zero: the network starts with what
    its stem knows. The member `stem` is a stem alone.

    Args:
        member: a name of `models.backbones.BACKBONES`, or `stem`.
        recipe: sizes and choices; `recipe.weights` is `imagenet`, `none` or the path of a `.weights.h5` file.
        heads: number of classes by the name of the question, such as `{"camera": 10}`.
        colors: means and standard deviations of the training images, where the recipe asks for them; else they are 0
            and 255.

    Returns:
        A model from `{"patch": uint8 (batch, side, side, 3), "is_manipulated": float32 (batch, 1)}`, of any side that
        the backbone can take, to `{head: float32 (batch, classes)}` whose rows sum to one, also under mixed precision.

    Raises:
        InputError: unknown names, a patch too small for the backbone, or weights that cannot be had or do not fit.
    """
    check(member, recipe)
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(recipe.precision)  # keras.applications take no dtype of their own
    try:
        model = _build(member, recipe, heads, colors or ((0.0,) * 3, (255.0,) * 3))
    finally:
        keras.config.set_dtype_policy(former)
    if recipe.weights not in ("imagenet", "none"):
        load_weights(model, Path(recipe.weights))
    return model


def _build(member: str, recipe: Recipe, heads: Mapping[str, int], colors: Colors) -> keras.Model:
    patch = keras.Input((None, None, 3), dtype="uint8", name="patch")
    is_manipulated = keras.Input((1,), dtype="float32", name="is_manipulated")
    evidence, logits = [is_manipulated], dict[str, list[Any]]()
    if recipe.front_end == "stem":
        maps = stem(patch, recipe.momentum)
        evidence.append(layers.GlobalAveragePooling2D(name="stem_features")(maps[-1]))
        x = layers.Concatenate(name="stem_evidence")(evidence)
        x = layers.Dense(128, activation="relu", name="stem_dense")(x)
        x = layers.Dropout(recipe.dropout, name="stem_dropout")(x)
        logits = {head: [layers.Dense(n, name=f"stem_{head}")(x)] for head, n in heads.items()}
        image = maps[-1] if member == STEM else deepest(maps, recipe.patch, backbone(member).smallest)
    elif recipe.front_end == "statistics":
        image, known = statistics(patch, recipe)
        evidence.append(known)
        x = layers.Concatenate(name="stem_evidence")(evidence)
        logits = {head: [layers.Dense(n, name=f"stem_{head}")(x)] for head, n in heads.items()}
        if member != STEM:
            image = at_least(image, recipe.patch // CELL, backbone(member).smallest)
    elif recipe.front_end == "residual":
        image = HighPass(name="high_pass")(patch)
    elif recipe.normalize == "training":
        image = Standardize(*colors, name="standardise")(patch)
    else:
        image = Normalize(backbone(member).mode, name="normalize")(patch)
    if member != STEM:
        evidence.append(layers.GlobalAveragePooling2D(name="features")(_body(member, recipe, image)))
        x = layers.Concatenate(name="evidence")(evidence)
        x = _tail(x, recipe)
        first = "zeros" if logits else "glorot_uniform"
        for head, n in heads.items():
            logits.setdefault(head, []).append(layers.Dense(n, kernel_initializer=first, name=f"{head}_logits")(x))
    outputs = {}
    for head, parts in logits.items():
        total = layers.Add(name=f"{head}_sum")(parts) if len(parts) > 1 else parts[0]
        outputs[head] = layers.Activation("softmax", dtype="float32", name=head)(total)
    return keras.Model({"patch": patch, "is_manipulated": is_manipulated}, outputs, name=member)


def _tail(x: Any, recipe: Recipe) -> Any:
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


def _body(member: str, recipe: Recipe, image: Any) -> Any:
    body = trunk(member, image.shape[-1], "imagenet" if recipe.weights == "imagenet" else None)
    for layer in body.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = recipe.momentum  # Keras' 0.99 keeps validation at chance for the first hundreds of steps
    return body(image)


def adopt_stem(model: keras.Model, trained: keras.Model) -> None:
    """Give `model` the stem, and the stem's own head, of a `trained` one."""
    for layer in trained.layers:
        if layer.weights:
            model.get_layer(layer.name).set_weights(layer.get_weights())


def freeze_stem(model: keras.Model) -> None:
    """Leave the stem as it is from here on: gradients through a backbone that knows nothing yet only harm it."""
    for layer in model.layers:
        if layer.name.startswith("stem_"):
            layer.trainable = False


def load_weights(model: keras.Model, path: Path) -> None:
    """Load weights into `model`; a missing, damaged or misfitting file is an `InputError` that names it."""
    if not path.is_file():
        raise InputError(f"the weights {path} do not exist")
    try:
        with warnings.catch_warnings():
            # Keras only warns of layers that the file lacks, and leaves them as they were.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(path)
    except DAMAGED as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(f"the weights {path} are damaged or belong to another network ({reason})") from error
