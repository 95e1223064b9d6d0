import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from competition.forgeries.datasets import open_dataset, read_mask
from competition.utils.errors import InputError
from competition.virtual.cameras import CAMERAS
from competition.virtual.make_competition import SIZES as COMPETITION_SIZES
from competition.virtual.make_competition import TEST_DEVICE, device_name, training_device_name
from competition.virtual.make_splices import (
    DONOR_DEVICE,
    HOST_DEVICE,
    QUALITIES,
    SIZES,
    SourcePhoto,
    SplicesSize,
    find_size,
    make_splices,
    plan_images,
    splice,
)
from competition.virtual.regions import MAX_SHARE, MIN_SHARE

TINY = SplicesSize(forged=4, scale=0.35)


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("splices") / "tiny"
    make_splices(folder, TINY, 5, jobs=1)
    return folder


@pytest.fixture(scope="module")
def table(made):
    return pd.read_csv(made / "splices.csv", dtype={"quality": "Int64"})


def plan(count):
    """A plan for photos with random settings, in stops."""
    names = list(CAMERAS)
    hosts = [SourcePhoto(names[index % 10], "host", index) for index in range(2 * count)]
    donors = [SourcePhoto(names[(index + 5) % 10], "donor", index) for index in range(count)]
    settings = np.random.default_rng(0).uniform(0, 6, size=(3 * count, 3)).tolist()
    return plan_images(hosts, donors, settings, seed=1)


def test_folder_has_the_general_layout(made, table):
    items = open_dataset("general", made)
    assert [item.mask is None for item in items] == [True] * 4 + [False] * 4
    shares = table.assign(stem=table["name"].str[:4]).set_index("stem")["share"]
    for item in items:
        assert read_mask(item).mean() == pytest.approx(shares[item.image.stem], abs=1e-4)
    assert {item.image.name for item in items} == set(table["name"])
    assert json.loads((made / "splices.json").read_text())["complete"]


def test_table_describes_the_images(made, table):
    forged = table[table["donor_camera"].notna()]
    assert (forged["host_camera"] != forged["donor_camera"]).all()
    assert forged["share"].between(MIN_SHARE - 0.005, MAX_SHARE + 0.005).all()
    assert set(forged["edge"]) == {"hard", "soft"} and set(forged["settings"]) == {"similar", "any"}
    authentic = table[table["donor_camera"].isna()]
    assert (authentic["share"] == 0).all() and authentic["edge"].isna().all()
    assert (table["quality"].isna() == table["name"].str.endswith(".png")).all()
    assert sorted(forged["quality"].dropna()) == sorted(authentic["quality"].dropna())


def test_authentic_image_equals_a_photo_and_does_not_name_the_camera(made, table):
    authentic = table[table["donor_camera"].isna() & table["quality"].isna()].iloc[0]
    known = [pixels(path) for path in (made / "photos").glob(f"{authentic['host_device']}_*.jpg")]
    image = pixels(made / "images" / authentic["name"])
    assert any(photo.shape == image.shape and (photo == image).all() for photo in known)
    for path in made.glob("images/*"):
        assert b"irtual" not in path.read_bytes() and b"Exif" not in path.read_bytes()


def test_splice_equals_its_host_outside_the_mask(made, table):
    forged = table[table["donor_camera"].notna() & table["quality"].isna() & (table["edge"] == "hard")].iloc[0]
    image, mask = pixels(made / "images" / forged["name"]), pixels(made / "masks" / forged["name"]) > 0
    same = [
        (photo == image).all(axis=2)
        for photo in (pixels(path) for path in (made / "photos").glob(f"{forged['host_device']}_*.jpg"))
        if photo.shape == image.shape
    ]
    assert any(equal[~mask].all() and equal[mask].mean() < 0.2 for equal in same)


def test_result_does_not_depend_on_number_of_processes(made, tmp_path):
    make_splices(tmp_path / "again", TINY, 5, jobs=2)
    assert contents(tmp_path / "again") == contents(made)


