"""The networks that are exported: a member for patches of one size, and an ensemble with its views and its blend.

The sizes of inputs are fixed, because LiteRT and some operations of other formats need them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
from keras import layers, ops

from augment.dihedral import N_TRANSFORMS
from models.export.formats import IS_MANIPULATED, PATCH
from models.layers import Tensor


class Member(NamedTuple):
    """A trained member, the side of its patches in pixels, and the number of views whose predictions are averaged."""

    network: keras.Model
    side: int
    views: int


@keras.saving.register_keras_serializable("camera")
class DihedralViews(layers.Layer):
    """The first dihedral views of every patch: (batch, side, side, 3) → (views · batch, side, side, 3), view by view.

    They equal those of `augment.dihedral.dihedral_views`.

    Args:
        views: their number.
    """

    def __init__(self, views: int = N_TRANSFORMS, **options: Any) -> None:
        super().__init__(**options)
        self.views = views

    def call(self, patches: Tensor) -> Tensor:
        return ops.concatenate([_view(patches, element) for element in range(self.views)], axis=0)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (None, *shape[1:])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "views": self.views}


def _view(patches: Tensor, element: int) -> Tensor:
    if element >= N_TRANSFORMS // 2:
        patches = ops.flip(patches, axis=2)
    return ops.rot90(patches, element % 4, axes=(1, 2))


@keras.saving.register_keras_serializable("camera")
class QuadraticBlend(layers.Layer):
    """The root of the mean square of probabilities, rows renormalized: (…, classes) of several → (batch, classes).

    It equals `submissions.blending.blend` for views that follow each other in the batch.

    Args:
        count: number of views or members: the input is (count · batch, classes).
    """

    def __init__(self, count: int, **options: Any) -> None:
        super().__init__(**{**options, "dtype": "float32"})
        self.count = count

    def call(self, probabilities: Tensor) -> Tensor:
        parts = ops.reshape(probabilities, (self.count, -1, probabilities.shape[-1]))
        mean = ops.sqrt(ops.mean(ops.square(parts), axis=0))
        return mean / ops.sum(mean, axis=-1, keepdims=True)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (None, shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "count": self.count}


def member_network(member: Member) -> keras.Model:
    """Return a network that predicts one view of a patch by one member, in single precision."""
    inputs = _inputs(member.side)
    return keras.Model(inputs, in_single_precision(member.network)(inputs), name=member.network.name)


def ensemble_network(members: Sequence[Member]) -> keras.Model:
    """Return a network that averages the views of each member and blends the members, both quadratically.

    Its patches are as large as those of the member with the largest ones. The others see their centers.

    Args:
        members: trained members with the same heads.
    """
    side = max(member.side for member in members)
    inputs = _inputs(side)
    by_head: dict[str, list[Tensor]] = {}
    for network, own, views in members:
        first, last = (side - own) // 2, side - own - (side - own) // 2
        center = layers.Cropping2D(((first, last), (first, last)), name=f"{network.name}_center")(inputs[PATCH])
        patches = DihedralViews(views, name=f"{network.name}_views")(center)
        flags = layers.Concatenate(axis=0, name=f"{network.name}_flags")([inputs[IS_MANIPULATED]] * views)
        outputs = in_single_precision(network)({PATCH: patches, IS_MANIPULATED: flags})
        for head, probabilities in outputs.items():
            average = QuadraticBlend(views, name=f"{network.name}_{head}")(probabilities)
            by_head.setdefault(head, []).append(average)
    blended = {
        head: QuadraticBlend(len(parts), name=head)(layers.Concatenate(axis=0, name=f"{head}_members")(parts))
        for head, parts in by_head.items()
    }
    ensemble = keras.Model(inputs, blended, name="ensemble")
    ensemble.jit_compile = False  # XLA takes longer to compile several networks than an export has to predict
    return ensemble


def patch_side(network: keras.Model) -> int:
    """Return the side of the patches of a network of this module, pixels."""
    return next(tensor.shape[1] for tensor in network.inputs if tensor.name == PATCH)


def in_single_precision(network: keras.Model) -> keras.Model:
    """Return a network that computes in float32, as ONNX requires: the network itself, or a copy with its weights."""
    if network.dtype_policy.name == "float32" and not any("16" in layer.dtype_policy.name for layer in network.layers):
        return network
    copy = keras.models.clone_model(network, clone_function=_single_precision_layer, recursive=True)
    copy.set_weights(network.get_weights())
    return copy


def _single_precision_layer(layer: layers.Layer) -> layers.Layer:
    return layer.__class__.from_config({**layer.get_config(), "dtype": "float32"})


def _inputs(side: int) -> Mapping[str, Tensor]:
    return {
        PATCH: keras.Input((side, side, 3), dtype="uint8", name=PATCH),
        IS_MANIPULATED: keras.Input((1,), dtype="float32", name=IS_MANIPULATED),
    }
