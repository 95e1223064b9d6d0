"""Recipes of joint embeddings of patches and EXIF text, see `models.presets.table`."""

from dataclasses import replace

from augment.patches import PatchConfig
from models.exif_language.recipe import DualEncoderRecipe
from models.members import CONVNET, DCTNET
from models.recipe import change

RECOMPRESSIONS = ("jpeg70", "jpeg90")  # as forgers do

# For a GPU: a ResNet-50 with ImageNet weights, and a Transformer of DistilBERT's size that is trained from scratch.
PAPER = DualEncoderRecipe(
    patches=PatchConfig(
        size=124,
        batch_size=1024,
        patches_per_photo=1,
        dihedral=False,
        manipulated_share=0.0,
        manipulations=RECOMPRESSIONS,
    ),
    test_patch=124,
    member="resnet50",
    weights="imagenet",
    width=768,
    blocks=6,
    heads=12,
    inner=768,
    epochs=50,
    micro_batch=128,
    learning_rate=1e-4,
    scale=100.0,
    learn_scale=False,
)
# For two CPU cores. Histograms of DCT magnitudes need no training to show traces, so that a network from scratch sees
# them through recompression. A scale of 100 demands more certainty than a network has that is trained from scratch.
QUICK = replace(
    PAPER,
    patches=replace(PAPER.patches, size=128, batch_size=128, patches_per_photo=4),
    test_patch=128,
    scan_patch=64,
    member=DCTNET,
    weights="none",
    width=128,
    blocks=2,
    heads=2,
    inner=32,
    epochs=8,
    learning_rate=2e-3,
    scale=1 / 0.07,
    learn_scale=True,
    recompressed=0.6,
    halves=True,
)
# Seconds, for tests. The micro-batch is smaller than the batch, so that gradients are cached.
SMOKE = replace(
    change(QUICK, size=48, batch=8, patches_per_photo=1),
    test_patch=64,
    scan_patch=32,
    member=CONVNET,
    width=16,
    blocks=1,
    heads=2,
    inner=16,
    epochs=1,
    micro_batch=4,
    learning_rate=1e-3,
)
