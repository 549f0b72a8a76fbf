"""The data that flows through salientclips. Read this first; the rest follows.

The chain: path -> PacketTable -> ClipGrid -> ClipFeatures -> ClipScores -> Selection -> VideoPrediction.
All types are frozen; arrays in them are not to be written to. Nothing here touches a file. Clips, saliency and K
are the paper's (section 3); the types are this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import numpy.typing as npt

from .ranking import VISUAL_SHARE, Rule, choose
from .timeline import ClipGrid, ClipSpec, Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Feature = Literal["md", "rgbr", "if", "audio", "packets"]
"""What a sampler may read: motion displacements, RGB residuals, I-frames, sound, packet cost."""

FEATURES: tuple[Feature, ...] = ("md", "rgbr", "if", "audio", "packets")
"""All features, in the order in which they are listed to users."""

Budget = Literal["fast", "balanced", "full"]
"""How much is decoded of a video whose motion cannot be parsed: see :mod:`salientclips.compressed.budget`."""

BUDGETS: tuple[Budget, ...] = ("fast", "balanced", "full")
"""All budgets, the cheapest first."""


@dataclass(frozen=True)
class PacketTable:
    """What one demultiplexing pass knows of a video stream: a row per packet, in decoding order.

    Nothing is decoded for it. 12 hours at 30 frames/s are 1.3 million rows of 30 bytes.
    """

    timeline: Timeline
    """Turns ``pts`` into exact times."""
    pts: npt.NDArray[np.int64]
    """Presentation time stamps (num_packets,), ticks of ``timeline.time_base``."""
    duration: npt.NDArray[np.int32]
    """Ticks that each frame is shown (num_packets,); 0 where the container does not say."""
    size_bytes: npt.NDArray[np.int32]
    """Compressed size of each frame (num_packets,), bytes."""
    is_key: npt.NDArray[np.bool_]
    """Whether decoding can start at the packet (num_packets,)."""
    is_shown: npt.NDArray[np.bool_]
    """False for packets that are decoded but never displayed (edit lists, discarded frames)."""
    frame_type: npt.NDArray[np.uint8]
    """``ord("I")``, ``ord("P")``, ``ord("B")`` or ``ord("?")`` of each packet (num_packets,)."""
    warnings: tuple[str, ...] = ()
    """What went wrong in the pass without stopping it, one line each."""
    pts_is_guessed: bool = False
    """Whether the container keeps no display times (AVI with B-frames, raw streams): ``pts`` then follows the
    usual order of B-frames, and a decoded frame's own pts means nothing (see media/clock.py)."""
    file_offset: npt.NDArray[np.int64] | None = None
    """Where the bytes of each packet begin in the file (num_packets,), for containers that keep a packet in one piece
    and say where (mp4, mov); else None."""

    def __len__(self) -> int:
        return len(self.pts)


@dataclass(frozen=True)
class FeatureParameters:
    """What decides the numbers a feature reader gives; stored with every score."""

    frames_per_clip: int = 1
    """Inter-coded frames read per clip, evenly spread (the paper reads all)."""
    features: tuple[Feature, ...] = ("md", "rgbr")
    """Which features are read."""
    budget: Budget = "full"
    """How much is decoded for motion and residuals; without effect where they are parsed from the bitstream."""

    def facts(self) -> dict[str, Any]:
        """What decides the numbers, as JSON can hold it.

        Returns:
            The fields by name. The budget is left out where it is ``full``, so that what was stored and named before
            there were budgets is found again.
        """
        said: dict[str, Any] = {"frames_per_clip": self.frames_per_clip, "features": list(self.features)}
        return said if self.budget == "full" else {**said, "budget": self.budget}


@dataclass(frozen=True)
class ClipFeatures:
    """The compressed-domain features of one clip. Grids count 16 x 16 pixel macroblock cells.

    ``n`` frames were read (0 where the clip has none or all failed), ``h = ceil(H / 16)``,
    ``w = ceil(W / 16)`` in display orientation.
    """

    index: int
    """Which clip of the grid."""
    times: tuple[Fraction, ...]
    """Display time of each frame read, seconds on the timeline (n,)."""
    md: npt.NDArray[np.float32] | None
    """Motion displacements (n, 2, h, w): x right, y down, source pixels per frame of temporal distance."""
    md_valid: npt.NDArray[np.bool_] | None
    """Where a cell has a vector (n, h, w); False where it is intra-coded."""
    rgbr: npt.NDArray[np.float32] | None
    """RGB residuals (n, 3, h, w): mean residual over the cell, 8-bit levels."""
    energy: npt.NDArray[np.float32] | None
    """Mean squared luma residual over the cell (n, h, w), squared 8-bit levels."""
    iframes: npt.NDArray[np.uint8] | None = None
    """Decoded I-frames (m, 3, H', W') RGB at reduced size, m >= 0."""
    mel: npt.NDArray[np.float32] | None = None
    """MEL spectrogram (40, 200) of twice the clip, centred on it; None where there is no sound around it."""
    failures: int = 0
    """Frames of the clip that were to be read and could not be: broken packets, lost references."""
    packet_cost: float | None = None
    """How dear the clip's packets are beside others of the video, 1 is average; NaN where no packet of it counts, and
    in a video of key frames only. See :func:`salientclips.compressed.packet_cost.packet_cost`."""


