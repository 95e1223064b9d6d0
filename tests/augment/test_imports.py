"""`augment` re-exports what users import, without loading a framework."""

import subprocess
import sys
from pathlib import Path

import augment

ROOT = Path(__file__).parents[2]
HEAVY = ("keras", "tensorflow", "torch", "jax", "albumentations", "pandas", "scipy")


def test_importing_augment_loads_no_framework():
    code = f"from augment import manipulate; import sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_exported_name_exists():
    assert augment.__all__ == sorted(augment.__all__)
    assert all(hasattr(augment, name) for name in augment.__all__)
