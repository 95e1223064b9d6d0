"""Options of a training. Tested by tests/models/training/test_fit.py and tests/models/training/test_tracking.py."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingOptions:
    """What a training writes beside its result, which does not depend on it.

    Attributes:
        tracker: where epochs are logged to, a name of `models.training.tracking.TRACKERS`; None for nowhere.
        save_every: number of steps after which the state within an epoch is saved; None saves finished epochs only.
    """

    tracker: str | None = None
    save_every: int | None = None


NO_OPTIONS = TrainingOptions()
