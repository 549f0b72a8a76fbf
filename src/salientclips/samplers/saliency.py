"""Runs a sampler's networks: features of clips in, one saliency a clip and stream out, the same bits every time.

The paper averages over the frames of a clip and over the visual streams (section 3.2). Under AC the averaged thing is
the softmax, and the saliency is the largest of the averaged probabilities; under SAL-CL it is the sigmoid; under
SAL-RANK the bare output.

Clips are computed in groups that depend on their place in the video alone, frames of a group in batches of fixed
size, groups side by side: convolutions add up in another order when the size of the batch changes. So the result does
not depend on the number of threads. Memory holds a few groups. Who computes the networks is not known here; see
networks.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from ..errors import WeightsError
from ..ranking import mean_of_those_there
from ..types import ClipFeatures
from .baselines import motion_of, packet_cost_of
from .card import Objective, SamplerCard, Stream, StreamCard
from .inputs import normalise, still_input, stream_input, without_repeats
from .layouts import outputs_of
from .networks import Networks, Scores

_RULES: dict[Stream, Callable[[ClipFeatures], float]] = {"motion": motion_of, "packets": packet_cost_of}
"""What the streams without a network say of a clip."""
_FRAMES_AT_ONCE: dict[Stream, int] = {"md": 32, "rgbr": 32, "stats": 32, "if": 4, "audio": 8}
"""Frames in a batch: beyond these nothing is gained on a CPU, and an I-frame has 256 times the places of a grid."""
_MOST_CLIPS_AT_ONCE = 32
_MOST_CLIPS_WITH_STILLS = 256
"""Where I-frames are all that networks look at: one stands for many clips, and each group judges its own."""


@dataclass(frozen=True)
class Runner:
    """The networks of a sampler, ready to be run."""

    card: SamplerCard
    """What they are."""
    networks: Networks
    """One a stream of the card."""
    threads: int | None = None
    """Groups of clips side by side on the CPU; None for what suits the engine. No bit of the result changes."""

    def run(self, clips: Iterable[ClipFeatures]) -> dict[str, Scores]:
        """Judge clips that stream past.

        Args:
            clips: The features of every clip, in order.

        Returns:
            Saliency by stream of the card, float64 (num_clips,) each, and ``visual``, the saliency of all visual
            networks together, where there is one; NaN where a clip had nothing of it.

        Raises:
            WeightsError: A network gives something that is not a finite number.
        """
        # 0 stands for all frames of a clip, as many as there are
        frames = self.card.frames_per_clip or _MOST_CLIPS_AT_ONCE
        looks_at_stills = [s.stream for s in self.card.networks] == ["if"]
        most = _MOST_CLIPS_WITH_STILLS if looks_at_stills else _MOST_CLIPS_AT_ONCE
        size = max(1, most // frames)
        groups = _groups(clips, size)
        names: list[str] = [s.stream for s in self.card.streams]
        if any(s.stream != "audio" for s in self.card.networks):
            names.append("visual")
        found = list(self._side_by_side(groups))
        empty = [np.zeros(0)]
        return {name: np.concatenate([group[name] for group in found] or empty) for name in names}

    def _side_by_side(self, groups: Iterator[list[ClipFeatures]]) -> Iterator[dict[str, Scores]]:
        waiting: deque[Future[dict[str, Scores]]] = deque()
        with self.networks.pool(self.threads) as pool:
            for group in groups:
                waiting.append(pool.executor.submit(self._judge, group))
                if len(waiting) > pool.workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _judge(self, clips: list[ClipFeatures]) -> dict[str, Scores]:
        """The saliency of a group of clips."""
        said = {s.stream: self._opinions(s, clips) for s in self.card.networks}
        found: dict[str, Scores] = {
            s.stream: _saliency(said[s.stream], s.objective) for s in self.card.networks
        }
        for stream in self.card.streams:
            if not stream.has_network:
                found[stream.stream] = np.array([_RULES[stream.stream](clip) for clip in clips])
        visual = [s for s in self.card.networks if s.stream != "audio"]
        if visual:
            together = mean_of_those_there(np.stack([said[s.stream] for s in visual]))
            found["visual"] = _saliency(together, visual[0].objective)
        return found

    def _opinions(self, stream: StreamCard, clips: list[ClipFeatures]) -> Scores:
        """What the network of one stream says of each clip, averaged over its frames: (num_clips, num_outputs)."""
        side = self.card.short_side_cells
        if stream.stream == "if":
            counts = [0 if clip.iframes is None else len(clip.iframes) for clip in clips]
            said = self._of_stills(stream, [still for clip in clips for still in _stills(clip)])
        else:
            inputs = [stream_input(clip, stream.stream, short_side_cells=side) for clip in clips]
            counts = [len(frames) for frames in inputs]
            said = self._rows(stream, [frame for frames in inputs for frame in frames])
        found = np.full((len(clips), outputs_of(self.card, stream)), np.nan)
        for clip, count in enumerate(counts):
            if count > 0:
                rows = np.stack(list(islice(said, count)))
                found[clip] = activated(rows, stream.objective).mean(axis=0)
        return found

    def _of_stills(self, stream: StreamCard, stills: list[npt.NDArray[np.uint8]]) -> Iterator[Scores]:
        """Logits of each I-frame; one that stands for several clips in a row is judged once."""
        kept, places = without_repeats(stills)
        side = self.card.short_side_cells
        once = list(
            self._rows(stream, [still_input(still[None], short_side_cells=side)[0] for still in kept])
        )
        yield from (once[place] for place in places)

    def _rows(self, stream: StreamCard, frames: list[npt.NDArray[np.float32]]) -> Iterator[Scores]:
        """Logits of each frame; consecutive frames of one size go together."""
        done = 0
        while done < len(frames):
            batch = [frames[done]]
            for frame in frames[done + 1 : done + _FRAMES_AT_ONCE[stream.stream]]:
                if frame.shape != batch[0].shape:
                    break  # the picture size changed
                batch.append(frame)
            shown = normalise(np.stack(batch), stream.mean, stream.std)
            logits = self.networks.logits(stream.stream, shown)
            if not np.isfinite(logits).all():
                raise WeightsError(
                    f"the {stream.stream} network of '{self.card.name}' gives what is no finite number",
                    "get the sampler again, or train it with a lower rate",
                )
            yield from logits
            done += len(batch)


def _stills(clip: ClipFeatures) -> npt.NDArray[np.uint8] | tuple[()]:
    return () if clip.iframes is None else clip.iframes


def _groups(clips: Iterable[ClipFeatures], size: int) -> Iterator[list[ClipFeatures]]:
    items = iter(clips)
    while group := list(islice(items, size)):
        yield group


def activated(logits: Scores, objective: Objective) -> Scores:
    """What is averaged over frames and networks.

    Args:
        logits: Of some frames (num_frames, outputs).
        objective: What the network learned.

    Returns:
        Probabilities (AC, SAL-CL) or the bare outputs (SAL-RANK), as many.
    """
    if objective == "ac":
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: Scores = powers / powers.sum(axis=1, keepdims=True)
        return probabilities
    if objective == "sal-cl":
        # by tanh, which never overflows
        return 0.5 + 0.5 * np.tanh(0.5 * logits)
    return logits


def _saliency(opinions: Scores, objective: Objective) -> Scores:
    """The largest probability under AC, else the one number; NaN stays (num_clips,)."""
    return opinions.max(axis=1) if objective == "ac" else opinions[:, 0]
