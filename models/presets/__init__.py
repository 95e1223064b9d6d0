"""Presets: recipes for a purpose, by task and name. In reading order:

    table          one row for each preset: its recipe, the size of its virtual data and its label balance
    classifier     recipes of classifiers
    exif_language  recipes of joint embeddings of patches and EXIF text

No module imports a framework.
"""

from models.presets.table import (
    EXIF_LANGUAGE,
    PRESETS,
    Preset,
    change_recipe,
    classifier_recipe,
    dual_encoder_recipe,
    find_preset,
    preset_names,
)

__all__ = [
    "EXIF_LANGUAGE",
    "PRESETS",
    "Preset",
    "change_recipe",
    "classifier_recipe",
    "dual_encoder_recipe",
    "find_preset",
    "preset_names",
]
