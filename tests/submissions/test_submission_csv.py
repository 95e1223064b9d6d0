import numpy as np
import pytest

from competition.utils.errors import InputError
from submissions.submission_csv import (
    check_submission,
    describe_quotas,
    read_expected_names,
    write_submission,
)

LABELS = ("None", "iPhone-6", "007")  # labels that a careless reader takes for missing or for a number
NAMES = ["img_a_unalt.tif", "img_b_manip.tif", "img_c_unalt.tif"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "submission.csv"


def test_a_right_submission_is_written_and_read_back(path):
    write_submission(NAMES[::-1], LABELS, path, LABELS, NAMES)
    assert path.read_text().splitlines() == [
        "fname,camera",
        "img_c_unalt.tif,None",
        "img_b_manip.tif,iPhone-6",
        "img_a_unalt.tif,007",
    ]
    table = check_submission(path, LABELS, NAMES)
    assert table.to_dict("list") == {"fname": NAMES[::-1], "camera": list(LABELS)}


def test_numpy_strings_are_names_too(path):
    write_submission(np.array(NAMES), np.array(LABELS), path, LABELS, set(NAMES))
    check_submission(path, LABELS, NAMES)


WRONG = [
    (NAMES[:2], LABELS[:2], "lacks answers for files: 'img_c_unalt.tif'"),
    ([*NAMES, "x.tif"], [*LABELS, "007"], "not in the test set: 'x.tif'"),
    ([*NAMES, NAMES[0]], [*LABELS, "007"], "more than once: 'img_a_unalt.tif'"),
    (NAMES, ["iPhone-6", "iphone-6", "007"], "unknown labels: 'iphone-6'; use 007, None, iPhone-6"),
    (NAMES, ["iPhone-6", "", "007"], "unknown labels: ''"),
]


@pytest.mark.parametrize("names, labels, message", WRONG)
def test_a_wrong_submission_is_never_written(path, names, labels, message):
    with pytest.raises(InputError, match=message):
        write_submission(names, labels, path, LABELS, NAMES)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("names, labels, message", WRONG)
def test_a_wrong_submission_of_somebody_else_is_noticed(path, names, labels, message):
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
        ("fname,camera\nimg_a_unalt.tif\n", "lacks answers"),
        ("fname,camera\na,b,c\n", "lacks answers"),
    ],
)
def test_what_is_no_submission_is_refused(path, text, message):
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        check_submission(path, LABELS, NAMES)


def test_a_missing_submission_is_named(path):
    with pytest.raises(InputError, match=r"submission\.csv does not exist"):
        check_submission(path, LABELS, NAMES)


def test_five_offenders_are_named_and_the_others_counted(path):
    names = [f"img_{index}.tif" for index in range(8)]
    with pytest.raises(InputError, match=r"'img_0.tif', .*'img_4.tif' and 3 more; answer"):
        write_submission([], [], path, LABELS, names)


def test_names_and_labels_of_other_lengths_are_a_bug(path):
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
def test_expected_names_come_from_the_sample_or_the_folder(tmp_path, sample, test):
    expected = read_expected_names(make_data(tmp_path, sample, test))
    assert expected == (sample or sorted(test))


@pytest.mark.parametrize(
    "sample, test, message",
    [
        (None, None, "neither sample_submission.csv nor images in test/"),
        (None, [], "neither sample_submission.csv nor images in test/"),
        (NAMES, NAMES[1:], "lacks: 'img_a_unalt.tif'"),
        (NAMES[1:], NAMES, "lacks: 'img_a_unalt.tif'"),
        (NAMES + NAMES[:1], NAMES, "more than once: 'img_a_unalt.tif'"),
    ],
)
def test_a_sample_and_a_folder_that_disagree_are_refused(tmp_path, sample, test, message):
    with pytest.raises(InputError, match=message):
        read_expected_names(make_data(tmp_path, sample, test))


def test_quotas_are_told_for_each_camera():
    told = describe_quotas(["b", "a", "b", "b"], [False, False, True, True])
    assert told.to_dict("list") == {"camera": ["a", "b"], "unaltered": [1, 1], "manipulated": [0, 2]}
