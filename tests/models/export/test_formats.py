import subprocess
import sys
from pathlib import Path

import pytest

from competition.utils.errors import InputError
from models.export import formats
from models.export.formats import FORMATS, find_format


def test_unknown_formats_and_missing_packages_are_one_line_of_error(monkeypatch):
    with pytest.raises(InputError, match="unknown format 'tflite'; known: onnx, litert, saved-model"):
        find_format("tflite")
    monkeypatch.setattr(formats, "find_spec", lambda name: None if name == "tf2onnx" else name)
    with pytest.raises(InputError, match=r"onnx needs tf2onnx, .* pip install -r requirements-export.txt"):
        find_format("onnx")
    assert find_format("saved-model") is FORMATS["saved-model"]


def test_listing_the_formats_loads_nothing_that_is_installed():
    code = "import sys, models.export.formats; print({'keras', 'numpy', 'onnxruntime'} & set(sys.modules))"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
