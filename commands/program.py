"""The name of the program, for usage lines and messages. Tested by tests/test_packaging.py."""

import os

# run.sh says how the user called it. The variable is removed, because a child process is another program.
PROGRAM = os.environ.pop("CAMERA_PROGRAM", "camera")
