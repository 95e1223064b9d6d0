"""The settings of one training. Imports no framework. Tested by tests/models/presets/test_table.py."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, TypeVar

from augment.dihedral import N_TRANSFORMS
from augment.patches import PatchConfig


@dataclass(frozen=True)
class Recipe:
    """The settings of the training of one classifier, filled in by `models.presets`.

    Attributes:
        patches: how training patches are made. Its seed is replaced at training, so that every member has its own. With
            `dihedral`, the predictions of all eight dihedral views of an image are averaged; without it, the network
            has only seen one orientation of the color filter array, and only the first view is predicted.
        test_patch: side of a patch at validation and prediction, pixels. Features are pooled over the patch, so it may
            be larger than in training: each prediction has more evidence, and training on small patches is faster.
        front_end: `none`, or a name of `models.front_ends.FRONT_ENDS`.
        weights: initial weights: `imagenet`, `none` for random ones, or the path of a `.weights.h5` file.
        epochs: maximum number of epochs.
        learning_rate: initial learning rate, or the peak of the schedule `cycle`.
        schedule: `plateau` (lower it when the validation loss stalls) or `cycle` (one warm-up and decay).
        patience: epochs without a better validation loss after which training stops.
        momentum: of the running mean and variance of BatchNorm.
        dropout: share of units dropped behind each dense layer.
        precision: dtype policy of Keras, such as `float32` or `mixed_float16`.
        tail: layers between features and logits: `wide`, dense layers of 512 and 256 with dropout (the camera
            competition), or `paper`, two of 100 with BatchNorm (Laurence & Murphy 2018).
        optimizer: `adam`, or `sgd` with Nesterov momentum 0.9.
        weight_decay: factor of the L2 penalty of the weights.
        plateau_epochs: epochs without a better validation loss after which `plateau` lowers the learning rate.
        plateau_factor: factor by which it is then multiplied.
        tau: epochs over which each further setting joins the loss, see `models.training.schedules.head_weights`; 0: all
            settings count from the start.
        normalize: how pixels are normalized for a backbone that reads them: as the published `weights` expect, or by
            the means and standard deviations of the `training` patches.
        balance_cameras: weight the loss of the camera by the inverse frequency of the cameras in the training photos.
        average_epochs: window of the exponential moving average of the weights, epochs. Validation and the trained
            model use the average. 0: no average.
        label_smoothing: share of the target that is spread evenly over all classes (Szegedy et al. 2016), below 1.
        mixup: α of the Beta distribution of the shares in which two examples are mixed (Zhang et al. 2018); 0: none.
            Only for a front end alone that is trained on features: a mix of two histograms, not of two patches.
        accumulate: batches whose gradients are averaged for one step.
        front_end_recipe: how the front end is trained alone before the backbone joins it; None if it is not.
        fewest_patches: patches of an epoch at least. Of few photos, more patches of each are cut than `patches` says.
    """

    patches: PatchConfig
    test_patch: int
    front_end: str
    weights: str
    epochs: int
    learning_rate: float
    schedule: str
    patience: int
    momentum: float
    dropout: float
    precision: str
    tail: str = "wide"
    optimizer: str = "adam"
    weight_decay: float = 0.0
    plateau_epochs: int = 5
    plateau_factor: float = 0.5
    tau: float = 0
    normalize: str = "weights"
    balance_cameras: bool = False
    average_epochs: float = 0.0
    label_smoothing: float = 0.0
    mixup: float = 0.0
    accumulate: int = 1
    front_end_recipe: "Recipe | None" = None
    fewest_patches: int = 0

    def patches_for(self, photos: int) -> PatchConfig:
        """Return how patches are made of so many training photos, see `fewest_patches`."""
        needed = -(-self.fewest_patches // max(photos, 1))
        return replace(self.patches, patches_per_photo=max(self.patches.patches_per_photo, needed))

    @property
    def views(self) -> int:
        """Number of dihedral views that are predicted for each image: one for a network trained on one orientation."""
        return N_TRANSFORMS if self.patches.dihedral else 1


class _HasPatches(Protocol):
    @property
    def patches(self) -> PatchConfig: ...

    @property
    def test_patch(self) -> int: ...


AnyRecipe = TypeVar("AnyRecipe", bound=_HasPatches)
SHORT_NAMES = {"patch": "size", "batch": "batch_size"}  # of fields of PatchConfig


def change(recipe: AnyRecipe, **changes: Any) -> AnyRecipe:
    """Return a recipe with other values for some of its fields, or of the fields of its `patches`.

    `patch` stands for `patches.size` and `test_patch`, and `batch` for `patches.batch_size`. The test patch of whole
    photos is as large as the training patch, because a network only knows the scale that it was trained on.
    """
    if "patch" in changes:
        changes = {"test_patch": changes["patch"], **changes}
    values = {SHORT_NAMES.get(name, name): value for name, value in changes.items()}
    of_patches = {field.name: values.pop(field.name) for field in fields(PatchConfig) if field.name in values}
    patches = replace(recipe.patches, **of_patches)
    if patches.input != "patch":
        values["test_patch"] = patches.size
    return replace(recipe, patches=patches, **values)  # type: ignore[type-var]


def patches_from_json(data: Mapping[str, Any]) -> PatchConfig:
    """Return the `PatchConfig` whose fields were written as JSON."""
    return PatchConfig(**{**data, "manipulations": tuple(data["manipulations"])})


def recipe_from_json(data: Mapping[str, Any]) -> Recipe:
    """Return the `Recipe` whose fields were written as JSON."""
    alone = data["front_end_recipe"]
    return Recipe(
        **{
            **data,
            "patches": patches_from_json(data["patches"]),
            "front_end_recipe": alone and recipe_from_json(alone),
        }
    )
