"""The ten virtual camera models.

Models differ in what forensics calls traces: color filter phase, demosaicing, denoising, sharpening, chroma
subsampling, quantization tables. Their differences in color and tone are far smaller than those between two photos by
one model, so that colors alone do not identify the camera.
"""

from dataclasses import dataclass

from competition.utils.errors import unknown_name

WHITE_LEVEL = 4095  # largest digital number: all cameras have 12-bit converters


@dataclass(frozen=True)
class Denoising:
    """Noise reduction: the filters of luminance and chroma, and their strength at ISO 100, which grows with ISO."""

    luma: str  # "none", "gaussian", "bilateral", "median" or "guided"
    chroma: str  # "none", "gaussian" or "median"
    strength: float


@dataclass(frozen=True)
class Sharpening:
    """Unsharp mask on luminance: standard deviation in pixels, amount, and the amplitude below which detail is left."""

    radius: float
    amount: float
    coring: float = 0.0


@dataclass(frozen=True)
class Compression:
    """JPEG compression: chroma subsampling as Pillow names it, quality, and the shape of the quantization tables."""

    subsampling: str
    quality: int
    table: str  # a name in `quantization.SHAPES`


@dataclass(frozen=True)
class ExifStyle:
    """EXIF fields of this make besides the common ones: `resolution` in dots per inch, whether the lens is described,
    and names of further fields."""

    resolution: int
    lens: bool
    maker_fields: tuple[str, ...]


@dataclass(frozen=True)
class Camera:
    """One camera model. `columns` and `rows` are in pixels at scale 1, multiples of 16; `extra_rows` are added."""

    name: str
    make: str
    model: str
    software: str
    columns: int
    rows: int
    pattern: str  # colors of the top left 2×2 pixels, row by row
    black_level: int  # digital numbers
    full_well: float  # electrons at ISO 100
    read_noise: float  # electrons at ISO 100
    demosaicing: str  # a name in `demosaic.METHODS`
    denoising: Denoising
    saturation: float
    contrast: float
    sharpening: Sharpening
    compression: Compression
    crop_factor: float  # 35 mm equivalent focal length / focal length
    min_f_number: float
    exif: ExifStyle
    extra_rows: int = 0

    def native_size(self, scale: float) -> tuple[int, int]:
        """Height and width in pixels.

        Both are multiples of 16, so that center crops of 64, 128 or 512 pixels start on the JPEG grid. One model has
        `extra_rows` that shift its center crop off the grid, as with Samsung's 4128×2322 pixels.
        """
        return 16 * round(self.rows * scale / 16) + self.extra_rows, 16 * round(self.columns * scale / 16)


