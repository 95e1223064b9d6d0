"""Splice data sets as one list of images with masks, whatever their folder tree and the colors of their masks."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from competition.forgeries import layouts
from competition.metadata.header import DAMAGED, MAX_PIXELS
from competition.utils.errors import InputError, unknown_name

MASKS_CHECKED = 16  # evenly spread, when a data set is opened: enough to detect inverted masks


def _white(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return pixels.max(axis=2) > 127


def _not_black(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return pixels.max(axis=2) > 0


def _black(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return pixels.max(axis=2) <= 127


def _green(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    red, green, blue = np.moveaxis(pixels, 2, 0)
    return (green >= 100) & (green > red) & (green > blue)


# Color of the splice → function from a mask, uint8 (h, w, 3) RGB, to booleans (h, w), true in the splice.
POLARITIES: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.bool_]]] = {
    "white": _white,
    "not black": _not_black,
    "black": _black,
    "green": _green,
}


@dataclass(frozen=True)
class DataSet:
    """A published data set.

    Attributes:
        find: finds the images and their masks, see `competition.forgeries.layouts`.
        polarity: color of the splice in masks, a name in `POLARITIES`.
        authentic, forged: numbers of images; None if no number is published or it depends on the copy.
    """

    find: Callable[[Path], list[layouts.Pair]]
    polarity: str
    authentic: int | None
    forged: int | None


DATA_SETS: dict[str, DataSet] = {
    "columbia": DataSet(layouts.columbia, "green", 183, 180),
    "dso-1": DataSet(layouts.dso1, "black", 100, 100),
    "in-the-wild": DataSet(layouts.in_the_wild, "white", 0, 201),
    "realistic-tampering": DataSet(layouts.realistic_tampering, "not black", 220, 220),
    "scene-completion": DataSet(layouts.scene_completion, "white", 0, None),
    "casia1": DataSet(layouts.casia1, "white", 800, None),
    "casia2": DataSet(layouts.casia2, "white", 7491, 5123),
    "general": DataSet(layouts.general, "white", None, None),
}


@dataclass(frozen=True)
class Item:
    """One image of a data set.

    Attributes:
        name: path in the data set, without suffix.
        image: its file.
        mask: file of its mask; None for an authentic image.
        polarity: color of the splice in the mask, a name in `POLARITIES`.
    """

    name: str
    image: Path
    mask: Path | None
    polarity: str


def open_dataset(name: str, root: Path | str) -> list[Item]:
    """List the images of a data set, authentic ones first.

    Args:
        name: one of `DATA_SETS`.
        root: folder with the tree that `competition.forgeries.layouts` draws.

    Raises:
        InputError: The name is unknown, files are missing, the number of images differs from the published one, or the
            masks are inverted.
    """
    if name not in DATA_SETS:
        raise unknown_name("splice data set", name, DATA_SETS)
    data_set, root = DATA_SETS[name], Path(root)
    try:
        pairs = data_set.find(root)
    except InputError as error:
        raise InputError(f"{root} does not have the tree of {name}: {error}; expected {_tree(data_set)}") from None
    items = [
        Item(image.relative_to(root).with_suffix("").as_posix(), image, mask, data_set.polarity)
        for image, mask in sorted(pairs, key=lambda pair: pair[1] is not None)
    ]
    forged = [item for item in items if item.mask is not None]
    for kind, count, expected in (
        ("authentic", len(items) - len(forged), data_set.authentic),
        ("forged", len(forged), data_set.forged),
    ):
        if expected is not None and count != expected:
            raise InputError(
                f"{root} has {count} {kind} images of {name}, expected {expected}; download the missing ones"
            )
    _check_polarity(name, root, forged)
    return items


def read_mask(item: Item) -> NDArray[np.bool_]:
    """Read a mask: boolean (h, w) of the image's size, true in the splice; all false for an authentic image.

    Raises InputError if the mask differs in size from its image, if it marks nothing or everything, or if a file cannot
    be read.
    """
    with _opened(item.image) as image:
        shape = image.height, image.width
    if item.mask is None:
        return np.zeros(shape, dtype=bool)
    marked = _marked(item.mask, item.polarity)
    if marked.shape != shape:
        raise InputError(
            f"{item.mask} has {marked.shape[1]}×{marked.shape[0]} pixels and its image {shape[1]}×{shape[0]}; "
            "expected the same size; repair the mask or remove both"
        )
    if marked.all() or not marked.any():
        raise InputError(
            f"{item.mask} marks {'everything' if marked.all() else 'nothing'}; "
            f"expected a splice that is {item.polarity}; repair the mask or remove both"
        )
    return marked


def _marked(path: Path, polarity: str) -> NDArray[np.bool_]:
    with _opened(path) as image:
        if image.mode not in ("1", "L", "P", "RGB", "RGBA"):
            raise InputError(f"{path} holds pixels of mode {image.mode}; expected an 8-bit mask")
        return POLARITIES[polarity](np.asarray(image.convert("RGB")))


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(f"{path} has more than {MAX_PIXELS} pixels, the limit; remove it")
            yield image
    except InputError:
        raise
    except (*DAMAGED, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(f"{path} cannot be read ({error}); download it again or remove it") from None


def _check_polarity(name: str, root: Path, forged: list[Item]) -> None:
    """Reject masks that mark the larger part of most images: a splice is the smaller part of most images."""
    some = forged[:: max(1, len(forged) // MASKS_CHECKED)]
    areas = [_marked(item.mask, item.polarity).mean() for item in some if item.mask is not None]
    if areas and np.median(areas) > 0.5:
        raise InputError(
            f"the masks in {root} mark {np.median(areas):.0%} of the typical image; expected splices that are "
            f"{forged[0].polarity}, as in {name}; the masks seem to be inverted"
        )


def _tree(data_set: DataSet) -> str:
    """Return the tree from the docstring of `find`, in one line."""
    lines = (inspect.getdoc(data_set.find) or "").splitlines()
    return ", ".join(" ".join(line.split()) for line in lines if line.startswith("    "))
