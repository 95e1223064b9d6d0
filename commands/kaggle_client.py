"""Hand a submission to the official Kaggle client (`pip install kaggle`), or print the command that does it."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from competition.utils.errors import InputError

COMPETITION = "sp-society-camera-model-identification"


def submit_to_kaggle(path: Path, message: str) -> None:
    """Upload the checked submission in `path` and print Kaggle's answer.

    Without a client on the search path or beside this Python, nothing is uploaded and the command is printed. The
    client reads its own credentials.

    Raises InputError if the client fails; its message is printed.
    """
    command = ["kaggle", "competitions", "submit", COMPETITION, "-f", str(path), "-m", message]
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    client = shutil.which("kaggle", path=places)
    if client is None:
        print("not submitted: the kaggle client is not installed. Install it with pip install kaggle, then run:")
        print(shlex.join(command))
        return
    print(f"submitting to {COMPETITION}:")
    done = subprocess.run(
        [client, *command[1:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout.strip())
    if done.returncode:
        raise InputError(f"the kaggle client failed with status {done.returncode}; see its message above")
