"""Programmed auto-exposure: aperture, ISO and exposure time for the light of a scene.

Bright light closes the aperture, shortens the exposure and lowers ISO, so the three are correlated, as in real
photos. Priority modes and the photographer's choices scatter them around that line.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

F_NUMBERS = (1.6, 1.7, 1.8, 2.0, 2.2, 2.5, 2.8, 3.2, 3.5, 4.0, 4.5, 5.0, 5.6, 6.3, 7.1, 8.0, 9.0, 10.0, 11.0)
ISOS = (100, 125, 160, 200, 250, 320, 400, 500, 640, 800, 1000, 1250, 1600, 2000, 2500, 3200)
_RECIPROCAL_TIMES = (
    *(4000, 3200, 2500, 2000, 1600, 1250, 1000, 800, 640, 500, 400, 320, 250, 200, 160, 125, 100),
    *(80, 60, 50, 40, 30, 25, 20, 15, 13, 10, 8, 6, 5, 4, 3, 2),
)
EXPOSURE_TIMES = tuple(Fraction(1, parts) for parts in _RECIPROCAL_TIMES)

# ExposureProgram of EXIF 2.3: its probability, and the scatter in stops of aperture and ISO around the program line.
_PROGRAMS = {2: (0.5, 0.8, 0.6), 3: (0.25, 1.8, 0.8), 4: (0.25, 1.0, 1.2)}


@dataclass(frozen=True)
class Settings:
    """The camera's settings: f-number, ISO speed, exposure time in seconds, exposure program and compensation."""

    f_number: float
    iso: int
    exposure_time: Fraction
    program: int  # EXIF ExposureProgram: 2 normal, 3 aperture priority, 4 shutter priority
    bias: float  # exposure compensation in stops

    @property
    def relative_signal(self) -> float:
        """Sensor signal for a unit of light, up to a factor: t·ISO/(100·N²)."""
        return float(self.exposure_time) * self.iso / (100 * self.f_number**2)


def choose_settings(rng: np.random.Generator, light: float, min_f_number: float) -> Settings:
    """Choose settings at random for a scene of exposure value `light` (at ISO 100) and a lens that opens to
    f/`min_f_number`."""
    names = list(_PROGRAMS)
    program = int(rng.choice(names, p=[_PROGRAMS[name][0] for name in names]))
    _, aperture_scatter, iso_scatter = _PROGRAMS[program]
    f_numbers = [number for number in F_NUMBERS if number >= min_f_number]
    bias = float(rng.choice([-0.7, -0.3, 0.0, 0.3, 0.7], p=[0.1, 0.15, 0.5, 0.15, 0.1]))
    # Program line, in stops: f/2 at EV 4 to f/7 at EV 15; ISO 800 at EV 3 to ISO 100 at EV 13.
    aperture = np.interp(light, [4, 15], [2.0, 5.6]) + rng.normal(0, aperture_scatter)
    speed = np.interp(light, [3, 11, 13], [3.0, 0.8, 0.0]) + rng.normal(0, iso_scatter)
    f_number = _nearest(f_numbers, 2 ** (aperture / 2))
    iso = int(_nearest(ISOS, 100 * 2**speed))
    wanted = 2.0 ** (bias - light)  # t·ISO/(100·N²)
    time = wanted * f_number**2 * 100 / iso
    # Beyond the shutter's range, ISO changes first, then the aperture.
    shutter = min(max(time, float(EXPOSURE_TIMES[0])), float(EXPOSURE_TIMES[-1]))
    iso = int(_nearest(ISOS, 100 * wanted * f_number**2 / shutter))
    f_number = _nearest(f_numbers, np.sqrt(shutter * iso / (100 * wanted)))
    exposure = EXPOSURE_TIMES[int(np.argmin([abs(np.log(float(t) / shutter)) for t in EXPOSURE_TIMES]))]
    return Settings(f_number, iso, exposure, program, bias)


def _nearest(stops: tuple[float, ...] | list[float], value: float) -> float:
    return min(stops, key=lambda stop: abs(np.log(stop / value)))
