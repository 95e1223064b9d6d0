"""The CSV files of a test set are checked on reading, when a run starts, and before writing."""

import numpy as np
import pandas as pd
import pytest

from competition.utils.errors import InputError
from submissions.submission_csv import (
    check_submission,
    check_test_set,
    describe_quotas,
    read_expected_names,
    read_quotas,
    read_solution,
    write_submission,
)

LABELS = ("None", "iPhone-6", "007")  # easily mistaken for a missing value or a number
NAMES = ["img_a_unalt.tif", "img_b_manip.tif", "img_c_unalt.tif"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "submission.csv"


def test_valid_submission_is_written_and_read_back(path):
    write_submission(NAMES[::-1], LABELS, path, LABELS, NAMES)
    assert path.read_text().splitlines() == [
        "fname,camera",
        "img_c_unalt.tif,None",
        "img_b_manip.tif,iPhone-6",
        "img_a_unalt.tif,007",
    ]
    table = check_submission(path, LABELS, NAMES)
    assert table.to_dict("list") == {"fname": NAMES[::-1], "camera": list(LABELS)}


def test_numpy_strings_are_accepted(path):
    write_submission(np.array(NAMES), np.array(LABELS), path, LABELS, set(NAMES))
    check_submission(path, LABELS, NAMES)


WRONG = [
    (NAMES[:2], LABELS[:2], "lacks files: 'img_c_unalt.tif'"),
    ([*NAMES, "x.tif"], [*LABELS, "007"], "not in the test set: 'x.tif'"),
    ([*NAMES, NAMES[0]], [*LABELS, "007"], "more than once: 'img_a_unalt.tif'"),
    (NAMES, ["iPhone-6", "iphone-6", "007"], "unknown labels: 'iphone-6'; use 007, None, iPhone-6"),
    (NAMES, ["iPhone-6", "", "007"], "unknown labels: ''"),
]


@pytest.mark.parametrize("names, labels, message", WRONG)
def test_invalid_submission_is_not_written(path, names, labels, message):
    with pytest.raises(InputError, match=message):
        write_submission(names, labels, path, LABELS, NAMES)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("names, labels, message", WRONG)
def test_invalid_submission_file_raises(path, names, labels, message):
    rows = [",".join(row) for row in zip(names, labels, strict=True)]
    path.write_text("\n".join(["fname,camera", *rows]) + "\n")
    with pytest.raises(InputError, match=message):
        check_submission(path, LABELS, NAMES)


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "not a CSV table"),
        ("fname,label\na,b\n", "fname,label, which lacks camera"),
        ("camera,fname\na,b\n", "has the header camera,fname"),
        ("fname,camera,score\na,b,c\n", "has the header fname,camera,score"),
        ("fname,camera\nimg_a_unalt.tif\n", "lacks files"),
        ("fname,camera\na,b,c\n", "lacks files"),
    ],
)
def test_file_that_is_not_a_submission_raises(path, text, message):
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        check_submission(path, LABELS, NAMES)


def test_missing_submission_is_named(path):
    with pytest.raises(InputError, match=r"submission\.csv does not exist"):
        check_submission(path, LABELS, NAMES)


def test_first_five_offenders_are_named_and_the_others_counted(path):
    names = [f"img_{index}.tif" for index in range(8)]
    with pytest.raises(InputError, match=r"'img_0.tif', .*'img_4.tif' and 3 more; add a row"):
        write_submission([], [], path, LABELS, names)


def test_names_and_labels_of_different_lengths_are_a_value_error(path):
    with pytest.raises(ValueError, match="3 names and 1 labels"):
        write_submission(NAMES, LABELS[:1], path, LABELS, NAMES)


def make_data(folder, sample=None, test=None):
    if sample is not None:
        rows = "".join(f"{name},HTC-1-M7\n" for name in sample)
        (folder / "sample_submission.csv").write_text(f"fname,camera\n{rows}")
    if test is not None:
        (folder / "test").mkdir()
        for name in [*test, ".hidden.tif", "README.txt"]:
            (folder / "test" / name).touch()
    return folder


@pytest.mark.parametrize("sample, test", [(NAMES[::-1], NAMES), (NAMES, None), (None, NAMES)])
def test_expected_names_come_from_the_sample_or_the_test_folder(tmp_path, sample, test):
    expected = read_expected_names(make_data(tmp_path, sample, test))
    assert expected == (sample or sorted(test))


@pytest.mark.parametrize(
    "sample, test, message",
    [
        (None, None, "neither sample_submission.csv nor images in test/"),
        (None, [], "neither sample_submission.csv nor images in test/"),
        (NAMES, NAMES[1:], "lacks: 'img_a_unalt.tif'"),
        (NAMES[1:], NAMES, "lacks: 'img_a_unalt.tif'"),
        ([*NAMES, NAMES[0]], NAMES, "more than once: 'img_a_unalt.tif'"),
    ],
)
def test_sample_and_test_folder_must_agree(tmp_path, sample, test, message):
    with pytest.raises(InputError, match=message):
        read_expected_names(make_data(tmp_path, sample, test))


def test_describe_quotas_counts_images_of_each_camera():
    table = describe_quotas(["b", "a", "b", "b"], [False, False, True, True])
    assert table.to_dict("list") == {"camera": ["a", "b"], "unaltered": [1, 1], "manipulated": [0, 2]}


SOLUTION = "fname,camera,manipulation,usage\na_unalt.tif,007,unaltered,Public\nb_manip.tif,None,jpeg70,Private\n"
WITHOUT_USAGE = SOLUTION.replace(",usage", "").replace(",Public", "").replace(",Private", "")


