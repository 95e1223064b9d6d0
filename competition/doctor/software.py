"""Distinguish a camera's firmware from editing software by the EXIF field `Software`.

Cameras write their firmware there (`Ver.5.01`, `HDR+ 1.0.161…`, an Android build, the iOS version); editors replace it
by their own name.
"""

import re
from functools import lru_cache

# Programs that resample, recompress or change tones. No camera's firmware contains these words.
EDITORS = (
    *("adobe", "photoshop", "lightroom", "camera raw", "acd systems", "acdsee", "affinity", "aperture", "aviary"),
    *("bibble", "camedia master", "capture nx", "capture one", "corel", "darktable", "digikam", "dxo", "easyshare"),
    *("digital photo professional", "facebook", "faststone", "fotor", "gimp", "google", "gwenview", "imagemagick"),
    *("image data converter", "instagram", "iphoto", "irfanview", "kodak digital central lab", "luminar", "microsoft"),
    *("nik collection", "nikon transfer", "olympus master", "olympus studio", "olympus viewer", "on1", "paint.net"),
    *("paint shop", "paintshop", "photofiltre", "photomatix", "photoscape", "picasa", "picsart", "pixelmator"),
    *("pixlr", "polarr", "quicktime", "rawtherapee", "scan", "shotwell", "silkypix", "snapseed", "viewnx", "vsco"),
    *("whatsapp", "windows", "xnview", "zoner", "zoombrowser"),
)
EDITOR = re.compile(rf"\b({'|'.join(map(re.escape, EDITORS))})", re.IGNORECASE)

FIRMWARES = (
    r"(version|ver\.?|v\.?)?\s*\d[\w.]*([- ][\w.]+)?",  # 9.3.1, Version 1.3, Ver.5.01, V 05.50, v552p-A80, V06P-74
    r"[a-z]+-user\s.*release-keys",  # an Android build in full
    r"bullhead-user.*",  # the Nexus 5X
    r"[a-z]{1,3}\d[a-z\d]+(\.[a-z\d]{6,})*",  # an Android build: I9505XXUEMJ7, N2G48C, MMB29M.N900W8VLU2DPE1
    r"hdr\+ \d.*",  # the camera application of Nexus phones
    r"android.*",
    r"digital camera .*",  # Fujifilm, followed by the model
    r"mediatek camera application",
)
FIRMWARE = re.compile("|".join(FIRMWARES), re.IGNORECASE)
# Several makers write the model and a version: E5000v1.6, COOLPIX L6V1.0, NEX-7 v1.03, Optio S4i Ver 1.01.
MODEL_AND_VERSION = re.compile(r"(.+?)[ _]*(v|ver\.?|version)?[ _.]*\d+\.\d.*", re.IGNORECASE)


@lru_cache(1000)  # thousands of photos share a few firmwares
def editor_in(software: str) -> str | None:
    """Return the editing program that a `Software` field names, or None."""
    found = EDITOR.search(software)
    return found[1] if found else None


@lru_cache(1000)
def is_firmware(software: str, model: str | None) -> bool:
    """Whether a `Software` field is firmware: it matches one of `FIRMWARES`, or is `model` followed by a version."""
    named = MODEL_AND_VERSION.fullmatch(software)
    return FIRMWARE.fullmatch(software) is not None or bool(
        model and named and model.casefold().endswith(named[1].casefold())
    )
