"""Data sets of splices as one list of images with their masks, whatever their tree and their way of drawing masks."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from competition.forgeries import layouts as trees
from competition.utils.errors import InputError, unknown_name

MASKS_LOOKED_AT = 16  # of a data set when it is opened, evenly spread: enough to notice inverted ones


def _white(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return pixels.max(axis=2) > 127


def _not_black(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return pixels.max(axis=2) > 0


def _black(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return pixels.max(axis=2) <= 127


def _green(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    red, green, blue = np.moveaxis(pixels, 2, 0)
    return (green >= 100) & (green > red) & (green > blue)


# What of a mask, uint8 (h, w, 3) RGB, is the splice.
POLARITIES: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.bool_]]] = {
    "white": _white,
    "not black": _not_black,
    "black": _black,
    "green": _green,
}


@dataclass(frozen=True)
class DataSet:
    """A published data set: how its images are found, which color of a mask is the splice (a name in `POLARITIES`),
    and how many authentic and forged images it has (None: no number is published, or it depends on the copy)."""

    find: Callable[[Path], list[trees.Pair]]
    polarity: str
    authentic: int | None
    forged: int | None


DATA_SETS: dict[str, DataSet] = {
    "columbia": DataSet(trees.columbia, "green", 183, 180),
    "dso-1": DataSet(trees.dso1, "black", 100, 100),
    "in-the-wild": DataSet(trees.in_the_wild, "white", 0, 201),
    "realistic-tampering": DataSet(trees.realistic_tampering, "not black", 220, 220),
    "scene-completion": DataSet(trees.scene_completion, "white", 0, None),
    "casia1": DataSet(trees.casia1, "white", 800, None),
    "casia2": DataSet(trees.casia2, "white", 7491, 5123),
    "general": DataSet(trees.general, "white", None, None),
}


@dataclass(frozen=True)
class Item:
    """One image of a data set: its name (the path in the data set, without ending), its file, and its mask's (None
    for an authentic image) with the color of the splice."""

    name: str
    image: Path
    mask: Path | None
    polarity: str


def open_dataset(name: str, root: Path | str) -> list[Item]:
    """The images of the data set called `name`, whose tree lies in `root` (see `trees`), authentic ones first.

    Raises `InputError` for an unknown name, a tree in which something is missing, another number of images than
    was published, and masks that are inverted.
    """
    if name not in DATA_SETS:
        raise unknown_name("data set of splices", name, DATA_SETS)
    data_set, root = DATA_SETS[name], Path(root)
    try:
        pairs = data_set.find(root)
    except InputError as error:
        raise InputError(f"{root} is not the tree of {name}: {error}; expected {_drawing(data_set)}") from None
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
                f"{root} holds {count} {kind} images of {name}, expected {expected}; fetch what is missing"
            )
    _check_polarity(name, root, forged)
    return items


def read_mask(item: Item) -> NDArray[np.bool_]:
    """Where the splice is: (h, w) boolean, of the image's size; all false for an authentic image.

    Raises `InputError` for a mask of another size than its image, one that marks nothing or everything, and for
    files that cannot be read.
    """
    with _opened(item.image) as image:
        shape = image.height, image.width
    if item.mask is None:
        return np.zeros(shape, dtype=bool)
    marked = _marked(item.mask, item.polarity)
    if marked.shape != shape:
        raise InputError(
            f"{item.mask} has {marked.shape[1]}×{marked.shape[0]} pixels and its image {shape[1]}×{shape[0]}; "
            "expected one size; mend the mask or remove both"
        )
    if marked.all() or not marked.any():
        raise InputError(
            f"{item.mask} marks {'everything' if marked.all() else 'nothing'}; "
            f"expected a splice that is {item.polarity}; mend the mask or remove both"
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
            yield image
    except (OSError, SyntaxError) as error:  # what Pillow raises for a file that is missing, damaged or no image
        raise InputError(f"{path} cannot be read ({error}); fetch it again or remove it") from None


def _check_polarity(name: str, root: Path, forged: list[Item]) -> None:
    """A splice is the smaller part of most images, so masks that mark the larger part of most are inverted."""
    some = forged[:: max(1, len(forged) // MASKS_LOOKED_AT)]
    areas = [_marked(item.mask, item.polarity).mean() for item in some if item.mask is not None]
    if areas and np.median(areas) > 0.5:
        raise InputError(
            f"the masks in {root} mark {np.median(areas):.0%} of the typical image; expected splices that are "
            f"{forged[0].polarity}, as in {name}: they seem to be inverted"
        )


def _drawing(data_set: DataSet) -> str:
    """The tree out of the docstring of `find`, in one line."""
    lines = (inspect.getdoc(data_set.find) or "").splitlines()
    return ", ".join(" ".join(line.split()) for line in lines if line.startswith("    "))
