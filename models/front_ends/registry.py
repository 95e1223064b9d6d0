"""The front ends by name. Tested by tests/models/test_classifier.py.

To add one, write a module of its name with a function `build`, see `FrontEnd.build`, and add a line to `FRONT_ENDS`.
This module imports the standard library only, so that the command line can list the front ends at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from models.layers import Tensor
    from models.recipe import Recipe


class FrontEndOutput(NamedTuple):
    """What a front end makes of a batch of patches.

    Attributes:
        image: input of the backbone, (batch, rows, columns, channels); None if the backbone reads normalized pixels.
        features: (batch, width), joined to the pooled features of the backbone; None if there are none.
        hidden: (batch, width), from which the front end's own logits are computed; None if it has none.
    """

    image: "Tensor | None"
    features: "Tensor | None" = None
    hidden: "Tensor | None" = None


@dataclass(frozen=True)
class FrontEnd:
    """A front end.

    Attributes:
        build: function (pixels, is_manipulated, recipe, smallest) → `FrontEndOutput`. `pixels` is (batch, h, w, 3) in
            0…255, `is_manipulated` is (batch, 1), and the image must be at least `smallest` pixels wide for patches of
            the recipe's size. Names of layers with weights begin with `front_end_`.
        member: name of the member that is this front end alone; None if the front end has no logits of its own. Several
            front ends may share a member, which is then built with the first of them.
        rgb: whether the backbone's input has three channels, as ImageNet weights expect.
        fixed: name of the layer up to which the front end has no weights; its output is computed once for every
            training patch when the front end is trained alone. None if the front end learns from the pixels on.
        fixed_width: number of features in that output.
        multiple: sides of patches must be multiples of so many pixels.
    """

    build: "Callable[[Tensor, Tensor, Recipe, int], FrontEndOutput]"
    member: str | None = None
    rgb: bool = False
    fixed: str | None = None
    fixed_width: int = 0
    multiple: int = 1


def _load(module: str) -> "Callable[[Tensor, Tensor, Recipe, int], FrontEndOutput]":
    """The function `build` of a module, which is imported when the function is called."""

    def build(pixels: "Tensor", is_manipulated: "Tensor", recipe: "Recipe", smallest: int) -> FrontEndOutput:
        return import_module(f"models.front_ends.{module}").build(pixels, is_manipulated, recipe, smallest)

    return build


FRONT_ENDS = {
    "dct": FrontEnd(_load("dct"), member="dctnet", fixed="front_end_histograms", fixed_width=2688, multiple=8),
    "dct_pixels": FrontEnd(
        _load("dct_pixels"), member="dctnet", rgb=True, fixed="front_end_histograms", fixed_width=2688, multiple=8
    ),
    "distributions": FrontEnd(
        _load("distributions"), member="settingsnet", fixed="front_end_distributions", fixed_width=5343, multiple=32
    ),
    "high_pass": FrontEnd(_load("high_pass"), rgb=True),
    "conv_stem": FrontEnd(_load("conv_stem"), member="convnet"),
    "statistics": FrontEnd(_load("statistics"), member="statnet"),
}
