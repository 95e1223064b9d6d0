import numpy as np
import pytest
from PIL import Image

from augment.decode import read_pixels
from competition.utils.errors import InputError
from submissions.fingerprints.noise import noise_residual
from submissions.fingerprints.pull import link_images, link_scores, pull_together, whiten


def test_images_are_linked_if_and_only_if_one_device_took_them(take_photos):
    photos = [photo for device in (1, 2, 3, 4) for photo in take_photos(device, range(4))]
    device = np.repeat([1, 2, 3, 4], 4)
    np.testing.assert_array_equal(link_images(photos), device[:, None] == device)


def test_a_single_image_is_linked_with_itself(take_photos):
    assert link_images(take_photos(1, [0])).tolist() == [[True]]


def test_images_of_two_sizes_are_refused_by_name(take_photos, tmp_path):
    photos = take_photos(1, range(2))
    Image.fromarray(read_pixels(photos[0])[:120]).save(tmp_path / "small.png")
    with pytest.raises(InputError, match=r"small.png has another size than .*0.png"):
        link_images([*photos, tmp_path / "small.png"])


@pytest.mark.parametrize("scale", [0.5, 1, 3])
def test_no_link_is_expected_by_chance_whatever_the_scale_of_the_scores(scale):
    rng, links = np.random.default_rng(0), 0
    for _ in range(50):
        scores = scale * rng.standard_normal((40, 40))
        links += np.triu(link_scores((scores + scores.T) / np.sqrt(2)), 1).sum()
    assert links <= 3  # 0.5 are expected in 50 sets


def test_scores_of_whitened_noise_are_standard_normal(take_photos):
    residuals = [whiten(noise_residual(read_pixels(take_photos(device, [0])[0]))[0]) for device in range(20)]
    flat = np.stack(residuals).reshape(20, -1)
    scores = (flat @ flat.T)[np.triu_indices(20, 1)]
    assert abs(scores.mean()) < 0.3 and 0.8 < scores.std() < 1.3


def test_residual_of_a_flat_image_has_no_pattern():
    assert not whiten(np.zeros((128, 128), np.float32)).any()


def test_linked_images_agree_on_the_camera_that_most_evidence_speaks_for():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]])
    links = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], bool)
    pulled = pull_together(probabilities, links)
    assert pulled.argmax(axis=1).tolist() == [0, 0, 1]
    np.testing.assert_allclose(pulled.sum(axis=1), 1)
    np.testing.assert_allclose(pulled[0], pulled[1])
    np.testing.assert_allclose(pulled[2], probabilities[2])


def test_without_links_probabilities_stay():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), 10)
    np.testing.assert_allclose(pull_together(probabilities, np.eye(10, dtype=bool)), probabilities)
