"""Takes the camera's own motion out of a motion field, so that what is left moved in the scene.

A pan or a zoom moves every cell, and says nothing about which clip is worth looking at. Over the cells of one
frame it is close to an affine field (translation, zoom, rotation, shear). This module fits one by reweighted
least squares, in which cells that move otherwise lose their say, and subtracts it. SCSampler leaves this to
its network; samplers without training need it done.

It does not tell parallax from motion, and an object that fills most of the picture is taken for the camera.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .extension import extension

_MIN_CELLS_AFFINE = 24
"""With fewer valid cells only their median is taken out: an affine fit has 6 unknowns and outliers."""

_ITERATIONS = 6
"""Rounds of reweighting; the fit moves by less than 0.01 px after five on pans and zooms."""

_SCALE_FLOOR_PX = 0.25
"""Smallest spread that counts as noise: one step of quarter-pixel vectors."""

_TUKEY = 4.685
"""Tukey's constant: 95 % efficiency for Gaussian noise."""


def remove_camera_motion(
    md: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    """Subtract a robust estimate of the global motion from motion fields.

    Args:
        md: Displacements (2, h, w) of one frame or (n, 2, h, w) of several, source pixels per frame.
        valid: Where a cell has a vector (h, w) or (n, h, w).

    Returns:
        Displacements of the same shape and unit relative to the camera; 0 where not valid. With fewer than
        24 valid cells in a frame only their median is subtracted.
    """
    native = extension()
    if native is None:
        return remove_in_numpy(md, valid)
    height, width = md.shape[-2:]
    fields = np.ascontiguousarray(md, dtype=np.float32).reshape(-1, 2, height, width)
    masks = np.ascontiguousarray(valid, dtype=np.bool_).reshape(-1, height, width)
    return native.remove_camera_motion(fields, masks).reshape(md.shape)


def remove_in_numpy(md: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """:func:`remove_camera_motion` without the extension, and its definition.

    Args:
        md: Displacements (2, h, w) or (n, 2, h, w), source pixels per frame.
        valid: Where a cell has a vector (h, w) or (n, h, w).

    Returns:
        What :func:`remove_camera_motion` returns; the two differ by the order of sums, less than 1e-4 px.
    """
    if md.ndim == 4:
        if len(md) == 0:
            return md.copy()
        return np.stack([remove_in_numpy(one, mask) for one, mask in zip(md, valid, strict=True)])
    cells = np.flatnonzero(valid)
    flat, result = md.reshape(2, -1), np.zeros_like(md, order="C")
    # Cells one after the other, (x, y) each: the order in which the sums of the fit are fastest.
    motion = np.asfortranarray(flat.take(cells, axis=1).astype(np.float64))
    if len(cells) == 0:
        return result
    motion -= np.array([[_median(motion[0])], [_median(motion[1])]])
    if len(cells) < _MIN_CELLS_AFFINE:
        own = motion
    else:
        rows, columns = np.divmod(cells, md.shape[2])
        half = max(md.shape[1:]) / 2
        places = np.stack(
            [
                np.ones(len(rows)),
                (columns - (md.shape[2] - 1) / 2) / half,
                (rows - (md.shape[1] - 1) / 2) / half,
            ]
        )
        own = motion - _fit_affine(motion, places) @ places
    for into, values in zip(result.reshape(2, -1), own, strict=True):
        into[cells] = values
    return result


def _fit_affine(motion: npt.NDArray[np.float64], places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Fit ``motion (2, n) = parameters (2, 3) @ places (3, n)`` with Tukey's weights."""
    parameters = np.zeros((2, 3))
    # A little pull towards no zoom keeps the system solvable when all weight lies in one row of cells;
    # translation is not pulled, so that the result does not depend on it.
    ridge = np.diag([0.0, 1e-3, 1e-3])
    in_rows = np.ascontiguousarray(motion)
    for _ in range(_ITERATIONS):
        apart = in_rows - parameters @ places
        distance = np.hypot(apart[0], apart[1])
        scale = max(1.4826 * _median(distance), _SCALE_FLOOR_PX)
        distance /= _TUKEY * scale
        weight = np.square(np.maximum(1 - np.square(distance), 0))
        weighted = places * weight
        parameters = np.linalg.solve(weighted @ places.T + ridge, weighted @ motion.T).T
    return parameters


def _median(values: npt.NDArray[np.float64]) -> float:
    """What ``np.median`` gives for finite values (n,), n > 0, without the half of its time that is bookkeeping."""
    middle = len(values) // 2
    parted = np.partition(values, middle)
    if len(values) % 2:
        return float(parted[middle])
    return float(parted[:middle].max() + parted[middle]) / 2
