"""Where published data sets of splices keep their images and masks.

Each function takes the folder that its docstring draws and returns pairs (image, mask), mask None for authentic
images. A tree that differs is an `InputError` that names what is missing.
"""

from pathlib import Path

from competition.utils.errors import InputError

SUFFIXES = frozenset({".jpg", ".jpeg", ".tif", ".tiff", ".png", ".bmp"})
KORUS_CAMERAS = ("Canon_60D", "Nikon_D90", "Nikon_D7000", "Sony_A57")
CASIA1_WITHOUT_MASK = "Sp_D_NRN_A_cha0011_sec0011_0542"

Pair = tuple[Path, Path | None]


def columbia(root: Path) -> list[Pair]:
    """Columbia uncompressed (Hsu and Chang, 2006): 183 authentic and 180 spliced photographs by four cameras.

        4cam_auth/*.tif
        4cam_splc/*.tif
        4cam_splc/edgemask/<stem>_edgemask.jpg

    Traps: the authentic images have edge masks too (in 4cam_auth/edgemask), which mark no splice. A mask is green
    where the splice is and red elsewhere, both brighter along the edge: (0, 255, 0) and (0, 200, 0). Being JPEG, it
    has these exact values only away from the border between the colors, so asking for them, as is often done,
    cuts a rim off the splice: here green counts where it is the strongest channel and at least half of 200.
    """
    masks = _by_stem(_files(root, "4cam_splc/edgemask"), "_edgemask")
    return _authentic(_files(root, "4cam_auth")) + _forged(_files(root, "4cam_splc"), masks)


def dso1(root: Path) -> list[Pair]:
    """DSO-1 (de Carvalho et al., TIFS 2013): 100 authentic and 100 spliced pictures of people.

        DSO-1/normal-*.png
        DSO-1/splicing-*.png
        DSO-1-Fake-Images-Masks/splicing-*.png

    Traps: one folder holds both, only the name tells; masks are black where the splice is.
    """
    images = _files(root, "DSO-1")
    masks = _by_stem(_files(root, "DSO-1-Fake-Images-Masks"))
    normal, spliced = ([path for path in images if path.name.startswith(word)] for word in ("normal", "splicing"))
    return _authentic(normal) + _forged(spliced, masks)


def in_the_wild(root: Path) -> list[Pair]:
    """In-the-Wild (Huh et al., ECCV 2018; the folder label_in_wild): 201 forgeries from the web, none authentic.

        images/<stem>.jpg
        masks/<stem>.png

    Trap: without authentic images there is no detection to be scored.
    """
    return _forged(_files(root, "images"), _by_stem(_files(root, "masks")))


def realistic_tampering(root: Path) -> list[Pair]:
    """Realistic Tampering (Korus and Huang, TIFS 2017; the folder data-images): 220 forgeries and their originals.

        <camera>/pristine/<stem>.TIF
        <camera>/tampered-realistic/<stem>.TIF
        <camera>/ground-truth/<stem>.PNG

    The cameras are Canon_60D, Nikon_D90, Nikon_D7000 and Sony_A57.

    Traps: an original and its forgery have one name; masks have three levels, of which gray (changed, but of much
    the same content) counts as forged as well; many forgeries are copies within one photograph, and no two cameras.
    """
    pairs = []
    for camera in KORUS_CAMERAS:
        masks = _by_stem(_files(root, f"{camera}/ground-truth"))
        pairs += _authentic(_files(root, f"{camera}/pristine"))
        pairs += _forged(_files(root, f"{camera}/tampered-realistic"), masks)
    return pairs


def scene_completion(root: Path) -> list[Pair]:
    """Scene completion (Hays and Efros, SIGGRAPH 2007): photographs with holes filled from others, none authentic.

        <stem>.png or .jpg
        <stem>_mask.png or .jpg

    Traps: the mask's ending is not always its image's; JPEG masks ring, so that `mask > 0` marks a rim of noise.
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

    Traps: the masks come from elsewhere and fit the renamed images ("Modified Tp") only; one splice never had a
    mask and is left out; copies within one image (Tp/CM) are no splices and are left out.
    """
    spliced = [path for path in _files(root, "Tp/Sp") if path.stem != CASIA1_WITHOUT_MASK]
    masks = _by_stem(_files(root, "CASIA 1.0 groundtruth/Sp"), "_gt")
    return _authentic(_files(root, "Au")) + _forged(spliced, masks)


def casia2(root: Path) -> list[Pair]:
    """CASIA 2.0 (Dong et al., ChinaSIP 2013) with the masks of Pham et al. (2019): 7491 authentic, 5123 tampered.

        Au/*.jpg, *.bmp
        Tp/*.jpg, *.tif                 Tp_D_…: spliced; Tp_S_…: a copy within one image
        CASIA 2 Groundtruth/<stem>_gt.png

    Traps: the masks come from elsewhere and fit the renamed images only; 17 masks have another size than their
    image, which `read_mask` refuses (SunnyHaze/CASIA2.0-Corrected-Groundtruth has them mended); Thumbs.db lies
    among the images.
    """
    masks = _by_stem(_files(root, "CASIA 2 Groundtruth"), "_gt")
    return _authentic(_files(root, "Au")) + _forged(_files(root, "Tp"), masks)


def general(root: Path) -> list[Pair]:
    """Anybody's own images, and the virtual splices.

        images/<stem>.*
        masks/<stem>.*

    An image without a mask is authentic; masks are white where the splice is. A mask without image is refused.
    """
    images, masks = _by_stem(_files(root, "images")), _by_stem(_files(root, "masks"))
    alone = sorted(set(masks) - set(images))
    if alone:
        raise InputError(f"{len(alone)} mask(s) in {root} have no image, the first is {masks[alone[0]]}")
    return [(image, masks.get(stem)) for stem, image in images.items()]


def _files(root: Path, folder: str) -> list[Path]:
    """The images directly in a folder, in order of name; none, or no folder, is an `InputError`."""
    place = root / folder
    if not place.is_dir():
        raise InputError(f"{place} is missing")
    found = sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != ".")
    if not found:
        raise InputError(f"{place} holds no images")
    return found


def _by_stem(paths: list[Path], ending: str = "") -> dict[str, Path]:
    """Stem without `ending` → path. Two files of one stem are an `InputError`: nobody knows which is meant."""
    found: dict[str, Path] = {}
    for path in paths:
        stem = path.stem.removesuffix(ending)
        if stem in found:
            raise InputError(f"{found[stem]} and {path} have one name; keep one of the two")
        found[stem] = path
    return found


def _authentic(images: list[Path]) -> list[Pair]:
    return [(image, None) for image in images]


def _forged(images: list[Path], masks: dict[str, Path]) -> list[Pair]:
    missing = [image for image in images if image.stem not in masks]
    if missing:
        raise InputError(f"{len(missing)} forged image(s) have no mask, the first is {missing[0]}")
    return [(image, masks[image.stem]) for image in images]
