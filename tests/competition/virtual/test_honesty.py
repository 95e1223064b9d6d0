"""The instrument is honest: colors do not tell the cameras apart, the traces of their processing do."""

import cv2
import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from competition.metrics.weighted_accuracy import weighted_accuracy
from competition.virtual.cameras import CAMERAS
from competition.virtual.capture import take_photo
from competition.virtual.files import decode_jpeg
from competition.virtual.make_competition import TEST_BODY, device

PATCH = 128
TRAINING, TEST = 20, 12  # photographs of each camera
SCALE = 0.5
GAMMA = np.round(255 * (np.arange(256) / 255) ** 0.8).astype(np.uint8)  # stands for the manipulations


def glance(patch):
    """Histograms of each color and of all three together, and the mean."""
    single = [np.bincount(patch[..., color].ravel() // 8, minlength=32) for color in range(3)]
    joint = np.bincount((patch.reshape(-1, 3) // 64) @ [16, 4, 1], minlength=64)
    return np.concatenate([np.sqrt(np.concatenate([*single, joint]) / PATCH**2), patch.mean((0, 1)) / 255])


def traces(patch):
    """Mean size of each DCT coefficient of luminance and chroma, and of detail at each place of the color filter."""
    values = []
    for plane in cv2.split(cv2.cvtColor(patch, cv2.COLOR_RGB2YCrCb).astype(np.float32)):
        blocks = plane.reshape(PATCH // 8, 8, PATCH // 8, 8).swapaxes(1, 2).reshape(-1, 8, 8)
        sizes = np.abs([cv2.dct(block - 128) for block in blocks]).reshape(-1, 64)
        values += [np.log(sizes.mean(axis=0) + 0.05), (sizes < 0.5).mean(axis=0)]
    for plane in cv2.split(patch.astype(np.float32)):
        second = np.abs(cv2.Laplacian(plane, -1))
        cells = [np.log(second[row::2, column::2].mean() + 0.05) for row in (0, 1) for column in (0, 1)]
        values.append(np.array(cells) - np.mean(cells))
    return np.concatenate(values)


def look(camera, body, index):
    """Both kinds of features of a photograph's center."""
    photo = decode_jpeg(take_photo(CAMERAS[camera], device(camera, body), 11, index, SCALE).jpeg())
    top, left = ((side - PATCH) // 2 for side in photo.shape[:2])
    patch = np.ascontiguousarray(photo[top : top + PATCH, left : left + PATCH])
    if body == TEST_BODY and index % 2:
        patch = GAMMA[patch]
    return glance(patch), traces(patch)


@pytest.fixture(scope="module")
def photographs():
    work = [(camera, 1, index) for camera in CAMERAS for index in range(TRAINING)]
    work += [(camera, TEST_BODY, index) for camera in CAMERAS for index in range(TEST)]
    features = joblib.Parallel(n_jobs=2)(joblib.delayed(look)(*task) for task in work)
    cameras = np.array([camera for camera, _, _ in work])
    manipulated = np.array([index % 2 == 1 for _, _, index in work])
    return features, cameras, manipulated, len(CAMERAS) * TRAINING


def score(photographs, kind):
    features, cameras, manipulated, training = photographs
    chosen = np.array([feature[kind] for feature in features])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    model.fit(chosen[:training], cameras[:training])
    return weighted_accuracy(cameras[training:], model.predict(chosen[training:]), manipulated[training:])


@pytest.mark.slow
def test_a_glance_at_the_colours_does_not_tell_the_camera(photographs):
    assert score(photographs, 0) < 0.40


@pytest.mark.slow
def test_the_traces_of_its_processing_do(photographs):
    assert score(photographs, 1) > 0.75
