"""Batches as dictionaries of arrays.

Tested by tests/augment/test_loaders.py and tests/models/training/test_devices.py.
"""

from collections.abc import Mapping, Sequence

import numpy as np

Inputs = dict[str, np.ndarray]
Targets = dict[str, np.ndarray]
Weights = dict[str, np.ndarray]
Batch = tuple[Inputs, Targets, Weights]


def part_of(places: range, part: tuple[int, int]) -> range:
    """Return the part (number, count) of a range whose length is a multiple of the count."""
    number, count = part
    size = len(places) // count
    return places[number * size : (number + 1) * size]


def stack_inputs(patches: Sequence[np.ndarray], manipulated: Sequence[bool]) -> Inputs:
    """Return the inputs of a network: `patch`, of the patches' dtype, and `is_manipulated`, float32 (patches, 1)."""
    return {"patch": np.stack(patches), "is_manipulated": np.array(manipulated, np.float32)[:, None]}


def weighted_labels(
    targets: Targets,
    rows: np.ndarray | slice,
    head_weights: Mapping[str, float],
    class_weights: Mapping[str, np.ndarray],
) -> tuple[Targets, Weights]:
    """Return the labels of `rows`, with 0 for unknown ones, and their weights, 0 for unknown ones."""
    known = {name: array[rows] for name, array in targets.items()}
    labels = {name: np.maximum(label, 0) for name, label in known.items()}
    weights = {name: (label >= 0) * np.float32(head_weights.get(name, 1)) for name, label in known.items()}
    for name, of_class in class_weights.items():
        weights[name] *= of_class[labels[name]]
    return labels, weights
