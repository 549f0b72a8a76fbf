"""Endings of file names that say what kind of source a file is; any other file is a video."""

from __future__ import annotations

LIST_SUFFIX = ".txt"
"""A text list."""
TABLE_SUFFIXES = frozenset((".csv", ".parquet"))
"""Manifests."""
SHARD_SUFFIXES = frozenset((".tar", ".tgz", ".tar.gz"))
"""WebDataset shards."""
