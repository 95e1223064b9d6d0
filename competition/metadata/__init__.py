"""What the files say about photos, read without decoding a pixel.

header        size, EXIF fields and quantization tables of one file
tiff          TIFF directories, which hold the EXIF of every format
jpeg_quality  JPEG quality, estimated from quantization tables
exif_tags     the EXIF tags of camera and settings as text; private ones are never read
exif_text     those tags as one line of text for exif-language
collected     the record of collected photos, which knows devices that EXIF lacks
"""

from competition.metadata.exif_tags import read_tags
from competition.metadata.header import Header, read_header
from competition.metadata.jpeg_quality import estimate_quality

__all__ = ["Header", "estimate_quality", "read_header", "read_tags"]
