"""The settings of the training of a joint embedding. Imports no framework.

Tested by tests/models/presets/test_exif_language.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from augment.patches import PatchConfig
from competition.metadata.exif_text import TextOptions
from competition.utils.errors import InputError, unknown_name
from models.backbones import BACKBONES
from models.members import CONVNET, DCTNET, smallest_patch
from models.recipe import patches_from_json

ENCODERS = (*BACKBONES, CONVNET, DCTNET)  # networks that can encode patches


@dataclass(frozen=True)
class DualEncoderRecipe:
    """The settings of the training of two encoders, one of patches and one of EXIF texts.

    Attributes:
        patches: how training patches are made. Its seed is replaced at training. They may be smaller than the test
            patches, which is faster, because features are averaged over a patch. The two sizes differ by a multiple of
            16, so that both have the same place in the photo's JPEG blocks.
        test_patch: side of a patch at validation and later use, pixels.
        scan_patch: side of the patches that a splice detector compares, pixels. Smaller patches find smaller splices.
        recompressed, halves: see `models.exif_language.pairs.TrainingPairs`.
        member: the network that encodes patches, one of `ENCODERS`.
        weights: its initial weights, `imagenet` or `none`.
        width: width of the joint space.
        blocks: number of blocks of the Transformer that encodes texts.
        heads: number of its attention heads.
        inner: its width, a multiple of `heads`.
        epochs: number of epochs.
        micro_batch: patches that are embedded at a time, as memory allows; `dctnet` embeds all at once, because it has
            dropout and needs little memory. The contrastive batch has the patches of `patches.batch_size` crops.
        learning_rate: at the end of the warm-up.
        scale: factor of the logits.
        learn_scale: whether `scale` is only its initial value.
        length: maximum number of tokens of a text.
        warm_up: share of the steps over which the learning rate rises.
        share: tags are used that at least this share of the training photos has.
        more_than: photos are used that have more than this number of the used tags.
        order, names, drop: see `competition.metadata.exif_text.TextOptions`.
    """

    patches: PatchConfig
    test_patch: int
    member: str
    weights: str
    width: int
    blocks: int
    heads: int
    inner: int
    epochs: int
    micro_batch: int
    learning_rate: float
    scale: float
    learn_scale: bool
    scan_patch: int = 124
    recompressed: float = 0.0
    halves: bool = False
    length: int = 512
    warm_up: float = 0.1
    share: float = 0.5
    more_than: int = 10
    order: str = "fixed"
    names: bool = True
    drop: float = 0.0

    @property
    def embedded_at_once(self) -> int:
        """Number of patches that are embedded at a time."""
        return 4 * self.patches.batch_size if self.member == DCTNET else self.micro_batch

    @property
    def options(self) -> TextOptions:
        """How the training texts are made. Raises `InputError` for an unknown order or an invalid share."""
        return TextOptions(self.order, self.names, self.drop)


def recipe_from_json(data: Mapping[str, Any]) -> DualEncoderRecipe:
    """Return the `DualEncoderRecipe` whose fields were written as JSON."""
    return DualEncoderRecipe(**{**data, "patches": patches_from_json(data["patches"])})


def check_encoder(member: str) -> None:
    """Raise `InputError`, listing the known ones, for a network that cannot encode patches."""
    if member not in ENCODERS:
        raise unknown_name("backbone", member, ENCODERS)


def check_dual_encoder_recipe(recipe: DualEncoderRecipe) -> None:
    """Check that the encoders can be built and trained.

    Raises:
        InputError: an unknown name, a patch that is too small, a batch of one pair, or values that do not fit.
    """
    check_encoder(recipe.member)
    if recipe.patches.batch_size < 2:
        raise InputError(
            f"a contrastive batch needs at least 2 pairs, received {recipe.patches.batch_size}; give a larger --batch"
        )
    smallest, received = smallest_patch(recipe.member), min(recipe.patches.size, recipe.test_patch)
    if received < smallest:
        raise InputError(f"{recipe.member} needs patches of at least {smallest} pixels, received {received}")
    if recipe.inner % recipe.heads:
        raise InputError(
            f"expected a Transformer width that is a multiple of the {recipe.heads} heads, received {recipe.inner}"
        )
    recipe.options  # noqa: B018 - raises InputError for invalid values
