"""Each rule finds its defect and passes an original photo."""

from dataclasses import replace
from typing import Any

import pytest

from competition.doctor.read_file import Photo
from competition.doctor.rules import FIT, MIN_QUALITY, MIN_SIDE, ORIGINAL, RULES, Profile
from competition.doctor.verdicts import judge
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
PHOTO = Photo(
    path="train/iPhone-6/1.jpg", size=1000, camera="iPhone-6", split="train", header=HEADER, tables_digest="a"
)
PROFILE = Profile(
    model={"Mine": "M-1"},
    size={"Mine": (4000, 3000)},
    tables={"Mine": frozenset("ab"), "iPhone-6": frozenset("ab")},
    software={"Mine": frozenset(["Acme 3"])},
    low_quality=frozenset(["Mine"]),
    copies={"copy.jpg": "first.jpg"},
    neighbors={"near.jpg": "validation/x.jpg"},
)


def changed(**changes: Any) -> Photo:
    """`PHOTO` with some fields changed, of its header or its own."""
    own = {name: value for name, value in changes.items() if name in Photo.__slots__}
    header = {name: value for name, value in changes.items() if name not in own}
    return replace(PHOTO, header=replace(HEADER, **header), **own)


def passes_rule(name: str, **changes: Any) -> bool:
    return RULES[name].check(changed(**changes), PROFILE) is None


def finding(name: str, **changes: Any) -> str:
    found = RULES[name].check(changed(**changes), PROFILE)
    assert found is not None
    return found


@pytest.mark.parametrize("name", RULES)
def test_an_original_passes_every_rule(name):
    assert passes_rule(name)
    assert RULES[name].check(PHOTO, Profile()) is None


def test_complete():
    assert finding("complete", complete=False) == "the file is truncated"


def test_decodes():
    assert finding("decodes", decode_error="does not decode") == "does not decode"


def test_test_name():
    assert passes_rule("test_name", split="test", path="test/x_manip.tif")
    assert "_unalt or _manip" in finding("test_name", split="test", path="test/x.tif")


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
        ("iPhone-6", "Apple", None, True),  # the rule names_model
        ("Mine", "Acme", "M-1", True),
        ("Mine", "Acme", "M-2", False),
        ("Not in the profile", "Acme", "M-2", True),
        (None, "Acme", "M-2", True),
        (None, "Acme", None, True),
    ],
)
def test_model(camera, make, model, passes):
    assert passes_rule("model", camera=camera, make=make, model=model) == passes


@pytest.mark.parametrize(
    ("camera", "width", "height", "passes"),
    [
        ("iPhone-6", 2448, 3264, True),
        ("iPhone-6", 3263, 2448, False),
        (None, 3263, 2448, False),  # EXIF names a camera of the catalog
        ("Mine", 2000, 1500, True),  # the rule usual_size
    ],
)
def test_native_size(camera, width, height, passes):
    assert passes_rule("native_size", camera=camera, width=width, height=height) == passes


@pytest.mark.parametrize(
    ("camera", "width", "height", "passes"),
    [
        ("Mine", 4000, 3000, True),
        ("Mine", 3000, 4000, True),
        ("Mine", 2000, 1500, False),
        ("Not in the profile", 2000, 1500, True),
        ("iPhone-6", 2000, 1500, True),
    ],
)
def test_usual_size(camera, width, height, passes):
    assert passes_rule("usual_size", camera=camera, width=width, height=height) == passes


def test_names_model():
    assert finding("names_model", model=None) == "EXIF names no model, which cameras write"


def test_camera_format():
    assert finding("camera_format", format="PNG") == "a PNG, which no camera writes"
    assert passes_rule("camera_format", format="TIFF")


def test_camera_size():
    assert passes_rule("camera_size", width=120, height=160)
    assert finding("camera_size", width=159, height=120) == "159x120 is smaller than any camera writes"
    assert finding("camera_size", width=4000, height=119)


def test_patch_fits():
    assert passes_rule("patch_fits", width=MIN_SIDE, height=MIN_SIDE)
    assert "is smaller than a patch" in finding("patch_fits", width=4000, height=MIN_SIDE - 1)


@pytest.mark.parametrize(
    ("exif", "passes"),
    [((3264, 2448), True), ((2448, 3264), True), ((None, None), True), ((1632, 1224), False), ((3264, 2449), False)],
)
def test_exif_size(exif, passes):
    assert passes_rule("exif_size", exif_width=exif[0], exif_height=exif[1]) == passes


def test_quality():
    assert passes_rule("quality", jpeg_quality=MIN_QUALITY)
    assert finding("quality", jpeg_quality=MIN_QUALITY - 1).endswith(f"expected at least {MIN_QUALITY}")
    assert passes_rule("quality", jpeg_quality=None, format="PNG")
    assert passes_rule("quality", jpeg_quality=64, camera="Mine")  # most photos of this camera are below the minimum


def test_no_quality_decides_whether_a_file_is_original():
    """A Fujifilm A200 writes qualities from 64 to 84."""
    assert RULES["quality"].verdicts == (FIT,)
    verdicts = judge(changed(jpeg_quality=1), Profile(), RULES)
    assert verdicts.original
    assert not verdicts.fit


def test_table():
    assert passes_rule("table", tables_digest="b")
    assert "quantization" in finding("table", tables_digest="c")
    assert passes_rule("table", tables_digest="c", camera="Not in the profile")


@pytest.mark.parametrize(
    ("camera", "software", "passes"),
    [
        ("Mine", None, True),
        ("Mine", "9.3.1", True),
        ("Mine", "Acme 3", True),  # many photos of this camera name it
        ("Mine", "Acme 4", False),
        ("Not in the profile", "Acme 4", True),
        ("Not in the profile", "Adobe Photoshop CC", False),
        ("iPhone-6", "Acme 3", False),
        ("iPhone-6", "Adobe Photoshop CC", False),
    ],
)
def test_software(camera, software, passes):
    assert passes_rule("software", camera=camera, software=software) == passes


def test_a_common_editor_is_still_rejected():
    profile = Profile(software={"Mine": frozenset(["Picasa"])})
    assert RULES["software"].check(changed(camera="Mine", software="Picasa"), profile)


def test_duplicate_and_near_duplicate():
    assert finding("duplicate", path="copy.jpg") == "the same bytes as first.jpg"
    assert "validation/x.jpg" in finding("near_duplicate", path="near.jpg")


def test_every_rule_is_documented_and_has_the_name_of_its_function():
    assert all(rule.check.__doc__ and rule.check.__name__ == name for name, rule in RULES.items())


def test_every_rule_speaks_against_a_verdict():
    assert {rule.verdicts for rule in RULES.values()} == {(ORIGINAL,), (FIT,), (ORIGINAL, FIT)}
