"""Match photos with the fingerprints of devices."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from augment.decode import read_pixels
from competition.utils.errors import InputError
from competition.utils.progress import with_progress
from submissions.fingerprints.device import Fingerprint
from submissions.fingerprints.evidence import weigh
from submissions.fingerprints.match import correlate
from submissions.fingerprints.noise import noise_residual


def match_photos(fingerprints: Sequence[Fingerprint], photos: Sequence[Path]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Match every photo with every fingerprint.

    Returns:
        A table with one row per pair, and the photos that were skipped with the reason. Columns: path, fingerprint
        (its name), match, score, peak_to_correlation_energy, log10_likelihood_ratio, false_alarm_rate, miss_rate, row
        and column (of the photo's corner in the frame of the fingerprint), width and height (of the photo). A pair of a
        photo that is larger than the fingerprint is left out.

    Raises:
        InputError: no pair can be matched.
    """
    rows: list[dict[str, object]] = []
    skipped: dict[str, str] = {}
    for path in with_progress(photos, "photos", len(photos), "photo"):
        try:
            residual, luminance = noise_residual(read_pixels(path))
        except InputError as error:
            skipped[str(path)] = str(error)
            continue
        problems = []
        for fingerprint in fingerprints:
            try:
                match = correlate(fingerprint.pattern, residual, luminance)
            except InputError as error:
                problems.append(f"{fingerprint.name}: {error}")
                continue
            evidence = weigh(match, fingerprint.own_scores)
            rows.append(
                {
                    "path": str(path),
                    "fingerprint": fingerprint.name,
                    "match": evidence.is_match,
                    "score": match.score,
                    "peak_to_correlation_energy": match.peak_to_correlation_energy,
                    "log10_likelihood_ratio": evidence.log10_likelihood_ratio,
                    "false_alarm_rate": evidence.false_alarm_rate,
                    "miss_rate": evidence.miss_rate,
                    "row": match.row,
                    "column": match.column,
                    "width": residual.shape[1],
                    "height": residual.shape[0],
                }
            )
        if len(problems) == len(fingerprints):
            skipped[str(path)] = problems[0]
    if not rows:
        reasons = "; ".join(f"{path}: {why}" for path, why in list(skipped.items())[:3])
        raise InputError(f"none of the {len(photos)} photos can be matched ({reasons})")
    return pd.DataFrame(rows), skipped


def best_matches(table: pd.DataFrame) -> pd.DataFrame:
    """Return the row with the lowest false-alarm rate, then the highest score, of every photo, in their order."""
    ordered = table.sort_values(["false_alarm_rate", "score"], ascending=[True, False], kind="stable")
    return table.loc[ordered.drop_duplicates("path").index].sort_index()
