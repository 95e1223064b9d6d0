import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from competition.forgeries.datasets import open_dataset, read_mask
from competition.utils.errors import InputError
from competition.virtual.cameras import CAMERAS
from competition.virtual.make_competition import SIZES as COMPETITION_SIZES
from competition.virtual.make_competition import TEST_BODY, device, training_device
from competition.virtual.make_splices import (
    DONOR_BODY,
    HOST_BODY,
    QUALITIES,
    SIZES,
    Shot,
    SplicesSize,
    find_size,
    make_splices,
    plan_pictures,
    splice,
)
from competition.virtual.regions import LEAST, MOST

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
    """A plan for photographs with random settings, in stops."""
    names = list(CAMERAS)
    hosts = [Shot(names[index % 10], "host", index) for index in range(2 * count)]
    donors = [Shot(names[(index + 5) % 10], "donor", index) for index in range(count)]
    settings = np.random.default_rng(0).uniform(0, 6, size=(3 * count, 3)).tolist()
    return plan_pictures(hosts, donors, settings, seed=1)


def test_the_layout_is_the_general_one(made, table):
    items = open_dataset("general", made)
    assert [item.mask is None for item in items] == [True] * 4 + [False] * 4
    shares = table.assign(stem=table["name"].str[:4]).set_index("stem")["share"]
    for item in items:
        assert read_mask(item).mean() == pytest.approx(shares[item.image.stem], abs=1e-4)
    assert {item.image.name for item in items} == set(table["name"])
    assert json.loads((made / "splices.json").read_text())["complete"]


def test_every_mark_of_the_table_is_true(made, table):
    forged = table[table["donor_camera"].notna()]
    assert (forged["host_camera"] != forged["donor_camera"]).all()
    assert forged["share"].between(LEAST - 0.005, MOST + 0.005).all()
    assert set(forged["edge"]) == {"hard", "soft"} and set(forged["settings"]) == {"similar", "any"}
    authentic = table[table["donor_camera"].isna()]
    assert (authentic["share"] == 0).all() and authentic["edge"].isna().all()
    assert (table["quality"].isna() == table["name"].str.endswith(".png")).all()
    assert sorted(forged["quality"].dropna()) == sorted(authentic["quality"].dropna())


def test_an_authentic_picture_is_the_cameras_own_and_says_nothing_of_it(made, table):
    authentic = table[table["donor_camera"].isna() & table["quality"].isna()].iloc[0]
    known = [pixels(path) for path in (made / "photographs").glob(f"{authentic['host_device']}_*.jpg")]
    picture = pixels(made / "images" / authentic["name"])
    assert any(photo.shape == picture.shape and (photo == picture).all() for photo in known)
    for path in made.glob("images/*"):
        assert b"irtual" not in path.read_bytes() and b"Exif" not in path.read_bytes()


def test_outside_the_mask_a_splice_is_its_host(made, table):
    forged = table[table["donor_camera"].notna() & table["quality"].isna() & (table["edge"] == "hard")].iloc[0]
    picture, mask = pixels(made / "images" / forged["name"]), pixels(made / "masks" / forged["name"]) > 0
    same = [
        (photo == picture).all(axis=2)
        for photo in (pixels(path) for path in (made / "photographs").glob(f"{forged['host_device']}_*.jpg"))
        if photo.shape == picture.shape
    ]
    assert any(equal[~mask].all() and equal[mask].mean() < 0.2 for equal in same)


def test_the_number_of_processes_changes_nothing(made, tmp_path):
    make_splices(tmp_path / "again", TINY, 5, jobs=2)
    assert contents(tmp_path / "again") == contents(made)


def test_what_is_missing_is_made_again_and_nothing_else(made):
    before = contents(made)
    kept = next(made.glob("photographs/*"))
    when = kept.stat().st_mtime_ns
    for lost in (next(made.glob("masks/*")), next(made.glob("images/*.png")), made / "splices.csv"):
        lost.unlink()
    make_splices(made, TINY, 5, jobs=1)
    assert contents(made) == before and kept.stat().st_mtime_ns == when


def test_another_seed_or_foreign_files_are_refused(made, tmp_path):
    with pytest.raises(InputError, match="another size, seed or version"):
        make_splices(made, TINY, 6, jobs=1)
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(InputError, match="other files"):
        make_splices(tmp_path, TINY, 5, jobs=1)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("sides", [(112, 144), (100, 150), (130, 160)])
def test_a_splice_joins_the_two_and_nothing_else(soft, sides):
    host, donor = np.full((112, 144, 3), 10, np.uint8), np.full((*sides, 3), 210, np.uint8)
    picture, mask = splice(np.random.default_rng(0), host, donor, soft)
    assert picture.shape == host.shape and mask.shape == host.shape[:2]
    between = ((picture > 10) & (picture < 210)).any(axis=2)
    assert between.any() == soft
    assert (picture[mask & ~between] == 210).all() and (picture[~mask & ~between] == 10).all()
    assert (picture[mask] >= 110).all() and (picture[~mask] <= 110).all()


def test_a_donor_lies_a_few_pixels_off():
    rows, columns = np.mgrid[:120, :150].astype(np.uint8)
    donor = np.stack([rows, columns, rows * 0], axis=2)
    offsets = set()
    for seed in range(30):
        picture, mask = splice(np.random.default_rng(seed), np.zeros((112, 144, 3), np.uint8), donor, False)
        place = tuple(np.argwhere(mask)[0])
        offsets.add(tuple((picture[place][:2] - place).tolist()))
    assert {offset for pair in offsets for offset in pair} == set(range(8))


def test_no_picture_joins_two_photographs_by_one_model_and_each_is_used_once():
    pictures = plan(40)
    forged = [picture for picture in pictures if picture.donor]
    assert [picture.number for picture in pictures] == list(range(80)) and len(forged) == 40
    assert all(picture.host.camera != picture.donor.camera for picture in forged)
    assert len({picture.donor for picture in forged}) == 40 and len({picture.host for picture in pictures}) == 80
    assert 10 < sum(picture.donor is None for picture in pictures[:40]) < 30  # the numbers tell nothing


def test_settings_edges_and_recompression_are_spread_evenly():
    forged = pd.DataFrame([vars(picture) for picture in plan(40) if picture.donor])
    kinds = forged.groupby(["settings", "edge", forged["quality"].isna()]).size()
    assert len(kinds) == 8 and (kinds == 5).all()
    stops = forged.groupby("settings")["stops"].median()
    assert stops["similar"] < stops["any"] / 2
    assert forged["quality"].dropna().between(*QUALITIES).all()


def test_authentic_pictures_are_recompressed_alike():
    pictures = plan(40)
    forged, authentic = ([p.quality for p in pictures if (p.donor is None) == kind] for kind in (False, True))
    assert sorted(forged, key=str) == sorted(authentic, key=str)


@pytest.mark.parametrize("size", [*SIZES.values(), TINY])
def test_every_size_can_be_planned(size):
    assert all(p.donor is None or p.host.camera != p.donor.camera for p in plan(size.forged))


def test_bodies_are_others_than_the_competitions():
    for camera in CAMERAS:
        trained = {
            training_device(camera, index, size.devices)
            for size in COMPETITION_SIZES.values()
            for index in range(size.photos)
        }
        ours = {device(camera, body) for body in (HOST_BODY, DONOR_BODY)}
        assert len(ours) == 2 and not ours & (trained | {device(camera, TEST_BODY)})


def test_an_unknown_size_is_refused():
    with pytest.raises(InputError, match="smoke, small, full"):
        find_size("huge")
