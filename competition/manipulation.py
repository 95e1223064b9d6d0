"""The manifest's `manipulation` column: what was done to an image after the camera wrote it.

The names of test patches say only whether a patch was manipulated. `augment.manipulations` implements the eight
manipulations. Tested by tests/competition/test_manifest.py.
"""

from pathlib import Path

UNALTERED = "unaltered"
MANIPULATED = "manipulated"  # by an unknown manipulation
MANIPULATIONS = ("jpeg70", "jpeg90", "resize0.5", "resize0.8", "resize1.5", "resize2.0", "gamma0.8", "gamma1.2")
ENDINGS = {"_unalt": UNALTERED, "_manip": MANIPULATED}


def manipulation_from_name(path: Path | str) -> str | None:
    """Return `unaltered` or `manipulated` for the name of a test patch, or None for any other name."""
    stem = Path(path).stem
    return next((kind for ending, kind in ENDINGS.items() if stem.endswith(ending)), None)
