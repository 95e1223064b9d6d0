"""What the settings do to a photo, as the simulator knows it: noise level, blur widths and motion.

They bound what pixels can show of the settings, see `submissions.leaderboards.ceiling`. Training never reads them.
"""

from competition.virtual.cameras import Camera
from competition.virtual.capture import Setup
from competition.virtual.sensor import noise_level

SIMULATION = "simulation.csv"  # file of the degradations in the data folder
LAYERS = ("background", "subject", "foreground")
COLUMNS = (
    "noise",
    "softness",
    *(f"defocus_{layer}" for layer in LAYERS),
    *(f"motion_{layer}" for layer in LAYERS),
)


def degradations(camera: Camera, setup: Setup) -> dict[str, float]:
    """Return the degradations of a photo by `camera`, by the names of `COLUMNS`.

    `noise` is the standard deviation of the raw noise at middle gray, a share of the range. The others are in pixels:
    `softness`, the standard deviation of the blur by lens and pixels, and for each layer the radius of its defocus and
    the length of its motion during the exposure.
    """
    found = {"noise": noise_level(camera, setup.settings.iso), "softness": setup.blurs[0].sigma}
    for layer, blur in zip(LAYERS, setup.blurs, strict=True):
        found[f"defocus_{layer}"] = blur.radius
        found[f"motion_{layer}"] = blur.motion_length
    return found
