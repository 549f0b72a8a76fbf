"""Block matching on small pictures, against shifts that were made."""

from __future__ import annotations

import numpy as np
import pytest

from moving_pictures import MARGIN_PX, scene
from salientclips.compressed.block_matching import match_blocks


def crop(dx: float, dy: float, seed: int = 0):
    """A luma picture (128, 192), its content shifted by (dx, dy) with the Fourier transform."""
    luma = scene(seed)[..., 1].astype(float)
    across, down = np.fft.rfftfreq(luma.shape[1])[None], np.fft.fftfreq(luma.shape[0])[:, None]
    moved = np.fft.irfft2(np.fft.rfft2(luma) * np.exp(-2j * np.pi * (across * dx + down * dy)), s=luma.shape)
    return np.clip(np.round(moved), 0, 255).astype(np.uint8)[
        MARGIN_PX : MARGIN_PX + 128, MARGIN_PX : MARGIN_PX + 192
    ]


def test_rest_is_exactly_zero():
    field, valid = match_blocks(crop(0, 0), crop(0, 0))
    assert field.shape == (2, 32, 48)
    assert field.dtype == np.float32
    assert not field.any()
    assert valid.all()


@pytest.mark.parametrize("shift", [(1, 0), (0, -1), (2, 3), (-5, 4), (0.5, 0), (1.25, -2.75), (-0.3, 0.6)])
def test_shift_is_found(shift):
    field, valid = match_blocks(crop(*shift), crop(0, 0))
    inner = field[:, 3:-3, 3:-3]
    np.testing.assert_allclose(np.median(inner, axis=(1, 2)), shift, atol=0.12)
    assert np.abs(inner - np.array(shift)[:, None, None]).mean() < 0.15
    assert valid[3:-3, 3:-3].mean() > 0.99


def test_noise_on_a_flat_picture_does_not_move():
    rng = np.random.default_rng(0)
    noisy = [np.clip(100 + rng.normal(scale=0.7, size=(64, 96)), 0, 255).astype(np.uint8) for _ in range(2)]
    field, valid = match_blocks(*noisy)
    assert not field.any()
    assert valid.all()


def test_a_cut_is_not_motion():
    _, valid = match_blocks(crop(0, 0, seed=5), crop(0, 0, seed=6))
    assert valid.mean() < 0.5


def test_an_object_moves_and_the_background_rests():
    before, after = crop(0, 0), crop(0, 0)
    thing = crop(0, 0, seed=9)[:32, :32]
    before[48:80, 60:92] = thing
    after[48:80, 63:95] = thing
    field, _ = match_blocks(after, before)
    np.testing.assert_allclose(field[:, 14:18, 17:22].mean(axis=(1, 2)), [3, 0], atol=0.2)
    assert np.abs(field[:, :8]).max() == 0
    assert np.abs(field[:, :, 30:]).max() == 0


def test_sizes_that_are_no_multiple_of_a_cell():
    field, valid = match_blocks(crop(1, 0)[:49, :67], crop(0, 0)[:49, :67])
    assert field.shape == (2, 13, 17)
    assert valid.shape == (13, 17)
