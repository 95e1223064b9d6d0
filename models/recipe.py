"""All that decides how a member is trained."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """The settings of one member's training; the presets in `models.presets` fill them in.

    Attributes:
        patch: side of a patch, pixels.
        front: what stands before the backbone, a name of `models.fronts.FRONTS`.
        weights: `imagenet`, `none`, or the path of a weights file.
        epochs: at most so many.
        patches_per_photo: patches of every photograph in an epoch.
        batch: patches in a step.
        learning_rate: of Adam; the peak of the cycle where `schedule` is `cycle`.
        schedule: `plateau` (halved after 5 epochs without a better validation loss) or `cycle` (one warm-up and decay).
        patience: stop after so many epochs without a better validation loss.
        momentum: of BatchNorm's running mean and variance.
        dropout: behind each of the two dense layers.
        precision: Keras' dtype policy, such as `float32` or `mixed_float16`.
    """

    patch: int
    front: str
    weights: str
    epochs: int
    patches_per_photo: int
    batch: int
    learning_rate: float
    schedule: str
    patience: int
    momentum: float
    dropout: float
    precision: str
