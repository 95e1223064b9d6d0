from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from competition.forgeries.datasets import DATA_SETS, open_dataset, read_mask
from competition.utils.errors import InputError

HEIGHT, WIDTH = 48, 64
REGION = np.zeros((HEIGHT, WIDTH), dtype=bool)
REGION[11:30, 21:44] = True  # not aligned to JPEG blocks, so that some contain both colors
AUTHENTIC, FORGED = 3, 2


def save(pixels, path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def image(path):
    save(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), path)


def gray(path, splice=255, rest=0):
    save(np.where(REGION, splice, rest).astype(np.uint8), path)


def columbia(root):
    for number in range(AUTHENTIC):
        image(root / f"4cam_auth/canong3_{number}.tif")
        save(
            np.full((HEIGHT, WIDTH, 3), (200, 0, 0), np.uint8),
            root / f"4cam_auth/edgemask/canong3_{number}_edgemask.jpg",
        )
    colors = np.where(REGION[..., None], (0, 200, 0), (200, 0, 0)).astype(np.uint8)
    edge = np.zeros_like(REGION)
    edge[:, 30:36] = True
    colors[edge & REGION], colors[edge & ~REGION] = (0, 255, 0), (255, 0, 0)
    for number in range(FORGED):
        image(root / f"4cam_splc/canong3_nikond70_{number}.tif")
        save(colors, root / f"4cam_splc/edgemask/canong3_nikond70_{number}_edgemask.jpg", quality=90)


def dso1(root):
    for number in range(AUTHENTIC):
        image(root / f"DSO-1/normal-{number}.png")
    for number in range(FORGED):
        image(root / f"DSO-1/splicing-{number}.png")
        gray(root / f"DSO-1-Fake-Images-Masks/splicing-{number}.png", splice=0, rest=255)


def in_the_wild(root):
    for number in range(FORGED):
        image(root / f"images/{number}.jpg")
        gray(root / f"masks/{number}.png")


def realistic_tampering(root):
    for camera in ("Canon_60D", "Nikon_D90", "Nikon_D7000", "Sony_A57"):
        image(root / camera / "pristine/one.TIF")
        image(root / camera / "tampered-realistic/one.TIF")
        gray(root / camera / "ground-truth/one.PNG", splice=90)  # "collateral damage" is gray


def scene_completion(root):
    image(root / "beach.png")
    gray(root / "beach_mask.png")
    image(root / "hill.png")
    save((REGION * 255).astype(np.uint8), root / "hill_mask.jpg", quality=60)


def casia1(root):
    for number in range(AUTHENTIC):
        image(root / f"Au/Au_ani_{number}.jpg")
    for number in range(FORGED):
        image(root / f"Tp/Sp/Sp_D_CND_A_{number}.jpg")
        gray(root / f"CASIA 1.0 groundtruth/Sp/Sp_D_CND_A_{number}_gt.png")
    image(root / "Tp/Sp/Sp_D_NRN_A_cha0011_sec0011_0542.jpg")
    image(root / "Tp/CM/Sp_S_CND_A_1.jpg")


def casia2(root):
    for number, ending in enumerate(("jpg", "bmp", "jpg")):
        image(root / f"Au/Au_ani_{number}.{ending}")
    (root / "Au/Thumbs.db").write_bytes(b"not an image")
    for number, ending in enumerate(("jpg", "tif")):
        image(root / f"Tp/Tp_D_CND_A_{number}.{ending}")
        gray(root / f"CASIA 2 Groundtruth/Tp_D_CND_A_{number}_gt.png")


def general(root):
    for number in range(AUTHENTIC):
        image(root / f"images/a{number}.jpg")
    for number in range(FORGED):
        image(root / f"images/f{number}.png")
        gray(root / f"masks/f{number}.png")


