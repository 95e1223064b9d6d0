"""How the encoders of patches and EXIF text are trained together. Imports no framework."""

from dataclasses import dataclass, replace
from typing import Any

from competition.metadata.exif_text import TextOptions
from competition.utils.errors import InputError, unknown_name
from models.backbones import MEMBERS, STEM, backbone
from models.recipe import SMALLEST_STEM


@dataclass(frozen=True)
class ContrastRecipe:
    """Everything that decides how a joint embedding is trained.

    Attributes:
        member: a name of `models.backbones.MEMBERS` that looks at the patches.
        weights: its first ones, `imagenet` or `none`.
        patch: side of a patch, pixels; `training_patch`: in training. What a network finds is averaged over a patch, so
            that it may learn from smaller ones, which take less time; the two differ by a multiple of 16, so that
            both have the same place in the photograph's JPEG blocks.
        width: of the shared space.
        blocks, heads, inner: of the Transformer that reads the texts.
        length: tokens of a text at most.
        epochs, patches_per_photo: how long.
        batch: patches and texts in a contrast; `micro_batch`: those embedded at a time, as memory allows.
        learning_rate: at the end of the warm-up, which takes the share `warm_up` of all steps.
        scale: of the logits; `learned`: whether it is only the first.
        turns: whether patches are turned in the eight dihedral ways.
        recompressed: share of the training patches that are compressed once more, as forgers do.
        share, more_than: tags are kept that so large a share of the training photographs has, and photographs that have
            more than so many of them.
        order, names, drop: see `competition.metadata.exif_text.TextOptions`.
    """

    member: str
    weights: str
    patch: int
    training_patch: int
    width: int
    blocks: int
    heads: int
    inner: int
    epochs: int
    patches_per_photo: int
    batch: int
    micro_batch: int
    learning_rate: float
    scale: float
    learned: bool
    length: int = 512
    warm_up: float = 0.1
    dihedral: bool = False
    recompressed: float = 0.0
    share: float = 0.5
    more_than: int = 10
    order: str = "fixed"
    names: bool = True
    drop: float = 0.0

    @property
    def options(self) -> TextOptions:
        """How the texts of training are made."""
        return TextOptions(self.order, self.names, self.drop)


# For a GPU: a ResNet-50 with ImageNet weights beside a Transformer of DistilBERT's size, which learns from scratch.
PAPER = ContrastRecipe(
    member="resnet50",
    weights="imagenet",
    patch=124,
    training_patch=124,
    width=768,
    blocks=6,
    heads=12,
    inner=768,
    epochs=50,
    patches_per_photo=1,
    batch=1024,
    micro_batch=128,
    learning_rate=1e-4,
    scale=100.0,
    learned=False,
)
# For two CPU cores. A scale of 100 asks for more certainty than a network has that learns from scratch.
QUICK = replace(
    PAPER,
    member=STEM,
    weights="none",
    training_patch=60,
    width=128,
    blocks=2,
    heads=2,
    inner=32,
    epochs=6,
    patches_per_photo=8,
    batch=64,
    micro_batch=64,
    learning_rate=1e-3,
    scale=1 / 0.07,
    learned=True,
    recompressed=0.5,
)
SMOKE = replace(QUICK, patch=64, training_patch=48, width=16, blocks=1, heads=2, inner=16, epochs=1)
SMOKE = replace(SMOKE, patches_per_photo=1, batch=8, micro_batch=4)  # so that gradients are cached
PRESETS = {"paper": PAPER, "quick": QUICK, "smoke": SMOKE}


def smallest_patch(member: str) -> int:
    """The least side of a patch, in pixels; `InputError` for an unknown member."""
    return SMALLEST_STEM if member == STEM else backbone(member).smallest


def contrast_recipe(preset: str, member: str | None = None, **changes: Any) -> ContrastRecipe:
    """The recipe of a preset with another member and other values; a `None` changes nothing, `patch` both patches.

    Another member begins with ImageNet weights where the preset's does and Keras has them. Raises `InputError` for
    unknown names and for choices that cannot be.
    """
    if preset not in PRESETS:
        raise unknown_name("preset", preset, PRESETS)
    given = {name: value for name, value in changes.items() if value is not None}
    if "patch" in given:
        given["training_patch"] = given["patch"]
    made = replace(PRESETS[preset], **given)
    if member is not None:
        if member not in MEMBERS:
            raise unknown_name("backbone", member, MEMBERS)
        pretrained = member != STEM and backbone(member).pretrained
        made = replace(made, member=member, weights=made.weights if pretrained else "none")
    if made.batch < 2:
        raise InputError(f"a contrast needs a batch of at least 2, received {made.batch}; give a larger --batch")
    if made.training_patch < smallest_patch(made.member):
        made = replace(made, training_patch=made.patch)  # slower
    if made.training_patch < smallest_patch(made.member):
        raise InputError(
            f"{made.member} needs patches of at least {smallest_patch(made.member)} pixels, received {made.patch}"
        )
    if made.inner % made.heads:
        raise InputError(f"a Transformer {made.inner} wide has no {made.heads} equal heads; give a multiple")
    made.options  # noqa: B018 - refuses what cannot be
    return made
