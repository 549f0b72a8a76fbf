"""What the server of ``view`` knows of its video: every sampler's scores, and how to make what the page asks for.

Scores are put in once; every selection, mix and download is made from them, and no feature is read again. Methods may
be called from several threads at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from threading import Lock
from typing import Any

import numpy as np

from ...errors import InputError, UnknownNameError
from ...media.stills import Still
from ...ranking import with_median
from ...samplers.combine import combine
from ...types import ClipScores, PacketTable, SelectedClip, Selection
from .collect import bottom, lanes
from .data import ShownClip
from .downloads import DOWNLOADS, Download, download
from .page import clip_json, lane_json
from .thumbnails import LOOP_FRAMES, Loops

_MOST_CLIPS = 1_000_000
"""More than this cannot be asked for; days of video have fewer."""
_KEPT_LOOPS = 512
"""Loops kept in memory, about 15 kB each."""


@dataclass(frozen=True)
class Wish:
    """What the viewer asks to be selected."""

    sampler: str
    """Who is to score."""
    k: int
    """Clips wanted."""
    min_gap_s: float
    """Seconds that must lie between two selected clips."""
    mix: float | None
    """Share of the sound in the score, 0 to 1; None for the sampler's own combination."""

    @classmethod
    def parse(cls, words: Mapping[str, str]) -> Wish:
        """Read a wish from the words of an address.

        Args:
            words: ``sampler``, ``k``, ``min_gap`` (seconds), and ``mix`` where it is wanted.

        Returns:
            The wish.

        Raises:
            InputError: A word is missing or is no number, or a number is out of range.
        """
        try:
            mix = float(words["mix"]) if "mix" in words else None
            wish = cls(words["sampler"], int(words["k"]), float(words["min_gap"]), mix)
        except (KeyError, ValueError) as error:
            raise InputError(f"the request is not understood ({error})", "reload the page") from error
        is_mix = mix is None or 0 <= mix <= 1
        if not isfinite(wish.min_gap_s) or wish.k > _MOST_CLIPS or not is_mix:
            raise InputError("a number of the request is out of range", "reload the page")
        return wish


class Session:
    """One video under view.

    Args:
        first: Scores that are there from the start; all others must be of the same clips.
        table: The packet table of the video.
        samplers: Names of all samplers that will be there.
        threads: Decoder threads.
    """

    def __init__(
        self, first: ClipScores, table: PacketTable, samplers: tuple[str, ...], threads: int = 1
    ) -> None:
        self.path, self.samplers = first.path, samplers
        self._lock, self._decoding = Lock(), Lock()
        self._scores, self._failed = {first.sampler: first}, dict[str, str]()
        self._made: dict[int, Still | None] = {}
        self._loops = Loops(first.path, table, threads)
        self._grid = first.grid

    def close(self) -> None:
        """Close the video."""
        with self._decoding:
            self._loops.close()

    def add(self, scores: ClipScores) -> None:
        """Put in what another sampler says.

        Args:
            scores: Of the same clips.
        """
        with self._lock:
            self._scores[scores.sampler] = scores

    def fail(self, sampler: str, reason: str) -> None:
        """Note that a sampler cannot score this video.

        Args:
            sampler: Its name.
            reason: Why, in one line.
        """
        with self._lock:
            self._failed[sampler] = reason

    def state(self) -> dict[str, Any]:
        """Which samplers are there.

        Returns:
            ``ready``, a list of names, and ``failed``, reasons by name.
        """
        with self._lock:
            return {"ready": list(self._scores), "failed": dict(self._failed)}

    def select(self, wish: Wish) -> Selection:
        """The clips that the viewer asks for.

        Args:
            wish: What is wanted.

        Returns:
            The selection, with the scores that it was made by.

        Raises:
            UnknownNameError: The sampler's scores are not there.
            InputError: A number is out of range, or there is nothing to be mixed.
        """
        with self._lock:
            known = dict(self._scores)
        if wish.sampler not in known:
            raise UnknownNameError("sampler", wish.sampler, tuple(known))
        scores = known[wish.sampler]
        if wish.mix is not None:
            scores = mixed(scores, wish.mix)
        return scores.select(wish.k, min_gap_s=wish.min_gap_s)

    def answer(self, wish: Wish, with_curves: bool) -> dict[str, Any]:
        """What the page shows of a selection.

        Args:
            wish: What is wanted.
            with_curves: Whether the curves and scores may have changed since the page last asked.

        Returns:
            A JSON-able object.

        Raises:
            InputError: As for :meth:`select`.
        """
        selection = self.select(wish)
        scores = selection.scores
        lowest = bottom(scores, len(selection.clips), wish.min_gap_s, {c.index for c in selection.clips})
        found: dict[str, Any] = {
            "top": [clip_json(_shown(clip)) for clip in selection.clips],
            "bottom": [clip_json(_shown(clip)) for clip in lowest],
            "note": selection.note,
            "can_mix": can_mix(scores),
        }
        if with_curves:
            found["lanes"] = [lane_json(lane) for lane in lanes(scores)]
            found["scores"] = [float(f"{value:.5g}") for value in scores.scores.tolist()]
        return found

    def loop(self, index: int) -> Still | None:
        """The moving thumbnail of a clip; decoded when it is first asked for.

        Args:
            index: Which clip.

        Returns:
            Frames side by side; None where there is no such clip or nothing of it can be decoded.
        """
        if not 0 <= index < len(self._grid):
            return None
        with self._decoding:
            if index not in self._made:
                while len(self._made) >= _KEPT_LOOPS:
                    del self._made[next(iter(self._made))]
                self._made[index] = self._loops.loop(self._grid.starts[index], self._grid.ends[index])
            return self._made[index]

    def download(self, format: str, wish: Wish) -> Download | None:
        """A selection as a file.

        Args:
            format: One of ``DOWNLOADS``.
            wish: What is to be selected.

        Returns:
            The file; None where there is no such format.

        Raises:
            SalientClipsError: As for :meth:`select`, or the format cannot hold this video.
        """
        return download(self.select(wish), format) if format in DOWNLOADS else None


def can_mix(scores: ClipScores) -> bool:
    """Whether scores have both pictures and sound to be mixed.

    Args:
        scores: The scores of a video.

    Returns:
        True where both streams say something of at least one clip.
    """
    return all(
        name in scores.streams and not np.isnan(scores.streams[name]).all() for name in ("visual", "audio")
    )


def mixed(scores: ClipScores, sound: float) -> ClipScores:
    """Scores made anew from their streams, by the paper's AV-convex-score.

    Args:
        scores: The scores of a video.
        sound: Weight of the audio stream, 0 to 1; the visual one has the rest.

    Returns:
        Scores of the same clips, chosen from by the rule ``top``. A clip that has neither stream gets the median.

    Raises:
        InputError: There is nothing to be mixed.
    """
    if not can_mix(scores):
        raise InputError(
            f"sampler {scores.sampler!r} has no pictures and sound to be mixed", "use one that hears"
        )
    weight = 1.0 - sound
    values = combine(
        "av-convex-score", scores.streams["visual"], scores.streams["audio"], visual_weight=weight
    )
    parameters = {**scores.sampler_parameters, "combination": "av-convex-score", "visual_weight": weight}
    return replace(scores, scores=with_median(values), rule="top", sampler_parameters=parameters)


def _shown(clip: SelectedClip) -> ShownClip:
    picture = f"loop/{clip.index}"
    return ShownClip(clip.rank, clip.index, clip.start_s, clip.end_s, clip.score, picture, LOOP_FRAMES)