# Data set → function that makes its tree, number of authentic images, number of forged images.
TREES = {
    "columbia": (columbia, AUTHENTIC, FORGED),
    "dso-1": (dso1, AUTHENTIC, FORGED),
    "in-the-wild": (in_the_wild, 0, FORGED),
    "realistic-tampering": (realistic_tampering, 4, 4),
    "scene-completion": (scene_completion, 0, 2),
    "casia1": (casia1, AUTHENTIC, FORGED),
    "casia2": (casia2, AUTHENTIC, FORGED),
    "general": (general, AUTHENTIC, FORGED),
}
each_data_set = pytest.mark.parametrize("name", TREES)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A function that makes a tiny tree of a data set, adapts the expected numbers to it, and returns its folder."""

    def make(name):
        build, authentic, forged = TREES[name]
        root = tmp_path / name
        build(root)
        monkeypatch.setitem(DATA_SETS, name, replace(DATA_SETS[name], authentic=authentic, forged=forged))
        return root

    return make


def test_every_data_set_is_tested_here():
    assert set(TREES) == set(DATA_SETS)


@each_data_set
def test_masks_are_true_in_the_splice(tree, name):
    items = open_dataset(name, tree(name))
    _, authentic, forged = TREES[name]
    assert [item.mask is None for item in items] == [True] * authentic + [False] * forged
    assert len({item.name for item in items}) == len(items)
    for item in items:
        mask = read_mask(item)
        assert mask.dtype == bool and mask.shape == REGION.shape
        if item.mask is None:
            assert not mask.any()
        elif item.mask.suffix == ".jpg":
            assert (mask == REGION).mean() > 0.99
        else:
            assert (mask == REGION).all()


def test_columbia_masks_keep_the_rim_that_exact_colors_would_lose(tree):
    forged = open_dataset("columbia", tree("columbia"))[-1]
    assert forged.mask is not None
    with Image.open(forged.mask) as mask:
        pixels = np.asarray(mask)
    exact = (pixels == (0, 255, 0)).all(axis=2) | (pixels == (0, 200, 0)).all(axis=2)
    assert (read_mask(forged) == REGION).mean() > (exact == REGION).mean() + 0.01


@each_data_set
def test_a_different_number_of_images_is_rejected(tree, name, monkeypatch):
    root = tree(name)
    _, authentic, forged = TREES[name]
    monkeypatch.setitem(DATA_SETS, name, replace(DATA_SETS[name], forged=forged + 1))
    with pytest.raises(InputError, match=f"has {forged} forged images of {name}, expected {forged + 1}"):
        open_dataset(name, root)
    monkeypatch.setitem(DATA_SETS, name, replace(DATA_SETS[name], authentic=authentic + 1))
    with pytest.raises(InputError, match=f"has {authentic} authentic"):
        open_dataset(name, root)


def test_expected_numbers_are_the_published_ones():
    numbers = {name: (data_set.authentic, data_set.forged) for name, data_set in DATA_SETS.items()}
    assert numbers["columbia"] == (183, 180)
    assert numbers["dso-1"] == (100, 100)
    assert numbers["in-the-wild"] == (0, 201)
    assert numbers["realistic-tampering"] == (220, 220)
    assert numbers["casia2"] == (7491, 5123)


@pytest.mark.parametrize("name", [name for name in TREES if name != "general"])
def test_a_missing_mask_is_reported(tree, name):
    root = tree(name)
    image, mask = next((item.image, item.mask) for item in open_dataset(name, root) if item.mask)
    mask.unlink()
    with pytest.raises(InputError, match=f"(no mask, the first is {image}|{mask.parent} holds no images)"):
        open_dataset(name, root)


@each_data_set
def test_the_error_about_a_different_tree_shows_the_expected_one(tmp_path, name):
    (tmp_path / "holiday").mkdir()
    with pytest.raises(
        InputError, match=rf"does not have the tree of {name}: .* (is missing|holds no images); expected .*[*<]"
    ):
        open_dataset(name, tmp_path / "holiday")


@each_data_set
def test_inverted_masks_are_rejected(tree, name, monkeypatch):
    root = tree(name)
    other = "white" if DATA_SETS[name].polarity == "black" else "black"
    if name != "columbia":
        monkeypatch.setitem(DATA_SETS, name, replace(DATA_SETS[name], polarity=other))
    else:
        for path in (root / "4cam_splc/edgemask").iterdir():
            with Image.open(path) as mask:
                swapped = np.asarray(mask)[..., [1, 0, 2]]
            save(swapped, path)
    with pytest.raises(InputError, match="inverted"):
        open_dataset(name, root)


@pytest.fixture
def forged(tree):
    """One forged item of the data set `general`, whose mask the tests replace."""
    return open_dataset("general", tree("general"))[-1]


@pytest.mark.parametrize(
    "pixels, message",
    [
        (np.zeros((HEIGHT, WIDTH), np.uint8), "marks nothing"),
        (np.full((HEIGHT, WIDTH), 255, np.uint8), "marks everything"),
        (np.full((WIDTH, HEIGHT), 255, np.uint8), f"{HEIGHT}×{WIDTH} pixels and its image {WIDTH}×{HEIGHT}"),
        (np.ones((HEIGHT, WIDTH), np.uint16), "mode I;16"),
    ],
)
def test_invalid_masks_are_rejected(forged, pixels, message):
    save(pixels, forged.mask)
    with pytest.raises(InputError, match=message):
        read_mask(forged)


@pytest.mark.parametrize("part", ["image", "mask"])
def test_an_unreadable_file_is_reported(forged, part):
    path = getattr(forged, part)
    path.write_bytes(b"<html>")
    with pytest.raises(InputError, match=f"{path} cannot be read"):
        read_mask(forged)


def test_a_truncated_mask_is_rejected(forged):
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
    save(noise, forged.mask)
    forged.mask.write_bytes(forged.mask.read_bytes()[:1500])
    with pytest.raises(InputError, match="cannot be read"):
        read_mask(forged)


def test_two_images_with_the_same_name_are_rejected(tree):
    root = tree("general")
    image(root / "images/f0.jpg")
    with pytest.raises(InputError, match="have the same name"):
        open_dataset("general", root)


def test_a_mask_without_image_is_rejected(tree):
    root = tree("general")
    gray(root / "masks/lost.png")
    with pytest.raises(InputError, match=r"1 mask\(s\) .* have no image, the first is .*lost.png"):
        open_dataset("general", root)


def test_an_unknown_data_set_is_rejected(tmp_path):
    with pytest.raises(InputError, match="unknown splice data set 'nist'; known: columbia"):
        open_dataset("nist", tmp_path)
