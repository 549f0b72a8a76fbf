"""One video of a corpus, before anything of it is read: its name, and what a manifest said of it.

The name is also where it lies, less what lets somebody in, and it is the same in every run, on every machine that can
reach the video: so a run that was stopped knows what is done. Nothing here touches a file.

How a video is called is this project's own (docs/decisions.md, decision 54).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..datasets.manifest import Entry, Split
from .names import absolute, shown_name


@dataclass(frozen=True)
class Item:
    """One video of a corpus."""

    video: str
    """Absolute path of a local file; fsspec's URL of any other; ``tar://MEMBER::SHARD`` for one in a WebDataset
    shard, SHARD being a path or URL in turn (``file:///...`` for a local one)."""
    labels: tuple[str, ...] = ()
    """Its true classes, where a manifest or a shard says them."""
    group: str = ""
    """As in a manifest: videos of one source share it; empty where nobody says."""
    split: Split | None = None
    """As in a manifest; None where nobody says."""
    spans: tuple[tuple[Fraction, Fraction], ...] = ()
    """As in a manifest: where the labelled thing happens, seconds on the timeline."""

    @property
    def name(self) -> str:
        """What rows and messages call it: ``video`` less passwords and signatures; the same if signed anew."""
        return shown_name(self.video)

    @classmethod
    def of(cls, entry: Entry) -> Item:
        """The item of a manifest's entry.

        Args:
            entry: One video of a data set, its file given by a local path.

        Returns:
            The same facts, under the file's absolute path.
        """
        return cls(absolute(entry.path), entry.labels, entry.group, entry.split, entry.spans)
