import json

import pytest

from competition.utils.errors import InputError
from competition.virtual.output_folder import claim_folder, is_complete

RECORD = {"size": {"photos": 3}, "seed": 1}


def test_record_becomes_complete_at_the_end_of_the_block(tmp_path):
    folder = tmp_path / "new"
    assert not is_complete(folder, "made.json", RECORD)
    with claim_folder(folder, "made.json", RECORD):
        assert json.loads((folder / "made.json").read_text()) == RECORD | {"complete": False}
        assert not is_complete(folder, "made.json", RECORD)
    assert json.loads((folder / "made.json").read_text()) == RECORD | {"complete": True}
    assert is_complete(folder, "made.json", RECORD)
    assert [path.name for path in folder.iterdir()] == ["made.json"]


def test_interrupted_folder_stays_incomplete_and_can_be_claimed_again(tmp_path):
    with pytest.raises(ZeroDivisionError), claim_folder(tmp_path, "made.json", RECORD):
        (tmp_path / "half.jpg").touch()
        raise ZeroDivisionError
    assert not is_complete(tmp_path, "made.json", RECORD)
    with claim_folder(tmp_path, "made.json", RECORD):
        pass
    assert is_complete(tmp_path, "made.json", RECORD)


def test_second_process_is_refused(tmp_path):
    first, second = (claim_folder(tmp_path, "made.json", RECORD) for _ in range(2))
    with first, pytest.raises(InputError, match="is in use by process"), second:
        pass


@pytest.mark.parametrize("other", [RECORD | {"seed": 2}, RECORD | {"version": 1}])
def test_other_record_raises(tmp_path, other):
    with claim_folder(tmp_path, "made.json", RECORD):
        pass
    with pytest.raises(InputError, match="another size, seed or version"), claim_folder(tmp_path, "made.json", other):
        pass


@pytest.mark.parametrize("content", ["[]", "{}", "3"])
def test_other_json_raises(content, tmp_path):
    (tmp_path / "made.json").write_text(content)
    with pytest.raises(InputError, match="another size, seed or version"), claim_folder(tmp_path, "made.json", RECORD):
        pass


def test_other_files_raise_and_nothing_is_written(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with (
        pytest.raises(InputError, match=r"contains other files and no made\.json"),
        claim_folder(tmp_path, "made.json", RECORD),
    ):
        pass
    assert len(list(tmp_path.iterdir())) == 1
