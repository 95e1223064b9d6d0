"""The histograms of front end `dct`, beside a backbone that reads pixels, as ImageNet weights expect.

The layers have the names of those of `dct`, so that both start from the same trained front end.
"""

from models.front_ends.dct import BlockDct, histogram_network
from models.front_ends.registry import FrontEndOutput
from models.layers import Tensor
from models.recipe import Recipe


def build(pixels: Tensor, is_manipulated: Tensor, recipe: Recipe, smallest: int) -> FrontEndOutput:
    """See `models.front_ends.registry.FrontEnd`."""
    return FrontEndOutput(None, *histogram_network(BlockDct(name="dct")(pixels), is_manipulated, recipe))
