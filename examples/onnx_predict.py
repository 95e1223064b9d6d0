"""Predict the camera of a photo with an exported network: ONNX Runtime, NumPy and Pillow are all that it needs.

    ./run.sh export RUN --format onnx
    pip install onnxruntime numpy pillow
    python examples/onnx_predict.py RUN/export/onnx/ensemble.onnx photo.jpg
    python examples/onnx_predict.py RUN/export/onnx/ensemble.onnx photo.jpg --manipulated

Prints the three most probable classes of every head. The patch is the center of the photo, from pixels in the order of
the file: an EXIF orientation is not applied, and nothing is resized.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image


def read_patch(photo: Path, side: int) -> np.ndarray:
    """Return the center of a photo, uint8 (1, side, side, 3) RGB."""
    with Image.open(photo) as image:
        if min(image.size) < side:
            raise SystemExit(f"error: {photo} has {image.width}x{image.height} pixels, expected at least {side}")
        pixels = np.asarray(image.convert("RGB"))
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    return np.ascontiguousarray(pixels[None, top : top + side, left : left + side])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", type=Path, help="exported file, beside its export.json")
    parser.add_argument("photo", type=Path)
    parser.add_argument("--manipulated", action="store_true", help="the photo was altered after the camera wrote it")
    options = parser.parse_args()

    description = json.loads((options.network.parent / "export.json").read_text())
    session = onnxruntime.InferenceSession(options.network)
    inputs = {
        "patch": read_patch(options.photo, description["files"][options.network.name]["side"]),
        "is_manipulated": np.array([[options.manipulated]], np.float32),
    }
    for output, (probabilities,) in zip(session.get_outputs(), session.run(None, inputs), strict=True):
        classes = description["classes"][output.name]
        best = np.argsort(-probabilities)[:3]
        print(f"{output.name}: " + ", ".join(f"{classes[index]} {probabilities[index]:.3f}" for index in best))


if __name__ == "__main__":
    main()