@dataclass(frozen=True)
class Fingerprint:
    """Recognises a file without reading it whole, and without trusting its name or date."""

    size_bytes: int
    """Length of the file, bytes."""
    sha256: str
    """Hash of its first and its last MiB, hexadecimal."""


@dataclass(frozen=True, eq=False)
class ClipScores:
    """One saliency for every clip of a video, with everything needed to trust it later."""

    path: Path
    """The video."""
    fingerprint: Fingerprint
    """Recognises the video later, wherever it lies."""
    sampler: str
    """Name of the sampler, as ``salientclips list`` shows it."""
    sampler_parameters: dict[str, float | int | str]
    """What decides the sampler's numbers, for example the seed of ``random``. Under the rule ``av-union-list``
    the key ``visual_share`` is the share of K that goes to the visual list (0.8 where it is not said)."""
    feature_parameters: FeatureParameters
    """What was read of it."""
    clip_spec: ClipSpec
    """How long a clip was to be; ``grid`` says where clips lie."""
    grid: ClipGrid
    """Where each clip begins and ends, exact seconds on the timeline."""
    scores: npt.NDArray[np.float64]
    """Saliency of each clip (num_clips,); higher is more salient; NaN never occurs."""
    rule: Rule = "top"
    """How K clips are taken from the scores (:mod:`salientclips.ranking`)."""
    features_used: tuple[str, ...] = ()
    """What was read, with the back end, for example ``"md (decoded)"``."""
    warnings: tuple[str, ...] = ()
    """What went wrong without stopping the work, one line each."""
    seconds: dict[str, float] = field(default_factory=dict, compare=False)
    """Time spent by part: ``demux``, ``features``, ``sampler``."""
    streams: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    """Saliency by stream (num_clips,) each, where the sampler is a learned one: ``md``, ``rgbr``, ``stats``, ``if``,
    ``motion``, ``packets``, their mean ``visual``, and ``audio``. NaN where a clip had nothing of the stream."""

    def __len__(self) -> int:
        return len(self.scores)

    def __eq__(self, other: object) -> bool:
        """Whether all but the time spent is the same, the scores bit for bit."""
        if not isinstance(other, ClipScores):
            return NotImplemented
        names = [f.name for f in fields(self) if f.compare and f.name not in ("scores", "streams")]
        same = all(getattr(self, name) == getattr(other, name) for name in names)
        return same and self._bits() == other._bits()

    def _bits(self) -> tuple[bytes, dict[str, bytes]]:
        # There are many NaNs and one meaning: 0/0 gives another one than a file that is read back.
        same_nan = {name: np.where(np.isnan(v), np.nan, v) for name, v in self.streams.items()}
        return self.scores.tobytes(), {name: values.tobytes() for name, values in same_nan.items()}

    def __hash__(self) -> int:
        """By file and sampler; scores that are equal have the same."""
        return hash((self.fingerprint, self.sampler, len(self)))

    def select(
        self,
        k: int = 10,
        *,
        min_gap_s: float = 0.0,
        coverage: float = 0.0,
        threshold: float | None = None,
    ) -> Selection:
        """The K clips worth looking at, most salient first. Costs nothing: the scores are there.

        Args:
            k: Clips wanted (K of the paper).
            min_gap_s: Seconds that must lie between two selected clips (temporal non-maximum suppression).
            coverage: Share of the K places, 0 to 1, that goes to the best clip of each of equally long
                parts of the video; the other places go by score alone.
            threshold: Clips whose score is below it are never selected.

        Returns:
            The selection; with fewer than K clips it says so in ``note``. Equal scores rank by time.

        Raises:
            InputError: An argument is out of range.

        Example:
            >>> from salientclips import score
            >>> scores = score("climb.mp4", "uniform")
            >>> [(clip.rank, clip.start_s) for clip in scores.select(k=2).clips]
            [(1, 1.0666666666666667), (2, 5.333333333333333)]
            >>> scores.select(k=20).note
            '8 of 20 clips selected: the video has 8 clips'
        """
        chosen = choose(
            self.scores,
            self.grid,
            k,
            rule=self.rule,
            min_gap_s=min_gap_s,
            coverage=coverage,
            threshold=threshold,
            streams=self.streams,
            visual_share=float(self.sampler_parameters.get("visual_share", VISUAL_SHARE)),
        )
        clips = tuple(
            SelectedClip(rank, i, self.grid.starts[i], self.grid.ends[i], float(self.scores[i]))
            for rank, i in enumerate(chosen.indices, start=1)
        )
        return Selection(self, k, clips, chosen.note)

    def plot(self, ax: Axes | None = None, *, k: int | None = None) -> Axes:
        """Draw the scores over time with matplotlib (the extra ``plots``).

        Args:
            ax: Where to draw; None for a new figure.
            k: If given, the top K clips are marked with their ranks.

        Returns:
            matplotlib's axes, time in seconds along x.

        Raises:
            MissingExtraError: matplotlib is not installed.
            InputError: ``k`` is less than 1.
        """
        return cast("Axes", _upstairs("outputs.plot").plot_scores(self, ax, k))

    def _repr_html_(self) -> str:
        """What a notebook shows: the curve, as inline SVG."""
        return cast(str, _upstairs("outputs.notebook").scores_html(self))


