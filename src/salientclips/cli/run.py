"""Runs the command line and turns every failure into one line, one JSON object and an exit code.

Exit codes: 0 done (perhaps with warnings), 1 failed, 2 the command was not understood, 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import NoReturn

import typer.main

from ..errors import SalientClipsError, unforeseen
from .app import app


def main() -> NoReturn:
    """Run the command in ``sys.argv`` and leave the process with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command.

    Args:
        arguments: The words after ``salientclips``.

    Returns:
        The exit code; no exception passes, and no traceback is printed unless ``SALIENTCLIPS_TRACEBACK`` is set.
    """
    wants_json = "--json" in arguments
    try:
        code = _command()(args=arguments, prog_name="salientclips", standalone_mode=False)
        sys.stdout.flush()
    except SalientClipsError as error:
        return _fail(error, wants_json)
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        # The reader of our output has gone (| head): that is no failure, but nothing more can be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if _is_usage(error):
            message = _usage_message(error)
            # Without a command the help was printed, and that is all there is to say.
            return _fail(SalientClipsError(message, "see --help"), wants_json, code=2) if message else 2
        if os.environ.get("SALIENTCLIPS_TRACEBACK"):
            raise
        told = unforeseen(error, "set SALIENTCLIPS_TRACEBACK=1 to see where, and report it")
        return _fail(told, wants_json)
    if code == 130:
        # Some versions of typer turn the interrupt into this code, and say nothing.
        return _interrupted()
    return code if isinstance(code, int) else 0


@lru_cache(maxsize=1)
def _command() -> Callable[..., object]:
    # Made once: typer reads every signature for it, some fifty milliseconds, and ``app()`` would do so at each call.
    return typer.main.get_command(app)


def _interrupted() -> int:
    print(
        "error: interrupted; fit, and runs over many videos, go on where they were when started again",
        file=sys.stderr,
    )
    return 130


def _is_usage(error: Exception) -> bool:
    # typer carries its own copy of click or uses the package, by version; both mark such errors alike.
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def _usage_message(error: Exception) -> str:
    return " ".join(str(error.format_message()).split()).rstrip(".")  # type: ignore[attr-defined]


def _fail(error: SalientClipsError, wants_json: bool, code: int = 1) -> int:
    if wants_json:
        from ..outputs.contract import error_json

        print(json.dumps(error_json(error)))
    # Here and not above: it brings rich, and most commands fail never.
    from .plain import plain

    print("error: " + plain(" ".join(str(error).split())), file=sys.stderr)
    return code
