"""Cameras can be identified by the traces of their processing, but not by colors."""

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
from competition.virtual.make_competition import TEST_DEVICE, device_name

PATCH = 128
TRAINING, TEST = 20, 12  # photos of each camera
SCALE = 0.5
GAMMA = np.round(255 * (np.arange(256) / 255) ** 0.8).astype(np.uint8)  # represents the manipulations


def color_features(patch):
    """Histograms of each color and of all three together, and the mean."""
    single = [np.bincount(patch[..., color].ravel() // 8, minlength=32) for color in range(3)]
    joint = np.bincount((patch.reshape(-1, 3) // 64) @ [16, 4, 1], minlength=64)
    return np.concatenate([np.sqrt(np.concatenate([*single, joint]) / PATCH**2), patch.mean((0, 1)) / 255])


def trace_features(patch):
    """Mean size of each DCT coefficient of luminance and chroma, and of detail at each position of the color filter."""
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


def extract(camera, number, index):
    """Both kinds of features of the center of a photo."""
    photo = decode_jpeg(take_photo(CAMERAS[camera], device_name(camera, number), 11, index, SCALE).jpeg())
    top, left = ((side - PATCH) // 2 for side in photo.shape[:2])
    patch = np.ascontiguousarray(photo[top : top + PATCH, left : left + PATCH])
    if number == TEST_DEVICE and index % 2:
        patch = GAMMA[patch]
    return color_features(patch), trace_features(patch)


@pytest.fixture(scope="module")
def features():
    work = [(camera, 1, index) for camera in CAMERAS for index in range(TRAINING)]
    work += [(camera, TEST_DEVICE, index) for camera in CAMERAS for index in range(TEST)]
    extracted = joblib.Parallel(n_jobs=2)(joblib.delayed(extract)(*task) for task in work)
    cameras = np.array([camera for camera, _, _ in work])
    manipulated = np.array([index % 2 == 1 for _, _, index in work])
    return extracted, cameras, manipulated, len(CAMERAS) * TRAINING


def score(features, kind):
    extracted, cameras, manipulated, training = features
    chosen = np.array([pair[kind] for pair in extracted])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    model.fit(chosen[:training], cameras[:training])
    return weighted_accuracy(cameras[training:], model.predict(chosen[training:]), manipulated[training:])


@pytest.mark.slow
def test_colors_do_not_identify_the_camera(features):
    assert score(features, 0) < 0.40


@pytest.mark.slow
def test_traces_of_processing_identify_the_camera(features):
    assert score(features, 1) > 0.75
