"""The verb ``demo``: a video whose salient part is known, and the main job run on it.

It needs no download and no file of the user's, so that the first command of the README works anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import InputError
from ..media.synthetic import DemoScene, write_demo_video
from ..types import SelectedClip, Selection
from ..whole_file import whole_file
from .score import score


@dataclass(frozen=True)
class DemoOutcome:
    """What the demo hid, and what was found."""

    duration_s: float
    """Length of the video."""
    true_start_s: float
    """When the salient part begins."""
    true_end_s: float
    """When it ends."""
    selection: Selection
    """The clips that were selected."""

    @property
    def hits(self) -> int:
        """Selected clips that overlap the salient part."""
        return sum(self._overlaps(clip) for clip in self.selection.clips)

    def _overlaps(self, clip: SelectedClip) -> bool:
        return clip.start_s < self.true_end_s and clip.end_s > self.true_start_s


def run_demo(keep: Path | None = None, k: int = 4) -> DemoOutcome:
    """Make the video, score it with the default sampler and select its best clips.

    Args:
        keep: Where to keep the video (an ``.mp4``); None to throw it away.
        k: Clips to select; the salient part fills about four.

    Returns:
        What was hidden and what was found.

    Raises:
        InputError: The video cannot be written to ``keep``.
    """
    scene = DemoScene()
    with TemporaryDirectory(prefix="salientclips-") as folder:
        path = keep or Path(folder) / "demo.mp4"
        try:
            with whole_file(path) as beside:
                write_demo_video(beside, scene)
        except ValueError as error:
            raise InputError(f"'{path}' is no video by its name", "let it end in .mp4") from error
        selection = score(path).select(k)
    return DemoOutcome(scene.duration_s, scene.salient_start_s, scene.salient_end_s, selection)
