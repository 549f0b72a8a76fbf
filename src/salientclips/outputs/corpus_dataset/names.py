r"""Names that are no Unicode, as text that a Parquet file can hold, and back.

A POSIX file name is bytes; where they are not UTF-8, Python holds each stray byte as a lone surrogate (U+DC80 to
U+DCFF), and no string of a Parquet file may. Such a character is stored as ``\udcXX``, six ordinary characters. So
that different names stay different, backslashes that stand right before a surrogate, or before text that looks like
a stored one, are doubled. All other names, Windows paths among them, are stored as they are.
"""

from __future__ import annotations

import re

_IN_NAME = re.compile(r"(\\*)([\ud800-\udfff])|(\\+)(?=ud[89a-f][0-9a-f]{2})")
_IN_TEXT = re.compile(r"(\\+)(ud[89a-f][0-9a-f]{2})")


def to_text(name: str) -> str:
    r"""What is stored of a name.

    Args:
        name: Any string, lone surrogates included.

    Returns:
        Text that UTF-8 can encode; different for different names, and the name itself where it is plain Unicode
        without ``\ud8`` to ``\udf`` in it.
    """
    return _IN_NAME.sub(_escaped, name)


def from_text(text: str) -> str:
    """The name that :func:`to_text` stored.

    Args:
        text: As stored.

    Returns:
        The name.
    """
    return _IN_TEXT.sub(_plain, text) if "\\ud" in text else text


def _escaped(found: re.Match[str]) -> str:
    before, surrogate, slashes = found.groups()
    return slashes * 2 if surrogate is None else f"{before * 2}\\u{ord(surrogate):04x}"


def _plain(found: re.Match[str]) -> str:
    slashes, code = found.groups()
    half, is_surrogate = divmod(len(slashes), 2)
    return "\\" * half + (chr(int(code[1:], 16)) if is_surrogate else code)