def test_solution_is_read_as_text(tmp_path):
    assert read_solution(tmp_path) is None
    (tmp_path / "solution.csv").write_text(SOLUTION)
    solution = read_solution(tmp_path)
    assert solution is not None and solution.to_dict("list") == {
        "fname": ["a_unalt.tif", "b_manip.tif"],
        "camera": ["007", "None"],
        "manipulation": ["unaltered", "jpeg70"],
        "usage": ["Public", "Private"],
    }


def test_images_of_a_solution_without_usage_are_private(tmp_path):
    (tmp_path / "solution.csv").write_text(WITHOUT_USAGE)
    solution = read_solution(tmp_path)
    assert solution is not None and solution["usage"].tolist() == ["Private", "Private"]


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "not a CSV table"),
        ("fname,camera,usage\n", "lacks manipulation"),
        (SOLUTION.replace("b_manip", "a_unalt"), "lists files more than once: 'a_unalt.tif'"),
        (SOLUTION.replace("Private", "Public"), "usages Public; expected both"),
        (SOLUTION.replace("Private", "private"), "usages Public, private; expected both"),
    ],
)
def test_damaged_solution_raises(tmp_path, text, message):
    (tmp_path / "solution.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_solution(tmp_path)


QUOTAS = "camera,unaltered,manipulated\n007,2,0\nNone,1,1\niPhone-6,0,3\n"
FLAGS = [False] * 3 + [True] * 4  # whether a test image is manipulated


def test_quotas_are_in_the_order_of_the_classes(tmp_path):
    assert read_quotas(tmp_path, LABELS, FLAGS) is None
    (tmp_path / "quotas.csv").write_text(QUOTAS)
    quotas = read_quotas(tmp_path, LABELS, FLAGS)
    assert quotas is not None and quotas.tolist() == [[1, 0, 2], [1, 3, 0]]


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "not a CSV table"),
        (QUOTAS.replace(",manipulated", ",altered"), "lacks manipulated; give each camera one line"),
        (QUOTAS.replace("007", "None"), "lists cameras more than once: 'None'"),
        (QUOTAS.replace("007,2,0\n", ""), "lacks cameras: '007'"),
        (QUOTAS + "008,0,0\n", "cameras without training photos: '008'"),
        (QUOTAS.replace("2,0", "2.5,0"), "numbers of unaltered images that are not whole: '2.5'"),
        (QUOTAS.replace("0,3", "0,-3"), "numbers of manipulated images that are not whole: '-3'"),
        (QUOTAS.replace("2,0", "3,0"), "unaltered images in .*quotas.csv add up to 4, but the test set has 3; correct"),
        (QUOTAS.replace("2,0", "2,1"), "manipulated images in .*quotas.csv add up to 5, but the test set has 4"),
    ],
)
def test_damaged_quotas_raise(tmp_path, text, message):
    (tmp_path / "quotas.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_quotas(tmp_path, LABELS, FLAGS)


def manifest(test=("test/a_unalt.tif", "test/b_manip.tif")):
    rows: list[tuple[str, str | None, str, str]]
    rows = [(f"train/{camera}/0.jpg", camera, "unaltered", "train") for camera in LABELS]
    rows += [(path, None, "manipulated" if "_manip" in path else "unaltered", "test") for path in test]
    return pd.DataFrame(rows, columns=["path", "camera", "manipulation", "split"])


@pytest.mark.parametrize("solution", [None, SOLUTION, WITHOUT_USAGE])
def test_matching_test_set_passes(tmp_path, solution):
    make_data(tmp_path, ["b_manip.tif", "a_unalt.tif"], ["a_unalt.tif", "b_manip.tif"])
    if solution is not None:
        (tmp_path / "solution.csv").write_text(solution)
    check_test_set(tmp_path, manifest())


def test_data_without_test_images_is_not_checked(tmp_path):
    (tmp_path / "solution.csv").write_text("damaged")
    check_test_set(tmp_path, manifest(test=()))


@pytest.mark.parametrize(
    "sample, solution, message",
    [
        (["a_unalt.tif"], SOLUTION, r"sample_submission\.csv lacks: 'b_manip.tif'"),
        (None, SOLUTION.replace("b_manip", "c_manip"), r"solution\.csv lists files that .*test lacks: 'c_manip.tif'"),
        (None, "".join(SOLUTION.splitlines(True)[:2]) + "b_manip.tif,None,jpeg70\n", "usages , Public"),
        (None, "".join(WITHOUT_USAGE.splitlines(True)[:2]), r"test holds files that .*solution\.csv lacks: 'b_manip"),
        (None, SOLUTION.replace("jpeg70", "unaltered"), "disagree on their manipulation: 'b_manip.tif'"),
        (
            None,
            SOLUTION.replace("007", "009"),
            r"solution\.csv has unknown cameras: '009'; the training photos",
        ),
    ],
)
def test_test_set_that_does_not_match_raises(tmp_path, sample, solution, message):
    make_data(tmp_path, sample, ["a_unalt.tif", "b_manip.tif"])
    (tmp_path / "solution.csv").write_text(solution)
    with pytest.raises(InputError, match=message):
        check_test_set(tmp_path, manifest())


def test_unreadable_test_image_raises(tmp_path):
    make_data(tmp_path, None, ["a_unalt.tif", "b_manip.tif"])
    with pytest.raises(InputError, match=r"test lacks readable images of files: 'b_manip\.tif'; restore them"):
        check_test_set(tmp_path, manifest(test=["test/a_unalt.tif"]))
