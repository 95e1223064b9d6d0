"""The framework's start-up, without the chatter that a user can do nothing about."""

import os
import re
import shutil
import sys
import tempfile

CHATTER = re.compile(r"absl::InitializeLog|oneDNN custom operations are on")
NO_GPU = re.compile(r"Could not find cuda drivers|failed call to cuInit")  # news only where there is a GPU


def load_framework() -> None:
    """Import Keras and look at its devices; print what they say on standard error, less what says nothing.

    TensorFlow writes these lines from C++ before its own log level counts, so the file descriptor is turned aside.
    """
    sys.stderr.flush()
    former = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            from models.training.backend import devices

            devices()
        finally:
            os.dup2(former, 2)
            os.close(former)
            aside.seek(0)
            has_gpu = shutil.which("nvidia-smi") is not None
            for line in aside.read().decode(errors="replace").splitlines(keepends=True):
                if not CHATTER.search(line) and (has_gpu or not NO_GPU.search(line)):
                    sys.stderr.write(line)
