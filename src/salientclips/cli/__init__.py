"""The command line: parse, call a verb, print. Nothing is computed here.

Heavy modules are imported inside the commands, so that ``--help`` is instant.
"""

from .run import main

__all__ = ["main"]
