"""The manipulations as an albumentations transform, to combine with any other; no other module needs it."""

import os
from collections.abc import Sequence
from typing import Any

# Without this, albumentations asks the package registry for a newer release at every import.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A
import numpy as np

from augment.manipulations import NAMES, manipulate
from competition.manipulation import MANIPULATIONS
from competition.utils.errors import unknown_name


class Manipulation(A.ImageOnlyTransform):
    """Apply a random manipulation to a uint8 RGB image.

    The competition resized and corrected gamma before the final crop and compressed after it, so put those names before
    a crop and `jpeg…` after it. Give every sample's `A.Compose` a seed of its own: without a seed, or with one seed for
    all samples, the random numbers repeat in every worker.

        A.Compose([Manipulation(("resize0.8",)), A.CenterCrop(512, 512), Manipulation(("jpeg70",))], seed=index)

    Args:
        names: manipulations to choose from, all equally likely.
        p: probability that one of them is applied.

    Raises:
        InputError: a name is unknown.
    """

    def __init__(self, names: Sequence[str] = MANIPULATIONS, p: float = 0.5) -> None:
        super().__init__(p=p)
        for name in names:
            if name not in NAMES:
                raise unknown_name("manipulation", name, NAMES)
        self.names = tuple(names)

    def get_params(self) -> dict[str, Any]:
        return {"name": self.py_random.choice(self.names)}

    def apply(self, img: np.ndarray, name: str, **params: Any) -> np.ndarray:
        return manipulate(img, name)
