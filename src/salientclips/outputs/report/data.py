"""What the page is given: everything that it shows, and nothing that it does not.

Read this first. Texts are as they come from files and are escaped when the page is written (``page.py``);
pictures are data URIs, or addresses on the page's own server.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from .curve import Curve
from .thumbnails import Thumbnail

Kind = Literal["report", "view", "compare"]
"""A page that stands alone, one with controls and a server, or several strategies on one time line."""


@dataclass(frozen=True)
class ShownClip:
    """One clip on the page."""

    rank: int
    """1 is the most salient; among the least salient, 1 is the least."""
    index: int
    """Which clip of the grid."""
    start_s: float
    """Where it begins, seconds on the timeline."""
    end_s: float
    """Where it ends, seconds on the timeline."""
    score: float
    """Its saliency."""
    picture: str = ""
    """Frames of the clip side by side; empty where there is none."""
    frames: int = 0
    """How many frames the picture holds."""


@dataclass(frozen=True)
class Lane:
    """One curve of the time line."""

    name: str
    """What it is called, for example ``"md"``."""
    meaning: str
    """What it is, for people."""
    curve: Curve
    clips: tuple[ShownClip, ...] = ()
    """Clips marked in this lane alone (on a page that compares)."""


@dataclass(frozen=True)
class Guess:
    """One class of a prediction."""

    label: str
    """Name of the class."""
    probability: float
    """How likely it is, 0 to 1."""


@dataclass(frozen=True)
class Verdict:
    """What a classifier says of the video under one strategy."""

    strategy: str
    """``"sampler"``, ``"uniform"`` or ``"dense"``."""
    clips: int
    """How many clips it looked at."""
    guesses: tuple[Guess, ...]
    """The most probable classes, best first."""


@dataclass(frozen=True)
class Cost:
    """What one way to the label takes."""

    strategy: str
    """``"sampler"``, ``"uniform"`` or ``"dense"``."""
    clips: int
    """Clips looked at."""
    parts_s: dict[str, float]
    """Seconds by part: ``demux``, ``features``, ``sampler``, ``decode``, ``classifier``; only those that there
    are."""
    gflops: float | None
    """10^9 multiply-adds of the classifier; None where it is not known or there is none."""
    is_estimated: bool = False
    """Whether the seconds are worked out from fewer clips instead of measured."""

    @property
    def total_s(self) -> float:
        """All parts together, seconds."""
        return sum(self.parts_s.values())


@dataclass(frozen=True)
class Overlap:
    """How much of one strategy's choice another shares."""

    strategy: str
    """Its name on the page."""
    clips: int
    """How many clips it chose."""
    shared: tuple[int, ...]
    """Clips in common with each strategy, in their order."""


@dataclass(frozen=True)
class PageData:
    """All that is on the page."""

    kind: Kind
    """Which page it is."""
    name: str
    """The video's file name."""
    title: str
    """The title tag in the file; empty where there is none."""
    video_url: str
    """Where the page finds the video: relative, ``file:`` or on its own server."""
    aspect: float
    """Width of the upright picture over its height."""
    codec: str
    """FFmpeg's name of the codec, for the remark where the browser cannot play it."""
    begin_s: float
    """Left edge of the time line, seconds."""
    end_s: float
    """Right edge of the time line, seconds."""
    sampler: str
    """Who scored."""
    facts: tuple[tuple[str, str], ...]
    """What is worth knowing of the video and of how it was scored: (name, value)."""
    lanes: tuple[Lane, ...]
    """The curves, the one that clips are chosen by first."""
    starts_s: npt.NDArray[np.float64]
    """Start of each clip (num_clips,), seconds."""
    ends_s: npt.NDArray[np.float64]
    """End of each clip (num_clips,), seconds."""
    scores: npt.NDArray[np.float64]
    """Score of each clip (num_clips,)."""
    top: tuple[ShownClip, ...]
    """The selected clips in rank order."""
    bottom: tuple[ShownClip, ...]
    """The least salient clips, the least first."""
    k: int
    """Clips asked for."""
    note: str
    """Why there are fewer; empty where there are not."""
    thumbnails: tuple[Thumbnail, ...]
    """The strip below the curves, in order of time."""
    shots_path: str
    """Strokes where shots seem to begin (see ``shots.py``)."""
    num_shots: int
    """How many strokes those are."""
    shots_by: str
    """What gave the shots away."""
    key_frames_path: str
    """Strokes at the key frames."""
    num_key_frames: int
    """How many strokes those are."""
    verdicts: tuple[Verdict, ...] = ()
    """What a classifier says; empty where none was asked."""
    costs: tuple[Cost, ...] = ()
    """What each way to the label takes."""
    overlaps: tuple[Overlap, ...] = ()
    """How much strategies share (on a page that compares)."""
    warnings: tuple[str, ...] = ()
    """What went wrong without stopping the work, one line each."""
    min_gap_s: float = 0.0
    """Seconds that had to lie between two selected clips."""
    samplers: tuple[str, ...] = field(default=())
    """Samplers that can be chosen (on a page with a server)."""
    formats: tuple[str, ...] = ()
    """Formats that can be downloaded (on a page with a server)."""
