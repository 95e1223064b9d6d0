"""Trained runs in notebooks and scripts.

    import camera_competition

    run = camera_competition.load_run("runs/ensemble-quick-virtual-small")
    run.predict(["holiday/a.jpg", "holiday/b.jpg"])  # DataFrame: path, camera, calibrated probability, unknown, …

Importing this module imports Keras and registers the layers of this project, so that
`keras.saving.load_model("runs/…/members/mobilenet/model.keras")` works afterwards. To train, use the program `camera`.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from competition import __version__
from competition.manifest import describe_skipped
from models import saved  # noqa: F401 - registers the layers of classifiers with Keras
from models.exif_language import encoders  # noqa: F401 - registers their layers
from models.training import schedules  # noqa: F401 - registers the learning rate of the preset quick
from submissions.leaderboards.score import score_camera
from submissions.leaderboards.settings import score_settings
from submissions.predict_photos import predict_photos
from submissions.run import Run, open_run
from submissions.submit import submit_camera

__all__ = ["LoadedRun", "__version__", "load_run"]

PathLike = str | Path


class LoadedRun:
    """A trained run of `camera train`.

    Attributes:
        run: its configuration and the paths of its files.
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    def predict(self, photos: PathLike | Sequence[PathLike], manipulated: bool = False) -> pd.DataFrame:
        """Predict the camera and the settings of photos, see `submissions.predict_photos.predict_photos`.

        Args:
            photos: files, or folders that are searched recursively.
            manipulated: whether the photos were recompressed, resized or gamma-corrected.

        Returns:
            One row per usable photo. Probabilities are calibrated, and `unknown` says whether none of the run's cameras
            seems to have taken the photo. A warning names the files that are skipped.

        Raises:
            InputError: no photo can be used.
        """
        paths = [photos] if isinstance(photos, PathLike) else photos
        table, skipped = predict_photos(self.run, [Path(path) for path in paths], manipulated)
        if skipped:
            warnings.warn(describe_skipped(skipped), stacklevel=2)
        return table

    def leaderboard(self) -> pd.DataFrame:
        """Score the run, write its leaderboard and return it: that of the camera, or of settings without a camera."""
        return score_camera(self.run) if self.run.task.camera else score_settings(self.run)

    def submit(self, path: PathLike, blend: str = "quadratic", balance: str = "none") -> pd.DataFrame:
        """Write a checked submission for the test set, see `submissions.submit.submit_camera`.

        Args:
            path: of the CSV file.
            blend: how members are blended: arithmetic, quadratic or geometric; optimized, selection or stacking for a
                blend that is fitted to the validation predictions.
            balance: how classes are balanced: none, greedy, exact, soft or prior.

        Returns:
            The columns fname, camera, is_manipulated.

        Raises:
            InputError: an unknown name, no test set, or no predictions for it.
        """
        return submit_camera(self.run, Path(path), blend, balance)


def load_run(folder: PathLike) -> LoadedRun:
    """Load a trained run from its folder. Raises `InputError` if there is none, or if it is damaged."""
    return LoadedRun(open_run(Path(folder)))