@dataclass(frozen=True)
class SelectedClip:
    """One clip that was chosen."""

    rank: int
    """Place in order of saliency; 1 is the most salient."""
    index: int
    """Which clip of the grid."""
    start: Fraction
    """Seconds on the timeline, exact."""
    end: Fraction
    """Seconds on the timeline, exact, not included."""
    score: float
    """The clip's saliency."""

    @property
    def start_s(self) -> float:
        """Start, seconds."""
        return float(self.start)

    @property
    def end_s(self) -> float:
        """End, seconds."""
        return float(self.end)


@dataclass(frozen=True)
class Selection:
    """The clips worth looking at, in rank order.

    Example:
        >>> from salientclips import score
        >>> selection = score("climb.mp4").select(k=3)
        >>> [clip.rank for clip in selection.clips], selection.note
        ([1, 2, 3], '')
    """

    scores: ClipScores
    """What was selected from."""
    k: int
    """How many were asked for; ``len(clips)`` may be fewer."""
    clips: tuple[SelectedClip, ...]
    """The clips, most salient first."""
    note: str = ""
    """Says so where fewer than K clips were found, and why; else empty."""

    def export(self, path: str | Path, format: str | None = None) -> Any:
        """Write the selection as a file that another tool reads: :func:`salientclips.export`.

        Args:
            path: Where to.
            format: csv, json, parquet, webvtt, ffmetadata, otio, edl, fiftyone, label-studio, ffmpeg or
                ffmpeg-filter; None goes by the suffix.

        Returns:
            What was written (:class:`salientclips.outputs.exports.Exported`).

        Example:
            >>> from salientclips import score
            >>> score("climb.mp4").select(k=3).export("best.csv").format
            'csv'
        """
        return _upstairs("outputs.exports").export(self, path, format)

    def to_qwen3vl(self, num_frames: int = 32, *, size: int | tuple[int, int] | None = None) -> Any:
        """Frames with true times for Qwen3-VL: :func:`salientclips.adapters.qwen.to_qwen3vl`.

        Args:
            num_frames: Frames wanted in all, spread over the best clips in pairs.
            size: Length of the shorter side, or (height, width); None keeps the size. Pixels.

        Returns:
            Frames uint8 (T, 3, H, W), and the metadata for ``video_metadata``.
        """
        return _upstairs("adapters.qwen").to_qwen3vl(self, num_frames, size=size)

    def show(self, *, threads: int = 1) -> Shown:
        """Show the clips in a notebook: the curve, the marks, and a moving thumbnail of each clip.

        Args:
            threads: Decoder threads.

        Returns:
            What Jupyter displays as the last line of a cell; its ``html`` is the fragment.

        Raises:
            MediaError: The video cannot be read any more.
        """
        return cast("Shown", _upstairs("outputs.notebook").show(self, threads=threads))

    def _repr_html_(self) -> str:
        """What a notebook shows: the curve with the marks, and a table; nothing is decoded for it."""
        return cast(str, _upstairs("outputs.notebook").selection_html(self))


@dataclass(frozen=True)
class Shown:
    """Something to look at in a notebook."""

    html: str
    """A fragment of HTML that needs nothing from elsewhere."""

    def _repr_html_(self) -> str:
        return self.html


@dataclass(frozen=True)
class Prediction:
    """One class and how likely it is."""

    label: str
    """Name of the class."""
    probability: float
    """How likely it is, 0 to 1."""


@dataclass(frozen=True)
class VideoPrediction:
    """The label of a video: the mean of the class probabilities of the clips looked at."""

    path: Path
    """The video."""
    strategy: str
    """How the clips were chosen: sampler, dense, uniform, random, empirical or oracle."""
    k: int
    """Clips asked for; for ``dense`` the number of clips of the video."""
    classifier: str
    """Name of the clip classifier."""
    predictions: tuple[Prediction, ...]
    """All classes, most probable first; equal ones in order of class index."""
    clips: tuple[SelectedClip, ...]
    """The clips looked at."""
    seconds: dict[str, float] = field(default_factory=dict, compare=False)
    """Time spent by part: ``demux``, ``features``, ``sampler``, ``decode``, ``classifier``."""
    gflops: float | None = None
    """Cost of the classifier over the clips looked at, 10^9 multiply-adds; None where it is not known."""
    note: str = ""
    """Says so where fewer than K clips were looked at, and why; else empty."""
    warnings: tuple[str, ...] = ()
    """What went wrong without stopping the work, one line each."""


def _upstairs(module: str) -> Any:
    """A module of a higher floor, for methods that only pass a value on, when they are called: imports run down."""
    return import_module(f"salientclips.{module}")
