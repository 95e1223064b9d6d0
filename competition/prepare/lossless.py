"""Cutting a window out of a JPEG without decoding it: whole blocks keep their coefficients and tables.

The work is done by libjpeg-turbo's transform, as in `jpegtran -crop -copy all`, through the wheel `turbojpeg`:
the only package that brings that function along (PyTurboJPEG needs the system's libjpeg-turbo 3, jpeglib hands
every coefficient through Python and takes five times as long). It also reads every block of the photograph, so
it notices damage that the header does not show.
"""

from competition.utils.errors import InputError

# Width and height in pixels of the smallest unit that can be kept, by `Header.subsampling`; `OTHER_UNIT` is a
# multiple of all others in use.
UNITS = {"4:4:4": (8, 8), "4:2:2": (16, 8)}
OTHER_UNIT = (16, 16)


def crop_jpeg(data: bytes, left: int, top: int, width: int, height: int) -> bytes:
    """The JPEG file that shows only a window of the JPEG file `data`, in pixels as stored.

    `left` and `top` must be multiples of the unit (see `UNITS`); `width` and `height` may be any. All markers
    (EXIF, color profile, comments) are kept as they are, and so are the quantization tables. Pixels decode
    as before, but for one or two along the border, where a decoder smooths chroma across it. Raises
    `InputError` where the data are damaged or the window is not possible, without naming the file.
    """
    try:
        import turbojpeg
    except ImportError:
        raise InputError("cropping needs turbojpeg, which has no wheel for this machine; use an x86-64 one") from None
    try:
        return turbojpeg.transform(data, x=left, y=top, w=width, h=height, crop=True, perfect=False, optimize=True)
    except RuntimeError as error:  # all that it raises
        raise InputError(" ".join(str(error).split())) from None
