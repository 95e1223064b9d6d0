"""All that decides how a member is trained."""

from dataclasses import dataclass
from pathlib import Path

from competition.utils.errors import InputError, unknown_name
from models.backbones import STEM, backbone

FRONT_ENDS = ("none", "residual", "stem", "statistics")  # built in `models.classifier`
TRAINABLE_FRONT_ENDS = (
    "stem",
    "statistics",
)  # that answer by themselves, as the member `stem`, and then lead a backbone
INPUTS = ("patch", "squash")
SMALLEST_STEM = 8  # pixels


@dataclass(frozen=True)
class Recipe:
    """The settings of one member's training; the presets in `models.presets.classifier` fill them in.

    Attributes:
        patch: side of a training patch, pixels.
        test_patch: side of a patch at validation and prediction. Features are pooled over the patch, so it may be
            larger: more evidence per answer, and training on small patches takes more steps in the same time.
        front_end: what stands before the backbone, a name of `FRONT_ENDS`.
        weights: `imagenet`, `none`, or the path of a weights file.
        epochs: at most so many.
        patches_per_photo: patches of every photograph in an epoch.
        batch: patches in a step.
        learning_rate: at the start; the peak of the cycle where `schedule` is `cycle`.
        schedule: `plateau` (lowered where the validation loss stalls) or `cycle` (one warm-up and decay).
        patience: stop after so many epochs without a better validation loss.
        momentum: of BatchNorm's running mean and variance.
        dropout: behind each of the two dense layers.
        precision: Keras' dtype policy, such as `float32` or `mixed_float16`.
        turns: whether training patches are turned in the eight dihedral ways. Where they are, all eight views of an
            image are averaged; where not, the other seven show a color filter array that the network never saw.
        input: `patch`, a window of the photograph, or `squash`, all of it in a square of `patch` pixels.
        manipulated: share of the training patches that are manipulated.
        padding: pixels of zeros around a squashed photograph, and `rotation`: degrees by which it is turned, at most.
        tail: what follows the features: `wide`, dense layers of 512 and 256 with dropout (the camera competition), or
            `paper`, two of 100 with BatchNorm (Laurence & Murphy 2018).
        optimizer: `adam`, or `sgd` with Nesterov momentum 0.9; `weight_decay`: the L2 penalty of its weights.
        plateau_epochs, plateau_factor: the schedule `plateau` multiplies the rate by `plateau_factor` after so many
            epochs without a better validation loss.
        normalize: what pixels become: what the backbone's published `weights` expect, or standardized by the means and
            standard deviations of the `training` images.
        tau: epochs over which each further setting joins the loss, see `models.training.schedules.head_weights`; 0: all at once.
        stem: how the stem in front of the backbone learns before the backbone joins it; None where there is no stem.
    """

    patch: int
    test_patch: int
    front_end: str
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
    dihedral: bool
    input: str = "patch"
    manipulated: float = 0.5
    padding: int = 0
    rotation: float = 0.0
    tail: str = "wide"
    optimizer: str = "adam"
    weight_decay: float = 0.0
    plateau_epochs: int = 5
    plateau_factor: float = 0.5
    tau: float = 0
    normalize: str = "weights"
    stem: "Recipe | None" = None


def check(member: str, recipe: Recipe) -> None:
    """Raise `InputError` for names that are unknown and for choices that no network can be built from.

    Without a framework, so that a command can refuse them before it writes anything.
    """
    if recipe.front_end not in FRONT_ENDS:
        raise unknown_name("front end", recipe.front_end, FRONT_ENDS)
    if recipe.input not in INPUTS:
        raise unknown_name("input", recipe.input, INPUTS)
    smallest = SMALLEST_STEM if member == STEM else backbone(member).smallest
    if min(recipe.patch, recipe.test_patch) < smallest:
        received = min(recipe.patch, recipe.test_patch)
        raise InputError(f"{member} needs patches of at least {smallest} pixels, received {received}")
    if member == STEM and recipe.front_end not in TRAINABLE_FRONT_ENDS:
        raise InputError(
            f"the member {STEM} is a front end alone: give --front-end {' or '.join(TRAINABLE_FRONT_ENDS)}, not {recipe.front_end}"
        )
    if recipe.weights == "imagenet" and recipe.front_end in TRAINABLE_FRONT_ENDS:
        raise InputError("ImageNet weights expect three channels: use --front-end none or residual, or --weights none")
    if recipe.weights not in ("imagenet", "none") and not Path(recipe.weights).is_file():
        raise InputError(f"the weights {recipe.weights} do not exist; expected imagenet, none or a file")
    if recipe.stem is not None:
        check(STEM, recipe.stem)
