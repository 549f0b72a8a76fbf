"""Optional packages and devices: torch, torchvision and transformers are loaded late and fail in one line.

A package that is installed can still fail to load (released torchvision wheels do not load with a CPU-only
torch: ``operator torchvision::nms does not exist``), so the test is loading it, not looking for it.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from ..errors import InputError, MissingExtraError, first_line

if TYPE_CHECKING:
    import torch


def require(package: str, extra: str) -> ModuleType:
    """Load an optional package.

    Args:
        package: Import name, for example ``"torchvision"``.
        extra: The extra of salientclips that brings it, for example ``"torch"``.

    Returns:
        The module.

    Raises:
        MissingExtraError: It is absent, or it fails to load for whatever reason.
    """
    try:
        return import_module(package)
    except Exception as error:  # a broken wheel raises what it likes: ImportError, OSError, RuntimeError ...
        raise MissingExtraError(package, extra, first_line(error)) from error


def pick_device(name: str) -> torch.device:
    """The device on which a network shall run.

    Args:
        name: ``"auto"`` (CUDA where there is one, else the CPU), or torch's own name such as ``"cuda:1"``.

    Returns:
        torch's device.

    Raises:
        InputError: torch does not know the name, or the device is not there.
        MissingExtraError: torch does not load.
    """
    require("torch", "torch")
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(
            f"device {name!r} cannot be used ({first_line(error)})", "give 'auto' or 'cpu'"
        ) from error
    if device.type == "meta":
        raise InputError("device 'meta' computes nothing", "give 'auto' or 'cpu'")
    return device
