"""Each rule finds what it is for, and lets an original photograph pass."""

from dataclasses import replace

import pytest

from competition.doctor.read_file import Photo
from competition.doctor.rules import LEAST_QUALITY, LEAST_SIDE, RULES, Learned
from competition.metadata.header import Header

HEADER = Header(
    format="JPEG",
    mode="RGB",
    bits=8,
    width=3264,
    height=2448,
    complete=True,
    make="Apple",
    model="iPhone 6",
    software="9.3.1",
    device=None,
    f_number=2.2,
    iso=32.0,
    exposure_time=0.01,
    taken_at="2016-01-01T12:00:00",
    exif_width=3264,
    exif_height=2448,
    tables={},
    subsampling="4:2:0",
    jpeg_quality=96,
)
PHOTO = Photo(path="train/iPhone-6/1.jpg", size=1000, camera="iPhone-6", split="train", header=HEADER, table="a")
LEARNED = Learned(
    model={"Mine": "M-1"},
    size={"Mine": (4000, 3000)},
    tables={"Mine": frozenset("ab"), "iPhone-6": frozenset("ab")},
    software={"Mine": frozenset(["Acme 3"])},
    copies={"copy.jpg": "first.jpg"},
    neighbours={"near.jpg": "validation/x.jpg"},
)


def changed(**changes: object) -> Photo:
    """`PHOTO` with other fields, its header's or its own."""
    own = {name: value for name, value in changes.items() if name in Photo.__slots__}
    header = {name: value for name, value in changes.items() if name not in own}
    return replace(PHOTO, header=replace(HEADER, **header), **own)


def found(name: str, **changes: object) -> str | None:
    return RULES[name].check(changed(**changes), LEARNED)


@pytest.mark.parametrize("name", RULES)
def test_an_original_passes_every_rule(name):
    assert found(name) is None
    assert RULES[name].check(PHOTO, Learned()) is None


def test_truncated():
    assert found("complete", complete=False) == "the file is truncated"


def test_decodes():
    assert found("decodes", fault="does not decode") == "does not decode"


def test_test_name():
    assert found("test_name", split="test", path="test/x_manip.tif") is None
    assert "_unalt or _manip" in found("test_name", split="test", path="test/x.tif")


@pytest.mark.parametrize(
    ("camera", "make", "model", "passes"),
    [
        ("iPhone-6", "Apple", "iPhone 6", True),
        ("iPhone-6", "Apple", "iPhone 6 Plus", False),
        ("LG-Nexus-5x", "LGE", "Nexus 5X", True),
        ("LG-Nexus-5x", "Huawei", "Nexus 6P", False),
        ("Motorola-Nexus-6", "Huawei", "Nexus 6P", False),
        ("Motorola-X", "motorola", "XT1096", True),
        ("Motorola-X", "motorola", "XT1058", False),
        ("iPhone-6", "Apple", None, False),
        ("Mine", "Acme", "M-1", True),
        ("Mine", "Acme", "M-2", False),
        ("Never learned", "Acme", "M-2", True),
        (None, "Acme", "M-2", True),
        (None, "Acme", None, False),
    ],
)
def test_model(camera, make, model, passes):
    assert (found("model", camera=camera, make=make, model=model) is None) == passes


@pytest.mark.parametrize(
    ("camera", "width", "height", "passes"),
    [
        ("iPhone-6", 2448, 3264, True),
        ("iPhone-6", 3263, 2448, False),
        (None, 3263, 2448, False),  # EXIF names a camera of the catalogue
        ("Mine", 4000, 3000, True),
        ("Mine", 3000, 4000, True),
        ("Mine", 2000, 1500, False),
        ("Never learned", 2000, 1500, True),
    ],
)
def test_native_size(camera, width, height, passes):
    assert (found("native_size", camera=camera, width=width, height=height) is None) == passes


def test_patch_fits():
    assert found("patch_fits", width=LEAST_SIDE, height=LEAST_SIDE) is None
    assert "cannot hold" in found("patch_fits", width=4000, height=LEAST_SIDE - 1)


@pytest.mark.parametrize(
    ("exif", "passes"),
    [((3264, 2448), True), ((2448, 3264), True), ((None, None), True), ((1632, 1224), False), ((3264, 2449), False)],
)
def test_exif_size(exif, passes):
    assert (found("exif_size", exif_width=exif[0], exif_height=exif[1]) is None) == passes


def test_quality():
    assert found("quality", jpeg_quality=LEAST_QUALITY + 1) is None
    assert f"quality {LEAST_QUALITY}," in found("quality", jpeg_quality=LEAST_QUALITY)
    assert "PNG" in found("quality", jpeg_quality=None, format="PNG")


def test_table():
    assert found("table", table="b") is None
    assert "quantization" in found("table", table="c")
    assert found("table", table="c", camera="Never learned") is None


@pytest.mark.parametrize(
    ("camera", "software", "passes"),
    [
        ("Mine", None, True),
        ("Mine", "9.3.1", True),
        ("Mine", "Acme 3", True),  # many photographs of this camera name it
        ("Mine", "Acme 4", False),
        ("iPhone-6", "Acme 3", False),
        ("iPhone-6", "Adobe Photoshop CC", False),
    ],
)
def test_software(camera, software, passes):
    assert (found("software", camera=camera, software=software) is None) == passes


def test_an_editor_is_not_excused_by_being_common():
    learned = Learned(software={"Mine": frozenset(["Picasa"])})
    assert RULES["software"].check(changed(camera="Mine", software="Picasa"), learned)


def test_copies_and_neighbours():
    assert found("duplicate", path="copy.jpg") == "the same bytes as first.jpg"
    assert "validation/x.jpg" in found("near_duplicate", path="near.jpg")


def test_every_rule_says_what_it_asks():
    assert all(rule.check.__doc__ and rule.check.__name__ == name for name, rule in RULES.items())
