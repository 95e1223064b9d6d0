"""Pipelines are data: only transforms of albumentations that need nothing but the image can be named."""

import json

import numpy as np
import pytest

from augment.pipelines.apply import run_pipeline
from augment.pipelines.read import MAX_BYTES, check_size, pipeline_names, read_pipeline
from augment.pipelines.transforms import A, Jpeg
from competition.utils.errors import InputError

IMAGE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
SIZE = 32
FLIP = {"__class_fullname__": "HorizontalFlip", "p": 1.0}


class Stranger(A.ImageOnlyTransform):
    """A transform of the user's own code, which albumentations registers when the class is made."""

    def apply(self, img, **params):
        raise AssertionError("must not run")


def compose(*transforms, **arguments):
    return {"transform": {"__class_fullname__": "Compose", "p": 1.0, "transforms": list(transforms), **arguments}}


def write(tmp_path, tree, name="pipeline.json"):
    path = tmp_path / name
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree))
    return str(path)


@pytest.mark.parametrize("name", ["pipeline.json", "pipeline.yaml", "pipeline.yml"])
def test_file_of_albumentations_is_the_same_pipeline(name, tmp_path):
    original = A.Compose([A.OneOf([A.GaussianBlur(p=1), A.RandomGamma(p=1)], p=0.7), Jpeg((50, 95), p=0.5)])
    A.save(original, tmp_path / name, data_format="json" if name.endswith("json") else "yaml")
    text = read_pipeline(str(tmp_path / name))
    for seed in range(8):
        rng = np.random.default_rng(seed)
        original.set_random_state(rng, __import__("random").Random(int(rng.integers(2**63))))
        expected = original(image=IMAGE)["image"]
        np.testing.assert_array_equal(run_pipeline(text, IMAGE, np.random.default_rng(seed)), expected)


@pytest.mark.parametrize("name", pipeline_names())
def test_packaged_pipelines_return_patches_of_every_size(name):
    text = read_pipeline(name)
    assert pipeline_names() == ("camera-phone", "social-media")
    for size in (SIZE, 72):
        check_size(text, size)


def test_text_does_not_depend_on_the_order_or_the_format_of_the_file(tmp_path):
    yaml = "transform:\n  transforms:\n    - {p: 1.0, __class_fullname__: HorizontalFlip}\n  p: 1.0\n"
    first = write(tmp_path, yaml + "  __class_fullname__: Compose\n", "a.yaml")
    assert read_pipeline(first) == read_pipeline(write(tmp_path, compose(FLIP)))


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "subprocess.Popen",
        "augment.pipelines.read.read_pipeline",
        f"{__name__}.Stranger",
        "Stranger",
        "Lambda",
        "albumentations.augmentations.other.lambda_transform.Lambda",
        "TextImage",
        "HistogramMatching",
        "BasicTransform",
        "from_dict",
        "__init__",
        "Kompose",
    ],
)
def test_hostile_and_unknown_classes_are_refused(name, tmp_path):
    for tree in (
        compose({"__class_fullname__": name, "p": 1.0}),
        {"transform": {"__class_fullname__": name, "p": 1.0}},
    ):
        with pytest.raises(InputError, match=r"which a pipeline cannot use|wrong 'transforms'"):
            read_pipeline(write(tmp_path, tree))


@pytest.mark.parametrize(
    "text",
    [
        "transform: !!python/object/apply:os.system ['touch hacked']",
        "!!python/object/new:os.system ['touch hacked']",
        "transform: !!python/name:os.system",
        "{",
        "",
        "[]",
        "transform: 3",
        "transforms: []",
        "[" * 5_000,
    ],
)
def test_hostile_and_damaged_files_are_one_line_of_error_and_run_nothing(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("pipeline.yaml", "pipeline.json"):
        with pytest.raises(InputError) as error:
            read_pipeline(write(tmp_path, text, name))
        assert "\n" not in str(error.value) and len(str(error.value)) < 500
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (compose({"__class_fullname__": "GaussianBlur", "p": 1.0, "blur_limits": 3}), "blur_limits"),
        (compose({"__class_fullname__": "RandomGamma", "p": 7}), "p"),
        (compose({"__class_fullname__": "RandomGamma"}), "has no 'p' parameter"),
        (
            compose({"__class_fullname__": "augment.pipelines.transforms.Jpeg", "p": 1, "quality_range": [9, 5]}),
            "rising",
        ),
        (compose({"p": 1.0}), "without '__class_fullname__'"),
        (compose({**FLIP, "transforms": [FLIP]}), "wrong 'transforms'"),
        (compose("HorizontalFlip"), "without '__class_fullname__'"),
        (compose(FLIP, seeds=3), "seeds"),
    ],
)
def test_wrong_arguments_are_refused(tree, message, tmp_path):
    with pytest.raises(InputError, match=message) as error:
        read_pipeline(write(tmp_path, tree))
    assert "\n" not in str(error.value)


def test_wrong_paths_are_refused(tmp_path):
    with pytest.raises(InputError, match="unknown pipeline 'social'; known: camera-phone, social-media, the path"):
        read_pipeline("social")
    with pytest.raises(
        InputError, match=r"nowhere.yaml does not exist; packaged pipelines: camera-phone, social-media"
    ):
        read_pipeline(str(tmp_path / "nowhere.yaml"))
    with pytest.raises(InputError, match=f"more than {MAX_BYTES}"):
        read_pipeline(write(tmp_path, " " * (MAX_BYTES + 1)))


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        ({"__class_fullname__": "ToFloat", "p": 1.0}, "returns float32"),
        ({"__class_fullname__": "RandomScale", "p": 1.0, "scale_limit": [-0.6, -0.55]}, "expected at least 32"),
        (
            {"__class_fullname__": "CenterCrop", "p": 1.0, "height": 500, "width": 500},
            "the pipeline of --augment fails",
        ),
        ({"__class_fullname__": "MaskDropout", "p": 1.0}, "the pipeline of --augment fails"),
    ],
)
def test_results_that_no_patch_can_be_cut_from_are_found_before_a_training(transform, message, tmp_path):
    text = read_pipeline(write(tmp_path, compose(transform)))
    with pytest.raises(InputError, match=message):
        check_size(text, SIZE)
