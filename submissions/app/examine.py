"""Examine one photo for the app: camera, settings, evidence, splice, and the verdicts of `doctor` on the file."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from augment.decode import read_pixels
from competition.doctor.verdicts import judge_file
from competition.metadata.header import MAX_PIXELS, Header, read_header
from competition.utils.errors import InputError
from submissions.app.examination import Examination, Picture, Setting
from submissions.exif_language import open_exif_language
from submissions.predict_photos import MIN_EVIDENCE, PhotoPrediction, PhotoPredictor, find_problem, load_predictor
from submissions.reports.explain import explain, explained_part, load_networks, overlay
from submissions.run import Run
from submissions.splices.detector import Encoder, detect, load_encoder
from submissions.splices.overlays import draw_overlays, make_overlay
from submissions.submit import describe_settings
from submissions.tasks import CAMERA

if TYPE_CHECKING:
    import keras

PREVIEW_SIDE = 640  # pixels
JPEG_QUALITY = 85


@dataclass(frozen=True, eq=False)
class Examiner:
    """The networks that examine photos, loaded once. Make it with `load_examiner`.

    Attributes:
        cameras: predicts cameras, and settings if its task has any.
        settings: predicts settings; None without a run for them.
        networks: that explain the camera.
        encoder: that detects splices; None without a run for them.
        notes: what a reader of the answers must know about the runs.
    """

    cameras: PhotoPredictor
    settings: PhotoPredictor | None
    networks: Mapping[str, "keras.Model"]
    encoder: Encoder | None
    notes: Sequence[str]

    def examine(self, path: Path, manipulated: bool) -> Examination:
        """Examine a photo.

        Args:
            path: of the file.
            manipulated: whether the photo was recompressed, resized or gamma-corrected after the camera wrote it.

        Raises:
            InputError: the file is not an image, or has more than `MAX_PIXELS` pixels, which is known from its header
                before anything is decoded.
        """
        header = read_header(path)
        if header.width * header.height > MAX_PIXELS:
            raise InputError(
                f"the photo has {header.width}x{header.height} pixels, expected at most {MAX_PIXELS}; crop it"
            )
        verdicts = judge_file(path)
        if problem := self._find_problem(path, header):
            return Examination(header.width, header.height, verdicts, problem)
        try:
            pixels = read_pixels(path)
        except InputError as error:
            return Examination(header.width, header.height, verdicts, str(error).removeprefix(f"{path} is "))
        found = self.cameras.predict(pixels, manipulated)
        probabilities = found.probabilities[CAMERA]
        ranked = tuple(
            (self.cameras.run.cameras[index], float(probabilities[index])) for index in np.argsort(-probabilities)
        )
        splice_score, splice = self._find_splice(pixels)
        pictures = [_preview(pixels), *self._explain(pixels, manipulated, ranked[0][0]), *splice]
        return Examination(
            header.width,
            header.height,
            verdicts,
            cameras=ranked,
            is_unknown=found.unknown_score > 0,
            little_evidence=found.evidence < MIN_EVIDENCE,
            settings=self._find_settings(pixels, manipulated, found),
            splice_score=splice_score,
            pictures=tuple(pictures),
        )

    def _find_problem(self, path: Path, header: Header) -> str | None:
        """Why a photo cannot be predicted, or None."""
        for predictor in filter(None, (self.cameras, self.settings)):
            if problem := find_problem(path, predictor.run):
                return problem
        smallest = 0 if self.encoder is None else self.encoder.patch
        if min(header.width, header.height) < smallest:
            return f"{header.width}x{header.height} is smaller than a patch of {smallest} pixels"
        return None

    def _find_settings(
        self, pixels: NDArray[np.uint8], manipulated: bool, found: PhotoPrediction
    ) -> tuple[Setting, ...]:
        if self.settings is not None:
            return _settings(self.settings.run, self.settings.predict(pixels, manipulated))
        return _settings(self.cameras.run, found) if self.cameras.run.task.settings else ()

    def _explain(self, pixels: NDArray[np.uint8], manipulated: bool, camera: str) -> list[Picture]:
        run = self.cameras.run
        part = explained_part(pixels, max(recipe.test_patch for recipe in run.recipes.values()))
        explanation = explain(self.networks, part, manipulated, run.cameras.index(camera), "")
        maps = {"the front end": explanation.dct.blocks if explanation.dct else None, "the backbone": explanation.cam}
        colors = "Orange speaks for the camera, blue against it"
        return [
            Picture(
                _jpeg(overlay(part, values)),
                f"Evidence in {reader}",
                f"{colors}. The center of the photo, up to 1,024 pixels.",
                f"Map of the places that speak for or against {camera}, over the photo in gray.",
            )
            for reader, values in maps.items()
            if values is not None
        ]

    def _find_splice(self, pixels: NDArray[np.uint8]) -> tuple[float | None, list[Picture]]:
        if self.encoder is None:
            return None, []
        detection = detect(self.encoder, pixels)
        figure = draw_overlays([make_overlay(pixels, detection, "")], "", columns=1)
        return detection.score, [
            Picture(
                _png(figure),
                "Splice",
                "Consistent: the score is not above the threshold of the run."
                if detection.is_consistent
                else "The outlined part is the least consistent one.",
                "Heat map of how inconsistent each part of the photo is with the rest.",
            )
        ]


def load_examiner(run: Run, settings: Run | None, splices: Path | None) -> Examiner:
    """Load the networks of up to three runs.

    Args:
        run: that predicts cameras.
        settings: that predicts settings; None for those of `run`, if it predicts any.
        splices: folder of an exif-language run; None to leave out splices.

    Raises:
        InputError: a run is not complete.
    """
    notes = {f"{each.folder.name}: {each.note}" for each in (run, settings) if each is not None and each.note}
    if splices is not None:
        notes |= {f"{splices.name}: {note}" for note in open_exif_language(splices).notes}
    return Examiner(
        load_predictor(run),
        None if settings is None else load_predictor(settings),
        load_networks(run, backbones=False),
        None if splices is None else load_encoder(splices),
        sorted(notes),
    )


def _settings(run: Run, prediction: PhotoPrediction) -> tuple[Setting, ...]:
    row = describe_settings(run, {head: values[None] for head, values in prediction.probabilities.items()}).iloc[0]
    names = run.targets.labeled_settings
    return tuple(Setting(name.replace("_", " "), row[name], float(row[f"{name}_probability"])) for name in names)


def _preview(pixels: NDArray[np.uint8]) -> Picture:
    image = Image.fromarray(pixels)
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    return Picture(_jpeg(np.asarray(image)), "Photo", "", "The photo, reduced.")


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=JPEG_QUALITY)
    return stream.getvalue()


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    return stream.getvalue()
