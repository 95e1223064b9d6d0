"""The ten cameras of the IEEE Signal Processing Society competition (Kaggle, 2018).

The organizers published labels and photos, but no EXIF names. The aliases and sizes below are those of the
competition's photos and of the variants of the same phone. Names are compared in full, because longer names belong to
other cameras: "iPhone 6 Plus", "Nexus 6P", "HTC One_M8", "HTC One mini".

Two Motorola cameras are easily confused with others:

- `Motorola-X` is the Moto X of **2014** (2nd generation, XT1085 and XT1092 to XT1097). The competition's photos have
  4160×3120 pixels, the size of its 13-megapixel sensor. The Moto X of 2013 (XT1052 to XT1060) has 10 megapixels and
  writes 4320×2432. Participants who collected photos noticed late and discarded those of 2013.
- `Motorola-Droid-Maxx` is XT1080 (XT1080M on some phones). The Moto X of 2013 and the Droid Mini have the same sensor
  and size but other model names. They are not accepted, although some participants used them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Camera:
    """A camera model.

    Attributes:
        label: class name in the competition.
        make: EXIF field Make.
        models: EXIF field Model of each variant.
        native_sizes: (longer, shorter) side in pixels of the photos that the camera writes.
    """

    label: str
    make: str
    models: tuple[str, ...]
    native_sizes: tuple[tuple[int, int], ...]


_CAMERAS = (
    Camera(
        "HTC-1-M7",
        "HTC",
        ("HTC One", "HTCONE", "HTC6500LVW", "HTC One 801e", "HTC One 801n", "HTC One 801s", "HTC_PN071"),
        ((2688, 1520),),
    ),
    Camera("LG-Nexus-5x", "LGE", ("Nexus 5X",), ((4032, 3024),)),
    Camera("Motorola-Droid-Maxx", "Motorola", ("XT1080", "XT1080M"), ((4320, 2432),)),
    Camera("Motorola-Nexus-6", "Motorola", ("Nexus 6",), ((4160, 3120), (4160, 3088))),  # the second size with HDR+
    Camera(
        "Motorola-X",
        "Motorola",
        ("XT1085", "XT1092", "XT1093", "XT1094", "XT1095", "XT1096", "XT1097"),
        ((4160, 3120), (4160, 2340)),
    ),
    Camera(
        "Samsung-Galaxy-Note3",
        "Samsung",
        (
            *("SM-N900", "SM-N9000Q", "SM-N9002", "SM-N9005", "SM-N9006", "SM-N9008", "SM-N9008V", "SM-N9009"),
            *("SM-N900A", "SAMSUNG-SM-N900A", "SM-N900P", "SM-N900R4", "SM-N900T", "SM-N900V", "SM-N900W8"),
        ),
        ((4128, 2322), (4128, 3096)),
    ),
    Camera(
        "Samsung-Galaxy-S4",
        "Samsung",
        (
            *("GT-I9500", "GT-I9502", "GT-I9505", "GT-I9505G", "GT-I9506", "GT-I9507", "GT-I9508"),
            *("SCH-I545", "SCH-R970", "SGH-I337", "SAMSUNG-SGH-I337", "SGH-I337M", "SGH-M919", "SPH-L720"),
        ),
        ((4128, 2322), (4128, 3096)),
    ),
    Camera("Sony-NEX-7", "Sony", ("NEX-7",), ((6000, 4000),)),
    Camera("iPhone-4s", "Apple", ("iPhone 4S",), ((3264, 2448),)),
    Camera("iPhone-6", "Apple", ("iPhone 6",), ((3264, 2448),)),
)
CAMERAS = {camera.label: camera for camera in _CAMERAS}


def find_camera(make: str | None, model: str | None) -> str | None:
    """Return the label of the camera with these EXIF names, ignoring case, or None if it is not one of `CAMERAS`.

    A known model with an unknown `make` (None) is accepted; one with a different `make` is not.
    """
    if model is None:
        return None
    for camera in CAMERAS.values():
        known = model.casefold() in map(str.casefold, camera.models)
        if known and (make is None or make.casefold() == camera.make.casefold()):
            return camera.label
    return None
