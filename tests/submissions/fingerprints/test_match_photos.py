import pytest

from competition.utils.errors import InputError
from submissions.fingerprints.device import build_fingerprint
from submissions.fingerprints.match_photos import best_matches, match_photos


@pytest.fixture
def fingerprints(take_photos):
    return [build_fingerprint(f"device{device}", take_photos(device, range(6)))[0] for device in (1, 2)]


def test_every_photo_is_matched_with_its_device(fingerprints, take_photos):
    photos = [take_photos(device, [20 + index])[0] for index in range(2) for device in (1, 2)]
    table, skipped = match_photos(fingerprints, photos)
    best = best_matches(table)
    assert not skipped and len(table) == 8
    assert best["path"].tolist() == [str(path) for path in photos]
    assert best["fingerprint"].tolist() == ["device1", "device2", "device1", "device2"]
    assert best["match"].all() and table["match"].sum() == 4
    assert (best["log10_likelihood_ratio"] > 2).all()


def test_photo_that_cannot_be_matched_costs_no_other_its_answer(fingerprints, take_photos, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 broken")
    table, skipped = match_photos(fingerprints, [tmp_path / "broken.jpg", *take_photos(1, [20])])
    assert len(table) == 2 and list(skipped) == [str(tmp_path / "broken.jpg")]
    with pytest.raises(InputError, match="none of the 1 photos can be matched"):
        match_photos(fingerprints, [tmp_path / "broken.jpg"])
