"""Why a photograph did not arrive."""


class Refused(Exception):
    """It is not to be had, and asking again would not change that. The message is the reason for the record."""


class Failed(Exception):
    """It did not arrive this time; a later run asks again. again: whether asking at once makes sense."""

    def __init__(self, reason: str, again: bool = True) -> None:
        super().__init__(reason)
        self.again = again


class Stopped(Exception):
    """The user stopped the run."""
