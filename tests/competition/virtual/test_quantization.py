import io

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from competition.virtual.cameras import Compression
from competition.virtual.quantization import SHAPES, quantization_tables


@pytest.mark.parametrize("quality", [30, 50, 75, 92])
def test_standard_shape_equals_tables_of_libjpeg(quality):
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as image:
        assert isinstance(image, JpegImageFile)
        expected = [list(image.quantization[key]) for key in (0, 1)]
    assert quantization_tables(Compression("4:2:0", quality, "standard")) == expected


@pytest.mark.parametrize("shape", SHAPES)
def test_higher_quality_gives_smaller_steps(shape):
    coarse, fine = (np.array(quantization_tables(Compression("4:4:4", quality, shape))) for quality in (60, 90))
    assert (fine <= coarse).all() and fine.sum() < coarse.sum() / 2
    assert fine.min() >= 1 and coarse.max() <= 255
