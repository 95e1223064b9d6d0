import os

import pytest

from commands.framework import load_framework, useful_messages
from competition.utils.errors import InputError

INITIALIZATION = "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
NO_DRIVER = "E0000 failed call to cuInit: INTERNAL: CUDA error\n"
OUT_OF_MEMORY = "E0000 out of memory\n"


@pytest.mark.parametrize(("has_gpu", "kept"), [(False, OUT_OF_MEMORY), (True, NO_DRIVER + OUT_OF_MEMORY)])
def test_only_useful_messages_are_kept(has_gpu, kept):
    assert useful_messages(INITIALIZATION + NO_DRIVER + OUT_OF_MEMORY, has_gpu) == kept


def test_messages_of_the_framework_are_printed_and_standard_error_is_restored(monkeypatch, capfd):
    monkeypatch.setattr("models.training.backend.devices", lambda: os.write(2, b"a message from C++\n"))
    load_framework()
    os.write(2, b"later\n")
    assert capfd.readouterr().err in ("a message from C++\nlater\n", "later\na message from C++\n")


def test_standard_error_is_restored_after_an_error(monkeypatch, capfd):
    def devices():
        raise RuntimeError("no devices")

    monkeypatch.setattr("models.training.backend.devices", devices)
    with pytest.raises(RuntimeError, match="no devices"):
        load_framework()
    os.write(2, b"later\n")
    assert "later" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("tensorflw", "unknown KERAS_BACKEND 'tensorflw'.*jax"),
        ("jax", r"jax, which is not installed; run pip install -r requirements-jax\.txt"),
    ],
)
def test_unknown_or_missing_backends_raise(backend, message, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr("commands.framework.find_spec", lambda package: None)
    with pytest.raises(InputError, match=message):
        load_framework()
