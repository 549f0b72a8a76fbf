"""Libraries that are no extra of ours, because they are no longer developed or pin old versions of others."""

from __future__ import annotations

from types import ModuleType

from ..errors import MissingExtraError
from ..networks.extras import require


def require_foreign(module: str, distribution: str) -> ModuleType:
    """Load a module of such a library.

    Args:
        module: Import name.
        distribution: What pip calls the library.

    Returns:
        The module.

    Raises:
        MissingExtraError: It is absent, or it fails to load for whatever reason; the remedy names the library itself.
    """
    try:
        return require(module, distribution)
    except MissingExtraError as error:
        error.remedy = f"pip install {distribution}"
        raise
