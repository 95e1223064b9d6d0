"""The EXIF field Software: firmware of cameras is accepted, editors are found."""

import pytest

from competition.doctor.software import EDITORS, FIRMWARES, editor_in, is_firmware

FIRMWARE = [
    ("Version 1.3", "E-P3"),
    ("Ver.5.01", "NIKON D1X"),
    ("V 05.50", "3110c"),
    ("V06P-74", "SR6"),
    ("v552p-A80", "C4040Z"),
    ("4.1", "iPhone 4"),
    ("9.3.1", "iPhone 6"),
    ("E5000v1.6", "E5000"),
    ("E775v1.4u", "E775"),
    ("COOLPIX L6V1.0", "COOLPIX L6"),
    ("NEX-7 v1.03", "NEX-7"),
    ("Optio S4i Ver 1.01", "PENTAX Optio S4i"),
    ("Digital Camera FinePix A200   Ver1.00", "FinePix A200"),
    ("MediaTek Camera Application", "m1 note"),
    ("HDR+ 1.0.161507124n", "Nexus 5X"),
    ("bullhead-user 7.1.2 N2G48C 4104010 release-keys", "Nexus 5X"),
    ("I9505XXUEMJ7", "GT-I9505"),
    ("N900AUCUBMI9", "SAMSUNG-SM-N900A"),
    ("MMB29M.N900W8VLU2DPE1", "SM-N900W8"),
    ("Android 5.1", None),
]
EDITED = [
    *("Adobe Photoshop 7.0", "Adobe Photoshop Lightroom 6.0 (Macintosh)", "GIMP 2.8.10", "Picasa", "Snapseed 2.0"),
    *("ACD Systems Digital Imaging", "OLYMPUS CAMEDIA Master", "Kodak Digital Central Lab System", "Google"),
    *(
        "paint.net 4.0.9",
        "Instagram",
        "Windows Photo Editor 10.0",
        "darktable 2.4",
        "Capture NX-D 1.4",
        "QuickTime 7.6",
    ),
]


@pytest.mark.parametrize(("software", "model"), FIRMWARE)
def test_firmware_is_recognized(software, model):
    assert is_firmware(software, model)
    assert editor_in(software) is None


@pytest.mark.parametrize("software", EDITED)
def test_editors_are_recognized_in_any_case(software):
    assert editor_in(software)
    assert editor_in(software.upper())
    assert not is_firmware(software, "Model")


@pytest.mark.parametrize("software", ["Acme Retoucher 3.0", "Snapsign", "made by hand"])
def test_unknown_software_is_neither(software):
    assert editor_in(software) is None
    assert not is_firmware(software, "Model")


def test_the_name_of_another_model_with_a_version_is_not_firmware():
    assert is_firmware("E5000v1.6", "E5000")
    assert not is_firmware("E5000v1.6", "E775")


def test_no_name_is_listed_twice():
    assert len({*EDITORS}) == len(EDITORS)
    assert len({*FIRMWARES}) == len(FIRMWARES)
