import numpy as np
import pytest

from competition.virtual.exposure import EXPOSURE_TIMES, F_NUMBERS, ISOS, choose_settings

EDGES = ((2.8, 4.9), (215, 464), (0.00215, 0.0464))  # Laurence & Murphy 2018, Table 1


@pytest.fixture(scope="module")
def chosen():
    rng = np.random.default_rng(0)
    lights = rng.uniform(1, 15, size=2000)
    return lights, [choose_settings(rng, light, 1.8) for light in lights]


def table(settings):
    return np.array([(s.f_number, s.iso, float(s.exposure_time)) for s in settings])


def test_settings_have_standard_values(chosen):
    _, settings = chosen
    assert {s.f_number for s in settings} <= {n for n in F_NUMBERS if n >= 1.8}
    assert {s.iso for s in settings} <= set(ISOS)
    assert {s.exposure_time for s in settings} <= set(EXPOSURE_TIMES)


def test_exposure_matches_light(chosen):
    lights, settings = chosen
    errors = [np.log2(s.relative_signal) + light - s.bias for light, s in zip(lights, settings, strict=True)]
    assert np.median(np.abs(errors)) < 0.2
    assert np.mean(np.abs(errors) > 1) < 0.02


def test_less_light_gives_wider_aperture_higher_iso_and_longer_time(chosen):
    lights, settings = chosen
    correlation = np.corrcoef(np.column_stack([lights, np.log(table(settings))]).T)[0, 1:]
    assert correlation[0] > 0.4 and correlation[1] < -0.4 and correlation[2] < -0.4


def test_every_bin_and_many_combinations_are_populated(chosen):
    values = table(chosen[1])
    bins = np.column_stack([np.digitize(values[:, k], EDGES[k]) for k in range(3)])
    shares = np.array([np.bincount(bins[:, k], minlength=3) / len(bins) for k in range(3)])
    assert shares.min() > 0.12
    assert len(np.unique(bins, axis=0)) >= 22


def test_f_number_is_not_below_minimum_of_lens():
    rng = np.random.default_rng(1)
    assert min(choose_settings(rng, 1.0, 2.0).f_number for _ in range(50)) == 2.0
