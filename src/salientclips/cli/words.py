"""What the words of a command mean, before anything is listed: one video, one folder or manifest, or a corpus."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..corpus.endings import LIST_SUFFIX, SHARD_SUFFIXES, TABLE_SUFFIXES

_SHARDS = tuple(SHARD_SUFFIXES)
_LISTS = (LIST_SUFFIX, *TABLE_SUFFIXES, *SHARD_SUFFIXES)
_SIGNS = "*?[{"
"""Of a pattern, and of shards in braces."""


def is_one_video(words: Sequence[str]) -> bool:
    """Whether the words name a single local video file, so that the answer is printed and not a data set.

    Args:
        words: What the user named.

    Returns:
        False for several words, and for a folder, a glob, a list, a manifest, a shard or a URL.
    """
    if len(words) > 1:
        return False
    word = words[0]
    # os.path and not Path, which raises where a word is too long for a name.
    if "://" in word or os.path.isdir(word) or word.lower().endswith(_LISTS):
        return False
    # A file may be called a[1].mp4.
    return os.path.exists(word) or not _has_signs(word)


def is_one_source(words: Sequence[str]) -> bool:
    """Whether the words name a single local folder or CSV manifest, which ``fit`` and ``evaluate`` read themselves.

    Args:
        words: What the user named.

    Returns:
        False for anything that has to be listed first. A path where nothing is counts as such a source, which is
        then told.
    """
    word = words[0]
    if len(words) > 1 or "://" in word:
        return False
    if os.path.exists(word):
        return os.path.isdir(word) or Path(word).suffix.lower() == ".csv"
    return not _has_signs(word) and not word.lower().endswith(_SHARDS)


def _has_signs(word: str) -> bool:
    return any(sign in word for sign in _SIGNS)