_CATALOGUE = (
    Camera(
        name="Virtual-Alder-A1", make="Virtual Alder", model="Virtual A1", software="alderos-1.4.2",
        columns=640, rows=480, pattern="RGGB", black_level=64, full_well=12000, read_noise=4.0,
        demosaicing="bilinear", denoising=Denoising("none", "none", 0.0), saturation=1.00, contrast=1.00,
        sharpening=Sharpening(1.0, 1.1), compression=Compression("4:2:0", 92, "standard"),
        crop_factor=1.6, min_f_number=1.8, exif=ExifStyle(72, False, ("SubsecTime",)),
    ),
    Camera(
        name="Virtual-Alder-A2", make="Virtual Alder", model="Virtual A2", software="alderos-2.0.1",
        columns=656, rows=496, pattern="GRBG", black_level=64, full_well=12500, read_noise=3.8,
        demosaicing="malvar", denoising=Denoising("none", "gaussian", 1.2), saturation=1.02, contrast=1.01,
        sharpening=Sharpening(0.6, 0.5), compression=Compression("4:2:0", 96, "standard"),
        crop_factor=1.6, min_f_number=1.8, exif=ExifStyle(72, False, ("SubsecTime", "BrightnessValue")),
    ),
    Camera(
        name="Virtual-Birch-B1", make="VIRTUAL BIRCH", model="VIRTUAL BIRCH B1", software="B1 Firmware 3.10",
        columns=624, rows=464, pattern="GRBG", black_level=128, full_well=11500, read_noise=4.2,
        demosaicing="hamilton_adams", denoising=Denoising("bilateral", "gaussian", 1.0), saturation=0.99,
        contrast=1.02, sharpening=Sharpening(1.6, 0.9), compression=Compression("4:2:2", 90, "flat"),
        crop_factor=1.5, min_f_number=2.0, exif=ExifStyle(300, True, ("Contrast", "Saturation", "Sharpness")),
    ),
    Camera(
        name="Virtual-Birch-B7", make="VIRTUAL BIRCH", model="VIRTUAL BIRCH B7", software="B7 Firmware 1.02",
        columns=640, rows=480, pattern="BGGR", black_level=128, full_well=12000, read_noise=4.0,
        demosaicing="smooth_hue", denoising=Denoising("none", "median", 1.0), saturation=1.01, contrast=0.99,
        sharpening=Sharpening(0.7, 0.9, 0.004), compression=Compression("4:2:2", 94, "flat"),
        crop_factor=1.5, min_f_number=1.8, exif=ExifStyle(300, True, ("Contrast", "Saturation", "Sharpness")),
    ),
    Camera(
        name="Virtual-Cedar-C3", make="Virtual Cedar Works", model="Virtual C-3", software="C-3 v02.40",
        columns=672, rows=448, pattern="BGGR", black_level=256, full_well=12500, read_noise=4.2,
        demosaicing="bilinear", denoising=Denoising("none", "none", 0.0), saturation=0.98, contrast=1.00,
        sharpening=Sharpening(1.0, 0.0), compression=Compression("4:4:4", 97, "steep"),
        crop_factor=1.5, min_f_number=1.8, exif=ExifStyle(350, True, ("SceneType", "CustomRendered")),
    ),
    Camera(
        name="Virtual-Elm-E5", make="virtualelm", model="E5 (virtual)", software="elm-core 5.1.0-b77",
        columns=640, rows=480, pattern="GBRG", black_level=64, full_well=11500, read_noise=3.8,
        demosaicing="gradient_weighted", denoising=Denoising("guided", "gaussian", 1.2), saturation=1.03,
        contrast=1.01, sharpening=Sharpening(2.2, 0.6), compression=Compression("4:2:0", 89, "standard"),
        crop_factor=1.8, min_f_number=1.8, exif=ExifStyle(72, False, ("BrightnessValue", "SensingMethod")),
        extra_rows=2,
    ),
    Camera(
        name="Virtual-Elm-E8", make="virtualelm", model="E8 (virtual)", software="elm-core 8.0.3-b12",
        columns=624, rows=480, pattern="GBRG", black_level=64, full_well=12000, read_noise=4.0,
        demosaicing="hamilton_adams", denoising=Denoising("none", "none", 0.0), saturation=0.99, contrast=0.98,
        sharpening=Sharpening(0.9, 0.4), compression=Compression("4:4:4", 93, "diagonal"),
        crop_factor=1.8, min_f_number=1.6, exif=ExifStyle(72, False, ("BrightnessValue", "SensingMethod")),
    ),
    Camera(
        name="Virtual-Fir-F2", make="Virtual Fir Optical", model="Virtual Fir F2", software="Ver.2.31",
        columns=656, rows=464, pattern="RGGB", black_level=200, full_well=12500, read_noise=4.0,
        demosaicing="malvar", denoising=Denoising("median", "median", 1.0), saturation=1.00, contrast=1.01,
        sharpening=Sharpening(1.2, 1.5), compression=Compression("4:2:0", 91, "diagonal"),
        crop_factor=1.5, min_f_number=2.0, exif=ExifStyle(240, True, ("Contrast", "GainControl", "LightSource")),
    ),
    Camera(
        name="Virtual-Hazel-H4", make="Virtual Hazel", model="Virtual Hazel H4", software="H4_1.1.7",
        columns=640, rows=464, pattern="GRBG", black_level=96, full_well=12000, read_noise=4.2,
        demosaicing="gradient_weighted", denoising=Denoising("gaussian", "gaussian", 0.7), saturation=1.02,
        contrast=0.99, sharpening=Sharpening(1.1, 2.0, 0.006), compression=Compression("4:2:2", 95, "steep"),
        crop_factor=1.7, min_f_number=1.8, exif=ExifStyle(180, False, ("SceneType", "SubjectDistance")),
    ),
    Camera(
        name="Virtual-Maple-M9", make="Virtual Maple", model="Virtual M9", software="Maple 9.2 (virtual)",
        columns=640, rows=496, pattern="RGGB", black_level=64, full_well=11800, read_noise=3.9,
        demosaicing="smooth_hue", denoising=Denoising("bilateral", "median", 2.2), saturation=1.00, contrast=1.00,
        sharpening=Sharpening(2.6, 0.35), compression=Compression("4:2:0", 93, "flat"),
        crop_factor=1.7, min_f_number=1.7, exif=ExifStyle(72, False, ("SubsecTime", "DigitalZoomRatio")),
    ),
)  # fmt: skip

CAMERAS: dict[str, Camera] = {camera.name: camera for camera in _CATALOGUE}


def find_camera(name: str) -> Camera:
    """Return the virtual camera called `name`, which is also its folder. Raises `InputError` if it is unknown."""
    if name not in CAMERAS:
        raise unknown_name("virtual camera", name, CAMERAS)
    return CAMERAS[name]
