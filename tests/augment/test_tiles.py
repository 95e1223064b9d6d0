"""`augment.tiles`."""

import numpy as np
import pytest

from augment.tiles import TILE, tile
from competition.utils.errors import InputError


def numbered(rows: int, columns: int) -> np.ndarray:
    """A photo whose tiles have the colors 0, 1, 2, …, with a border that fills no tile."""
    colors = np.arange(rows * columns, dtype=np.uint8).reshape(rows, columns)
    return np.pad(np.stack([np.kron(colors, np.ones((TILE, TILE), np.uint8))] * 3, axis=-1), ((0, 5), (0, 9), (0, 0)))


def colors_of(square: np.ndarray) -> list[int]:
    for tiles in square.reshape(len(square) // TILE, TILE, -1, TILE, 3).swapaxes(1, 2):
        for each in tiles:
            assert (each == each[0, 0]).all()  # no tile is mixed with another
    return square[::TILE, ::TILE, 0].ravel().tolist()


def test_square_holds_every_tile_of_a_photo_with_as_many():
    assert colors_of(tile(numbered(2, 8), 4 * TILE)) == list(range(16))


def test_blocks_of_the_photo_stay_whole():
    photo = np.random.default_rng(0).integers(0, 256, (64, 128, 3), np.uint8)
    square = tile(photo, 64)
    np.testing.assert_array_equal(square[:TILE, :TILE], photo[:TILE, :TILE])
    np.testing.assert_array_equal(square[:TILE, TILE:], photo[:TILE, 64:96])
    assert square.shape == (64, 64, 3) and square.dtype == np.uint8


def test_tiles_without_randomness_have_equal_distances():
    assert colors_of(tile(numbered(4, 8), 4 * TILE)) == list(range(0, 32, 2))


@pytest.mark.parametrize(("rows", "columns"), [(4, 8), (1, 3), (5, 5)])
def test_random_tiles_differ_and_no_tile_occurs_twice_more_than_another(rows, columns):
    photo, squares = numbered(rows, columns), []
    for seed in range(2):
        squares.append(colors_of(tile(photo, 4 * TILE, np.random.default_rng(seed))))
        counts = np.bincount(squares[-1], minlength=rows * columns)
        assert counts.max() - counts.min() <= 1 and counts.sum() == 16
    assert squares[0] != squares[1]


def test_photo_smaller_than_a_tile_is_refused():
    with pytest.raises(InputError, match=r"expected a photo of at least 32 x 32 pixels, received 100 x 31"):
        tile(np.zeros((31, 100, 3), np.uint8), 64)
