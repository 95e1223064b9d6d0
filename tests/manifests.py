"""Manifests of training photos, and strategies that draw them, for tests of splits and folds."""

import pandas as pd
from hypothesis import strategies as st

from competition.manifest import DTYPES


def manifest(cameras: dict[str, list[tuple[str | None, int | None]]]) -> pd.DataFrame:
    """A manifest from camera → (device, minute) of each photo."""
    start = pd.Timestamp("2015-01-01T23:00:00")
    rows = [
        {
            "path": f"train/{camera}/{number:03}.jpg",
            "camera": camera,
            "device": device,
            "taken_at": None if minute is None else (start + pd.Timedelta(minutes=minute)).isoformat(),
            "width": 640,
            "height": 480,
            "manipulation": "unaltered",
            "split": "train",
        }
        for camera, shots in cameras.items()
        for number, (device, minute) in enumerate(shots)
    ]
    return pd.DataFrame(rows, columns=list(DTYPES)).astype(DTYPES)


shots = st.lists(
    st.tuples(st.sampled_from([None, "a", "b", "c"]), st.one_of(st.none(), st.integers(0, 5000))),
    min_size=3,
    max_size=25,
)
manifests = st.dictionaries(st.sampled_from(["x", "y"]), shots, min_size=1).map(manifest)
