"""Front ends: what stands between the pixels and a backbone. In reading order:

registry    the front ends by name, and what they output
dct         histograms and maps of the block DCT's magnitudes
dct_pixels  the same histograms, beside a backbone that reads pixels
distributions  histograms of the block DCT and joint histograms of the energies of blocks
high_pass   the photo minus its local mean
conv_stem   a small convolutional network at full resolution, behind a high-pass filter
statistics  fixed local statistics, and a small network over their distribution
"""

from models.front_ends.registry import FRONT_ENDS, FrontEnd, FrontEndOutput

__all__ = ["FRONT_ENDS", "FrontEnd", "FrontEndOutput"]