def test_only_missing_files_are_made_again(made):
    before = contents(made)
    kept = next(made.glob("photos/*"))
    when = kept.stat().st_mtime_ns
    for lost in (next(made.glob("masks/*")), next(made.glob("images/*.png")), made / "splices.csv"):
        lost.unlink()
    make_splices(made, TINY, 5, jobs=1)
    assert contents(made) == before and kept.stat().st_mtime_ns == when


def test_other_seed_or_other_files_raise(made, tmp_path):
    with pytest.raises(InputError, match="another size, seed or version"):
        make_splices(made, TINY, 6, jobs=1)
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(InputError, match="other files"):
        make_splices(tmp_path, TINY, 5, jobs=1)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("sides", [(112, 144), (100, 150), (130, 160)])
def test_splice_contains_host_and_donor_only(soft, sides):
    host, donor = np.full((112, 144, 3), 10, np.uint8), np.full((*sides, 3), 210, np.uint8)
    image, mask = splice(np.random.default_rng(0), host, donor, soft)
    assert image.shape == host.shape and mask.shape == host.shape[:2]
    between = ((image > 10) & (image < 210)).any(axis=2)
    assert between.any() == soft
    assert (image[mask & ~between] == 210).all() and (image[~mask & ~between] == 10).all()
    assert (image[mask] >= 110).all() and (image[~mask] <= 110).all()


def test_donor_is_shifted_by_up_to_seven_pixels():
    rows, columns = np.mgrid[:120, :150].astype(np.uint8)
    donor = np.stack([rows, columns, rows * 0], axis=2)
    offsets = set()
    for seed in range(30):
        image, mask = splice(np.random.default_rng(seed), np.zeros((112, 144, 3), np.uint8), donor, False)
        place = tuple(np.argwhere(mask)[0])
        offsets.add(tuple((image[place][:2] - place).tolist()))
    assert {offset for pair in offsets for offset in pair} == set(range(8))


def test_splices_combine_two_models_and_use_each_photo_once():
    images = plan(40)
    forged = [image for image in images if image.donor]
    assert [image.number for image in images] == list(range(80)) and len(forged) == 40
    assert all(image.host.camera != image.donor.camera for image in forged)
    assert len({image.donor for image in forged}) == 40 and len({image.host for image in images}) == 80
    assert 10 < sum(image.donor is None for image in images[:40]) < 30  # numbers are random


def test_settings_edges_and_recompression_are_balanced():
    forged = pd.DataFrame([vars(image) for image in plan(40) if image.donor])
    kinds = forged.groupby(["settings", "edge", forged["quality"].isna()]).size()
    assert len(kinds) == 8 and (kinds == 5).all()
    stops = forged.groupby("settings")["stops"].median()
    assert stops["similar"] < stops["any"] / 2
    assert forged["quality"].dropna().between(*QUALITIES).all()


def test_authentic_images_are_recompressed_like_spliced_ones():
    images = plan(40)
    forged, authentic = ([p.quality for p in images if (p.donor is None) == kind] for kind in (False, True))
    assert sorted(forged, key=str) == sorted(authentic, key=str)


@pytest.mark.parametrize("size", [*SIZES.values(), TINY])
def test_every_size_can_be_planned(size):
    assert all(p.donor is None or p.host.camera != p.donor.camera for p in plan(size.forged))


def test_devices_differ_from_those_of_the_competition():
    for camera in CAMERAS:
        trained = {
            training_device_name(camera, index, size.devices)
            for size in COMPETITION_SIZES.values()
            for index in range(size.photos)
        }
        ours = {device_name(camera, number) for number in (HOST_DEVICE, DONOR_DEVICE)}
        assert len(ours) == 2 and not ours & (trained | {device_name(camera, TEST_DEVICE)})


def test_unknown_size_raises_and_lists_known_names():
    with pytest.raises(InputError, match="smoke, small, full"):
        find_size("huge")
