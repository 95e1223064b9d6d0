"""Readers of networks and of histories, for `benchmarks.fuzz`. They load the framework."""

import io
import json
import zipfile
from pathlib import Path

import keras

from benchmarks.fuzz_targets import Target
from benchmarks.mutations import mutate_bytes, mutate_csv, mutate_zip
from models.classifier import build
from models.presets import classifier_recipe
from models.saved import load_model, load_weights
from models.training.checkpoints import read_history

HOSTILE = (  # objects that a model's configuration must not make
    '{"module": "keras.layers", "class_name": "Lambda", "config": {"name": "x", "function": {"class_name": '
    '"__lambda__", "config": {"code": "4wAAAAA=", "defaults": null, "closure": null}}}}',
    '{"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}',
    '{"module": "subprocess", "class_name": "Popen", "config": {"args": ["touch", "escape"]}, "registered_name": null}',
)
NAMES = ("model", "weights", "history")


def make_targets(home: Path) -> list[Target]:
    """Make the files of all targets in the folder `home`."""
    network = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4), keras.layers.BatchNormalization()])
    model, weights, small = home / "model.keras", home / "model.weights.h5", home / "small.keras"
    network.save(model)
    network.save_weights(weights)
    build("convnet", classifier_recipe("smoke", "convnet", patch=32), {"camera": 2}).save(small)
    history = b"epoch,loss,val_loss\n0,1.5,1.4\n1,1.2,1.3\n"
    return [
        Target("model", model, _model_seeds(model, small), (mutate_zip(mutate_bytes),), _load_model, 1),
        Target("weights", weights, (weights.read_bytes(),), (mutate_bytes,), lambda it: load_weights(network, it), 1),
        Target("history", home / "history.csv", (history,), (mutate_csv,), read_history, 1),
    ]


def _model_seeds(*files: Path) -> tuple[bytes, ...]:
    """Valid models, and the first one with a hostile object in place of its second layer."""
    seeds = [file.read_bytes() for file in files]
    for hostile in HOSTILE:
        with zipfile.ZipFile(io.BytesIO(seeds[0])) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(members["config.json"])
        config["config"]["layers"][1] = json.loads(hostile)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in {**members, "config.json": json.dumps(config).encode()}.items():
                archive.writestr(name, content)
        seeds.append(buffer.getvalue())
    return tuple(seeds)


def _load_model(path: Path) -> object:
    keras.backend.clear_session()
    return load_model(path)
