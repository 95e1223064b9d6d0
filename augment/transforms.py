"""The manipulations as an albumentations transform, to be composed with any other. Nothing else here needs
it."""

import os
from collections.abc import Sequence
from typing import Any

# Without this, albumentations asks the package registry for a newer release at every import.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A
import numpy as np

from augment.manipulations import MANIPULATED, NAMES, manipulate
from competition.utils.errors import unknown_name


class Manipulation(A.ImageOnlyTransform):
    """With probability `p`, one of the manipulations `names`, all equally likely, of a uint8 RGB image.

    The competition resized and corrected gamma before the final crop and compressed after it, so put those
    names before a crop and `jpeg…` behind it. Give `A.Compose` a seed of each sample's own: unseeded, or
    seeded once, it repeats itself in every worker. Raises `InputError` for an unknown name.

        A.Compose([Manipulation(("resize0.8",)), A.CenterCrop(512, 512), Manipulation(("jpeg70",))],
        seed=index)
    """

    def __init__(self, names: Sequence[str] = MANIPULATED, p: float = 0.5) -> None:
        super().__init__(p=p)
        for name in names:
            if name not in NAMES:
                raise unknown_name("manipulation", name, NAMES)
        self.names = tuple(names)

    def get_params(self) -> dict[str, Any]:
        return {"name": self.py_random.choice(self.names)}

    def apply(self, img: np.ndarray, name: str, **params: Any) -> np.ndarray:
        return manipulate(img, name)
