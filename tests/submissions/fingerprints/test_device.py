import numpy as np
import pytest
from PIL import Image

from augment.decode import read_pixels
from competition.utils.errors import InputError
from submissions.fingerprints.device import build_fingerprint, load_fingerprint, save_fingerprint
from submissions.fingerprints.match import correlate
from submissions.fingerprints.noise import noise_residual


def test_photos_by_the_device_match_its_fingerprint_and_others_do_not(take_photos):
    fingerprint, skipped = build_fingerprint("one", take_photos(1, range(8)))
    assert not skipped and len(fingerprint.own_scores) == 8
    own = correlate(fingerprint.pattern, *noise_residual(read_pixels(take_photos(1, [20])[0]))).score
    other = correlate(fingerprint.pattern, *noise_residual(read_pixels(take_photos(2, [20])[0]))).score
    assert own > 10 > 4 > other
    assert fingerprint.own_scores.min() > 10


def test_photos_of_another_size_and_damaged_ones_are_left_out_by_name(take_photos, tmp_path):
    photos = take_photos(1, range(6))
    cropped, damaged = tmp_path / "cropped.png", tmp_path / "damaged.png"
    Image.fromarray(read_pixels(photos[0])[:100]).save(cropped)
    damaged.write_bytes(photos[0].read_bytes()[:3000])
    fingerprint, skipped = build_fingerprint("one", [*photos, cropped, damaged])
    assert len(fingerprint.own_scores) == 6
    assert "192x100 pixels, most photos have 192x160" in skipped[str(cropped)] and str(damaged) in skipped


def test_too_few_photos_are_refused_with_the_number(take_photos):
    with pytest.raises(InputError, match="4 usable photos of one size, expected at least 5 by one device"):
        build_fingerprint("one", take_photos(1, range(4)))
    with pytest.raises(InputError, match="0 usable photos"):
        build_fingerprint("one", [])


def test_saved_fingerprint_gives_the_same_scores(take_photos, tmp_path):
    fingerprint, _ = build_fingerprint("one", take_photos(1, range(5)))
    save_fingerprint(fingerprint, tmp_path / "one.npz")
    loaded = load_fingerprint(tmp_path / "one.npz")
    photo = noise_residual(read_pixels(take_photos(1, [9])[0]))
    assert loaded.name == "one"
    assert correlate(loaded.pattern, *photo).score == pytest.approx(
        correlate(fingerprint.pattern, *photo).score, rel=1e-3
    )
    np.testing.assert_array_equal(loaded.own_scores, fingerprint.own_scores)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 damaged"])
def test_file_that_is_no_fingerprint_is_refused(content, tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match="make it with the command fingerprint build"):
        load_fingerprint(path)


def test_other_archives_and_pickles_are_refused(tmp_path):
    path = tmp_path / "x.npz"
    for arrays in (
        {"a": np.zeros(3)},
        {"format": 1, "pattern": np.zeros((80, 80))},
        {"format": np.array([{}], object)},
    ):
        np.savez(path, **arrays)
        with pytest.raises(InputError, match="fingerprint build"):
            load_fingerprint(path)
    with pytest.raises(InputError, match="does not exist"):
        load_fingerprint(tmp_path / "absent.npz")
