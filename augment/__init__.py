"""Level 2: pixels. In reading order:

decode           a file becomes pixels, exactly as it was coded
damage           photos that cannot be decoded
photo_cache      decoded photos in memory, shared by threads
crops            positions of crops: the center, or random ones of the same JPEG phase
manipulations    the eight manipulations of the competition, on whole images and on patches
matlab_resize    MATLAB's bicubic `imresize`, for any crop of the result
squash           the whole photo resized to a square
tiles            tiles from all over a photo, side by side in a square
pipelines/       pipelines of albumentations transforms
dihedral         the eight dihedral transforms of a square
lens_distortion  patches of a photo with simulated radial distortion
photo_patches    the patches of a photo with the most evidence
patches          training and evaluation patches, NumPy only
batches          batches as dictionaries of arrays
prefetch         background threads that compute the next items of a sequence
loaders          Keras data sets of patches; the only module that imports Keras, so import it from `augment.loaders`
"""

from augment.decode import read_pixels
from augment.dihedral import N_TRANSFORMS, dihedral_copy, dihedral_inverse, dihedral_transform, dihedral_views
from augment.lens_distortion import distorted_patch
from augment.manipulations import cut_patch, cut_test_patch, cut_training_patch, manipulate
from augment.patches import PatchConfig, make_evaluation_patch, make_patch
from augment.prefetch import prefetch
from augment.squash import rotate, squash

__all__ = [
    "N_TRANSFORMS",
    "PatchConfig",
    "cut_patch",
    "cut_test_patch",
    "cut_training_patch",
    "dihedral_copy",
    "dihedral_inverse",
    "dihedral_transform",
    "dihedral_views",
    "distorted_patch",
    "make_evaluation_patch",
    "make_patch",
    "manipulate",
    "prefetch",
    "read_pixels",
    "rotate",
    "squash",
]
