"""What machines read: one JSON object on stdout."""

from __future__ import annotations

import json
from typing import Any


def print_json(data: dict[str, Any]) -> None:
    """Print an object at once, also where stdout is a pipe.

    Args:
        data: Anything that JSON can hold; no NaN.
    """
    print(json.dumps(data, indent=1, allow_nan=False), flush=True)
