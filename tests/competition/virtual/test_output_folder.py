import json

import pytest

from competition.utils.errors import InputError
from competition.virtual.output_folder import claim_folder

RECORD = {"size": {"photos": 3}, "seed": 1}


def test_record_is_written_once(tmp_path):
    claim_folder(tmp_path / "new", "made.json", RECORD)
    path = tmp_path / "new" / "made.json"
    assert json.loads(path.read_text()) == RECORD | {"complete": False}
    path.write_text(json.dumps(RECORD | {"complete": True}))
    claim_folder(tmp_path / "new", "made.json", RECORD)
    assert json.loads(path.read_text())["complete"]


@pytest.mark.parametrize("other", [RECORD | {"seed": 2}, RECORD | {"version": 1}])
def test_other_record_raises(tmp_path, other):
    claim_folder(tmp_path, "made.json", RECORD)
    with pytest.raises(InputError, match="another size, seed or version"):
        claim_folder(tmp_path, "made.json", other)


def test_other_files_raise_and_nothing_is_written(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(InputError, match=r"contains other files and no made\.json"):
        claim_folder(tmp_path, "made.json", RECORD)
    assert len(list(tmp_path.iterdir())) == 1
