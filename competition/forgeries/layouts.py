"""Folder trees of published splice data sets: where their images and masks are.

Each function takes a folder with the tree of its docstring and returns pairs (image, mask), with the mask None for
authentic images. It raises InputError, which names what is missing, for a different tree.

Tested by tests/competition/forgeries/test_datasets.py.
"""

from pathlib import Path

from competition.utils.errors import InputError
from competition.utils.find_photos import IMAGE_SUFFIXES, find_photos

KORUS_CAMERAS = ("Canon_60D", "Nikon_D90", "Nikon_D7000", "Sony_A57")
CASIA1_WITHOUT_MASK = "Sp_D_NRN_A_cha0011_sec0011_0542"

Pair = tuple[Path, Path | None]


def columbia(root: Path) -> list[Pair]:
    """Columbia uncompressed (Hsu and Chang, 2006): 183 authentic and 180 spliced photos by four cameras.

        4cam_auth/*.tif
        4cam_splc/*.tif
        4cam_splc/edgemask/<stem>_edgemask.jpg

    Notes: authentic images have edge masks, too (in 4cam_auth/edgemask), which mark no splice. A mask is green in the
    splice and red elsewhere, both brighter along the edge: (0, 255, 0) and (0, 200, 0). JPEG compression changes these
    values along the border between the colors. Selecting the exact values, as is often done, removes a rim of the
    splice. Here a pixel is green if green is its strongest channel and at least 100.
    """
    masks = _by_stem(_files(root, "4cam_splc/edgemask"), "_edgemask")
    return _authentic(_files(root, "4cam_auth")) + _forged(_files(root, "4cam_splc"), masks)


def dso1(root: Path) -> list[Pair]:
    """DSO-1 (de Carvalho et al., TIFS 2013): 100 authentic and 100 spliced pictures of people.

        DSO-1/normal-*.png
        DSO-1/splicing-*.png
        DSO-1-Fake-Images-Masks/splicing-*.png

    Notes: one folder holds both kinds, which differ in their names; masks are black in the splice.
    """
    images = _files(root, "DSO-1")
    masks = _by_stem(_files(root, "DSO-1-Fake-Images-Masks"))
    normal, spliced = ([path for path in images if path.name.startswith(word)] for word in ("normal", "splicing"))
    return _authentic(normal) + _forged(spliced, masks)


def in_the_wild(root: Path) -> list[Pair]:
    """In-the-Wild (Huh et al., ECCV 2018; the folder label_in_wild): 201 forgeries from the web, none authentic.

        images/<stem>.jpg
        masks/<stem>.png

    Note: detection cannot be scored without authentic images.
    """
    return _forged(_files(root, "images"), _by_stem(_files(root, "masks")))


def realistic_tampering(root: Path) -> list[Pair]:
    """Realistic Tampering (Korus and Huang, TIFS 2017; the folder data-images): 220 forgeries and their originals.

        <camera>/pristine/<stem>.TIF
        <camera>/tampered-realistic/<stem>.TIF
        <camera>/ground-truth/<stem>.PNG

    The cameras are Canon_60D, Nikon_D90, Nikon_D7000 and Sony_A57.

    Notes: an original and its forgery have the same name; masks have three levels, and gray (changed pixels with nearly
    the same content) also counts as forged; many forgeries are copies within one photo, so by one camera.
    """
    pairs = []
    for camera in KORUS_CAMERAS:
        masks = _by_stem(_files(root, f"{camera}/ground-truth"))
        pairs += _authentic(_files(root, f"{camera}/pristine"))
        pairs += _forged(_files(root, f"{camera}/tampered-realistic"), masks)
    return pairs


def scene_completion(root: Path) -> list[Pair]:
    """Scene completion (Hays and Efros, SIGGRAPH 2007): photos with holes filled from others, none authentic.

        <stem>.png or .jpg
        <stem>_mask.png or .jpg

    Notes: a mask may have another suffix than its image; JPEG masks ring, so `mask > 0` would mark a rim of noise.
    """
    files = _files(root, ".")
    return _forged(
        [path for path in files if not path.stem.endswith("_mask")],
        _by_stem([path for path in files if path.stem.endswith("_mask")], "_mask"),
    )


def casia1(root: Path) -> list[Pair]:
    """CASIA 1.0 (Dong et al., ChinaSIP 2013) with the masks of Pham et al. (2019): 800 authentic images, and splices.

        Au/*.jpg
        Tp/Sp/<stem>.jpg
        CASIA 1.0 groundtruth/Sp/<stem>_gt.png

    Notes: the masks were published separately and match the renamed images ("Modified Tp") only; one splice has no mask
    and is left out; copies within one image (Tp/CM) are not splices and are left out.
    """
    spliced = [path for path in _files(root, "Tp/Sp") if path.stem != CASIA1_WITHOUT_MASK]
    masks = _by_stem(_files(root, "CASIA 1.0 groundtruth/Sp"), "_gt")
    return _authentic(_files(root, "Au")) + _forged(spliced, masks)


def casia2(root: Path) -> list[Pair]:
    """CASIA 2.0 (Dong et al., ChinaSIP 2013) with the masks of Pham et al. (2019): 7491 authentic, 5123 tampered.

        Au/*.jpg, *.bmp
        Tp/*.jpg, *.tif                 Tp_D_…: spliced; Tp_S_…: a copy within one image
        CASIA 2 Groundtruth/<stem>_gt.png

    Notes: the masks were published separately and match the renamed images only; 17 masks differ in size from their
    image, which `read_mask` rejects (SunnyHaze/CASIA2.0-Corrected-Groundtruth has corrected ones); the images' folder
    contains Thumbs.db.
    """
    masks = _by_stem(_files(root, "CASIA 2 Groundtruth"), "_gt")
    return _authentic(_files(root, "Au")) + _forged(_files(root, "Tp"), masks)


def general(root: Path) -> list[Pair]:
    """Your own images, and the virtual splices.

        images/<stem>.*
        masks/<stem>.*

    An image without a mask is authentic; masks are white in the splice. A mask without an image is an error.
    """
    images, masks = _by_stem(_files(root, "images")), _by_stem(_files(root, "masks"))
    unpaired = sorted(set(masks) - set(images))
    if unpaired:
        raise InputError(f"{len(unpaired)} mask(s) in {root} have no image, the first is {masks[unpaired[0]]}")
    return [(image, masks.get(stem)) for stem, image in images.items()]


def _files(root: Path, folder: str) -> list[Path]:
    """The images directly in a folder, sorted by name. Raises InputError if there are none."""
    path = root / folder
    if not path.is_dir():
        raise InputError(f"{path} is missing")
    found = find_photos(path, IMAGE_SUFFIXES)
    if not found:
        raise InputError(f"{path} holds no images")
    return found


def _by_stem(paths: list[Path], ending: str = "") -> dict[str, Path]:
    """Stem without `ending` → path. Raises InputError for two files with the same stem, which is ambiguous."""
    found: dict[str, Path] = {}
    for path in paths:
        stem = path.stem.removesuffix(ending)
        if stem in found:
            raise InputError(f"{found[stem]} and {path} have the same name; keep one of the two")
        found[stem] = path
    return found


def _authentic(images: list[Path]) -> list[Pair]:
    return [(image, None) for image in images]


def _forged(images: list[Path], masks: dict[str, Path]) -> list[Pair]:
    missing = [image for image in images if image.stem not in masks]
    if missing:
        raise InputError(f"{len(missing)} forged image(s) have no mask, the first is {missing[0]}")
    return [(image, masks[image.stem]) for image in images]
