"""A pipeline from a file, checked before any training begins.

A pipeline is a file that `albumentations.save` writes, as YAML or JSON. It is data: only transforms of albumentations
that change the pixels of an image, and those of `augment.pipelines.transforms`, can be named in it. Transforms that
read further files or call functions are refused.
"""

import json
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from augment.pipelines.apply import build_pipeline, run_pipeline, smallest_result, source_side
from competition.utils.errors import InputError, unknown_name

PACKAGED = Path(__file__).parent
SUFFIXES = (".yaml", ".yml", ".json")
MAX_BYTES = 100_000
COMPOSITIONS = ("Compose", "Sequential", "OneOf", "SomeOf", "RandomOrder")
# They take files, functions or other images, or a metadata argument that a patch does not have.
REFUSED: tuple[str, ...] = ("Lambda", "TextImage", "OverlayElements", "TemplateTransform", "HistogramMatching", "FDA")
REFUSED += ("PixelDistributionAdaptation", "MixUp", "Mosaic", "ToTensorV2", "ToTensor3D")
OWN = ("augment.pipelines.transforms.Jpeg",)
CHECKED_DRAWS = 64
HELP = "expected a pipeline as albumentations.save writes it; see docs/robustness.md"


def pipeline_names() -> tuple[str, ...]:
    """Return the names of the packaged pipelines."""
    return tuple(sorted(path.stem for path in PACKAGED.glob("*.yaml")))


def read_pipeline(name: str) -> str:
    """Read a pipeline and return it as JSON text, the form in which a run keeps it.

    Args:
        name: of a packaged pipeline, or the path of a `.yaml`, `.yml` or `.json` file.

    Raises:
        InputError: there is no such pipeline or file; the file is damaged, too long or no pipeline; or it names a
            transform that is unknown or refused, or an argument that the transform does not have.
    """
    path = PACKAGED / f"{name}.yaml" if name in pipeline_names() else Path(name)
    if path.suffix not in SUFFIXES:
        raise unknown_name("pipeline", name, [*pipeline_names(), "the path of a .yaml or .json file"])
    tree = _parse(path)
    for transform in _transforms(path, tree.get("transform")):
        _check_class(path, transform)
    text = json.dumps({"transform": tree["transform"]}, sort_keys=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # albumentations only warns about unknown arguments
            build_pipeline(text)
    except (ValueError, TypeError, KeyError, UserWarning, RecursionError) as error:
        raise InputError(f"{path} is not a valid pipeline ({_first_lines(error)}); correct the arguments") from None
    return text


def check_size(text: str, size: int) -> None:
    """Check that patches of `size` pixels can be cut from what a pipeline returns, on noise of `source_side(size)`.

    Raises:
        InputError: a transform fails, or the result is not uint8 RGB or too small.
    """
    rng = np.random.default_rng(0)
    side = source_side(size)
    noise = rng.integers(0, 256, (side, side, 3), np.uint8)
    for _ in range(CHECKED_DRAWS):
        try:
            result = run_pipeline(text, noise, rng)
        except InputError:
            raise
        except Exception as error:  # whatever a transform raises for its arguments
            raise InputError(f"the pipeline of --augment fails ({_first_lines(error)}); correct the file") from None
        smallest_result(result, size)


def _parse(path: Path) -> Mapping[str, Any]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; packaged pipelines: {', '.join(pipeline_names())}") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{path} has {len(data)} bytes, more than {MAX_BYTES}; {HELP}")
    import yaml

    try:
        text = data.decode()
        tree = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(f"{path} cannot be read ({_first_lines(error)}); {HELP}") from None
    if not isinstance(tree, dict) or not isinstance(tree.get("transform"), dict):
        raise InputError(f"{path} has no entry 'transform'; {HELP}")
    return tree


def _transforms(path: Path, tree: Any) -> Iterator[str]:
    """The class names of a transform and of all transforms inside it."""
    if not isinstance(tree, dict) or not isinstance(tree.get("__class_fullname__"), str):
        raise InputError(f"{path} has a transform without '__class_fullname__'; {HELP}")
    name = tree["__class_fullname__"]
    yield name
    inside = tree.get("transforms", [])
    if not isinstance(inside, list) or (("transforms" in tree) != (name in COMPOSITIONS)):
        raise InputError(
            f"{path}: {name} has the wrong 'transforms'; expected a list in {', '.join(COMPOSITIONS)} only"
        )
    for transform in inside:
        yield from _transforms(path, transform)


def _check_class(path: Path, name: str) -> None:
    """Raise `InputError` for a class that a pipeline must not name."""
    if name in COMPOSITIONS or name in OWN:
        return
    import albumentations as A

    found = getattr(A, name, None) if name.isidentifier() else None
    pixels = (A.ImageOnlyTransform, A.DualTransform)
    if name in REFUSED or not isinstance(found, type) or not issubclass(found, pixels):
        raise InputError(
            f"{path} names {name!r}, which a pipeline cannot use; expected {', '.join(COMPOSITIONS)}, "
            f"{', '.join(OWN)} or a transform of albumentations that needs nothing but the image"
        )


def _first_lines(error: BaseException) -> str:
    """The message of an error in one line of at most 200 characters."""
    return " ".join(str(error).split())[:200] or type(error).__name__
