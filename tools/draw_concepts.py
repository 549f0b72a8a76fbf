"""Draws the pictures of docs/concepts.md into docs/pictures/.

    PYTHONPATH=src python tools/draw_concepts.py

Motion displacements, residuals and saliency are real: the package reads them from the demo's video, made anew. The
other drawings are schemes. Plain SVG, black on a white card, so that they can be read on a light and on a dark page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from salientclips import ClipScores, score
from salientclips.compressed.features import remove_camera_motion
from salientclips.compressed.reader import FeatureReader
from salientclips.media.demux import read_packets
from salientclips.media.synthetic import DemoScene, write_demo_video
from salientclips.types import ClipFeatures, FeatureParameters

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
WIDTH = 480
INK, SOFT, LINE = "#1f2328", "#656d76", "#8c959f"
BLUE, ORANGE, GREEN, PALE = "#0969da", "#d1570a", "#1a7f37", "#eaeef2"
FONT = "font-family='Helvetica,Arial,sans-serif'"
Grid = npt.NDArray[np.float32]


def card(name: str, what: str, height: int, parts: Sequence[str]) -> None:
    """Write one drawing on a white card; ``what`` is read aloud to who cannot see it."""
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' height='{height}' "
        f"role='img' {FONT} font-size='14' fill='{INK}'>\n<title>{escape(what)}</title>\n"
        f"<rect x='.5' y='.5' width='{WIDTH - 1}' height='{height - 1}' rx='6' fill='#fff' stroke='#d0d7de'/>\n"
        f"<defs><marker id='tip' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' "
        f"orient='auto-start-reverse'><path d='M0 0L8 4L0 8z' fill='{INK}'/></marker></defs>\n"
    )
    (FOLDER / f"{name}.svg").write_text(head + "\n".join(parts) + "\n</svg>\n", encoding="utf-8")


def text(x: float, y: float, words: str, *, at: str = "start", fill: str = INK, bold: bool = False) -> str:
    """A line of words; ``at`` is start, middle or end."""
    weight = " font-weight='bold'" if bold else ""
    return f"<text x='{x:g}' y='{y:g}' text-anchor='{at}' fill='{fill}'{weight}>{escape(words)}</text>"


def box(x: float, y: float, width: float, height: float, fill: str, stroke: str = "none") -> str:
    """A rectangle."""
    place = f"x='{x:.2f}' y='{y:.2f}' width='{width:.2f}' height='{height:.2f}'"
    return f"<rect {place} fill='{fill}' stroke='{stroke}'/>"


def arrow(path: str) -> str:
    """A line along ``path`` with a tip at its end."""
    return f"<path d='{path}' fill='none' stroke='{INK}' marker-end='url(#tip)'/>"


def brace(left: float, right: float, y: float, words: str, fill: str = INK) -> Iterator[str]:
    """A bracket below a stretch, and what it is."""
    yield f"<path d='M{left} {y}v6H{right}v-6' fill='none' stroke='{fill}'/>"
    yield text((left + right) / 2, y + 23, words, at="middle", fill=fill)


def draw_clip() -> None:
    """Source frames, those that a classifier looks at, and clips one after the other."""
    parts = [text(20, 28, "source frames"), text(460, 28, "102 frames at 30 frames/s", at="end", fill=SOFT)]
    step, ends = 440 / 102, (0, 32, 64, 102)
    for frame in range(102):
        looked_at = frame < 32 and frame % 2 == 0
        parts.append(box(20 + frame * step, 38, step * 0.75, 34, BLUE if looked_at else "#c8d1da"))
    for number, (first, stop) in enumerate(pairwise(ends)):
        left, right = 20 + first * step + 1, 20 + stop * step - 2
        parts += brace(left, right, 78, f"clip {number}")
        parts.append(
            text((left + right) / 2, 120, f"{first / 30:.2f} to {stop / 30:.2f} s", at="middle", fill=SOFT)
        )
    parts.append(
        text(20, 148, "Blue: the 16 frames, at step 2, that a classifier looks at in clip 0.", fill=BLUE)
    )
    parts.append(text(20, 168, "The last 6 frames are less than half a clip: they join clip 2."))
    card("clip", "A video of 102 frames as three clips of 32, 32 and 38 frames", 182, parts)


def draw_gop() -> None:
    """A GOP as x264 makes it, in display order, with what is predicted from what."""
    types, width = "IbbPbbPbbPI", 32
    centre = [20 + i * 41 + width / 2 for i in range(len(types))]
    parts = []
    for i, kind in enumerate(types):
        fill = {"I": "#ffd8b5", "P": "#b6d9ff", "b": "#fff"}[kind]
        parts.append(box(centre[i] - width / 2, 84, width, 40, fill, LINE))
        parts.append(text(centre[i], 109, kind.upper(), at="middle", bold=kind != "b"))
    for left, right in ((0, 3), (3, 6), (6, 9)):
        middle = (centre[left] + centre[right]) / 2
        parts.append(arrow(f"M{centre[left]} 82Q{middle} 18 {centre[right] - 2} 82"))
    for b, anchors in ((4, (3, 6)), (5, (3, 6))):
        for anchor in anchors:
            parts.append(
                f"<path d='M{centre[anchor]} 126Q{(centre[anchor] + centre[b]) / 2} 150 {centre[b]} 126' fill='none' "
                f"stroke='{LINE}' stroke-dasharray='3 3'/>"
            )
    parts += [
        text(20, 28, "P from the past"),
        text(centre[5] - 20, 164, "B from past and future", at="middle", fill=SOFT),
    ]
    parts += brace(
        centre[0] - 16, centre[9] + 16, 172, "one GOP: 10 frames here, up to 250 by x264's defaults"
    )
    parts.append(text(20, 224, "Only an I-frame can be decoded alone. Motion is read from P-frames."))
    card(
        "gop",
        "A group of pictures: an I-frame, P-frames predicted from the past, B-frames from both sides",
        240,
        parts,
    )


@dataclass(frozen=True)
class Panel:
    """A picture of 20 x 15 cells at a place of the card."""

    left: float
    top: float = 44
    cell: float = 10.8

    def frame(self, title: str) -> list[str]:
        """The border and what it shows."""
        width, height = 20 * self.cell, 15 * self.cell
        return [
            f"<rect x='{self.left}' y='{self.top}' width='{width}' height='{height}' fill='none' stroke='{LINE}'/>",
            text(self.left, self.top - 10, title),
        ]

    def thing(self, scene: DemoScene, time_s: float) -> str:
        """The outline of what moves in the demo's video (media/synthetic.py)."""
        side, scale = 56, self.cell / 16
        left = (scene.width_px - side) * (0.5 + 0.35 * np.cos(5 * time_s))
        top = (scene.height_px - side) * (0.5 + 0.35 * np.sin(5 * time_s))
        x, y = self.left + left * scale, self.top + top * scale
        return (
            f"<rect x='{x:.2f}' y='{y:.2f}' width='{side * scale:.2f}' height='{side * scale:.2f}' fill='none' "
            f"stroke='{ORANGE}' stroke-width='2'/>"
        )

    def arrows(self, md: Grid, valid: npt.NDArray[np.bool_], scale: float) -> str:
        """Displacements (2, h, w) as lines from the middle of each cell."""
        lines = []
        for y, x in np.argwhere(valid):
            u, v = md[0, y, x] * scale, md[1, y, x] * scale
            px, py = self.left + (x + 0.5) * self.cell, self.top + (y + 0.5) * self.cell
            lines.append(f"M{px:.1f} {py:.1f}l{u:.1f} {v:.1f}M{px - 1:.1f} {py:.1f}h2")
        return f"<path d='{''.join(lines)}' fill='none' stroke='{BLUE}' stroke-width='1.2'/>"

    def cells(self, colours: Sequence[Sequence[str]]) -> list[str]:
        """A colour a cell."""
        return [
            box(self.left + x * self.cell, self.top + y * self.cell, self.cell, self.cell, colour)
            for y, row in enumerate(colours)
            for x, colour in enumerate(row)
        ]


def draw_motion(scene: DemoScene, clip: ClipFeatures) -> None:
    """MD of one P-frame, and what is left of it without the camera."""
    assert clip.md is not None
    assert clip.md_valid is not None
    time_s = float(clip.times[0])
    own = remove_camera_motion(clip.md, clip.md_valid)
    longest = float(np.hypot(*clip.md[0]).max())
    left, right = Panel(16), Panel(248)
    parts = left.frame("as the encoder wrote it") + right.frame("without the camera")
    for panel, md in ((left, clip.md[0]), (right, own[0])):
        parts += [panel.arrows(md, clip.md_valid[0], 24 / longest), panel.thing(scene, time_s)]
    parts.append(
        text(16, 230, f"One P-frame, at {time_s:.2f} s. From the dot in each cell of 16 x 16 pixels:")
    )
    parts.append(text(16, 250, f"how its content moves, at most {longest:.1f} pixels per frame."))
    parts.append(text(16, 270, "Orange: the thing that moves in this made-up video.", fill=ORANGE))
    card(
        "motion_displacement",
        "Motion displacements of one P-frame, with and without the camera's",
        284,
        parts,
    )


def draw_residual(scene: DemoScene, clip: ClipFeatures) -> None:
    """RGB-R of one P-frame, and its energy."""
    assert clip.rgbr is not None
    assert clip.energy is not None
    time_s = float(clip.times[0])
    mean, root = clip.rgbr[0].mean(axis=0), np.sqrt(clip.energy[0])
    left, right = Panel(16), Panel(248)
    top = float(np.abs(mean).max())
    parts = left.cells([[_signed(v / top) for v in row] for row in mean])
    parts += right.cells([[_warm(v / float(root.max())) for v in row] for row in root])
    parts += left.frame("RGB-R: the mean") + right.frame("energy: the mean square")
    parts += [left.thing(scene, time_s), right.thing(scene, time_s)]
    parts.append(text(16, 230, "The same P-frame. Left: blue is darker than motion predicted, red"))
    parts.append(
        text(16, 250, f"lighter, at most by {top:.0f} of 255 levels. Right: the energy's root, white 0,")
    )
    parts.append(
        text(16, 270, f"darkest {root.max():.0f}. New is what comes in at the left edge, and around")
    )
    parts.append(text(16, 290, "the thing that moves (orange), what it covers and uncovers."))
    card("residual", "Residuals of one P-frame: mean and energy of each cell", 304, parts)


def _signed(share: float) -> str:
    """White at 0, blue at -1, red at 1; the root shows small values."""
    fade = 255 - round(200 * min(abs(share), 1.0) ** 0.5)
    return f"#{fade:02x}{fade:02x}ff" if share < 0 else f"#ff{fade:02x}{fade:02x}"


def _warm(share: float) -> str:
    """White at 0, brown at 1."""
    low, high = np.array([255, 255, 255]), np.array([140, 45, 4])
    return "#" + "".join(f"{round(v):02x}" for v in low + (high - low) * share)


def draw_saliency(scene: DemoScene, scores: ClipScores, k: int = 4) -> None:
    """The saliency of every clip of the demo's video, and the K best."""
    chosen = {clip.index: clip.rank for clip in scores.select(k).clips}
    left, bottom, tall, highest = 44, 176, 120, float(scores.scores.max())
    scale = 420 / scene.duration_s
    spans = (scene.salient_start_s, scene.salient_end_s - scene.salient_start_s)
    parts = [box(left + spans[0] * scale, bottom - tall - 12, spans[1] * scale, tall + 12, "#fdebd9")]
    for i, value in enumerate(scores.scores):
        x, width = (
            left + scores.grid.start_s[i] * scale,
            (scores.grid.end_s[i] - scores.grid.start_s[i]) * scale,
        )
        height = max(tall * value / highest, 1.0)
        parts.append(box(x + 0.7, bottom - height, width - 1.4, height, BLUE if i in chosen else "#b1bac4"))
        if i in chosen:
            parts.append(
                text(x + width / 2, bottom - height - 4, str(chosen[i]), at="middle", fill=BLUE, bold=True)
            )
    parts.append(
        f"<path d='M{left} {bottom - tall - 12}V{bottom}H{left + 420}' fill='none' stroke='{LINE}'/>"
    )
    parts += [
        text(left - 6, bottom + 4, "0", at="end"),
        text(left - 6, bottom - tall + 6, f"{highest:.2f}", at="end"),
    ]
    for second in range(0, scene.duration_s + 1, 10):
        parts.append(
            text(left + second * scale, bottom + 20, f"{second} s", at="middle" if second < 40 else "end")
        )
    parts.append(text(12, 24, "saliency of each clip, by the sampler motion"))
    parts.append(text(12, 222, f"Blue: the {k} best clips, with their ranks.", fill=BLUE))
    parts.append(text(12, 242, "Shaded: when something moves in this made-up video.", fill=ORANGE))
    card("saliency", "Saliency of the clips of the demo's video over time, the best four marked", 256, parts)


def draw_oracle() -> None:
    """Which three of twelve clips each strategy takes, over f's probability of the true class (a scheme)."""
    truth = (0.05, 0.08, 0.06, 0.1, 0.55, 0.9, 0.8, 0.3, 0.12, 0.05, 0.65, 0.07)
    rows = {
        "dense": tuple(range(12)),
        "uniform": (2, 6, 10),
        "random": (0, 3, 8),
        "sampler": (4, 5, 7),
        "oracle": (5, 6, 10),
    }
    left, step, bottom = 92, 31, 112
    parts = [text(12, 24, "f's probability of the true class, clip by clip (made up)")]
    for i, value in enumerate(truth):
        parts.append(box(left + i * step + 2, bottom - 70 * value, step - 4, 70 * value, "#ffb77c"))
    parts.append(f"<path d='M{left} {bottom}h{12 * step}' stroke='{LINE}'/>")
    for number, (name, taken) in enumerate(rows.items()):
        y = bottom + 26 + number * 25
        parts.append(text(12, y + 5, name, bold=name == "oracle"))
        for i in range(12):
            fill = (GREEN if name == "oracle" else BLUE) if i in taken else PALE
            parts.append(box(left + i * step + 2, y - 8, step - 4, 16, fill))
    parts.append(text(12, 268, "K = 3. The oracle takes the clips on which f is surest of the truth:"))
    parts.append(text(12, 288, "it must know the truth and ask f about all. A bound, not a way to go."))
    card("oracle", "Which clips the strategies dense, uniform, random, sampler and oracle take", 302, parts)


def main() -> None:
    """Draw them all."""
    FOLDER.mkdir(exist_ok=True)
    draw_clip()
    draw_gop()
    draw_oracle()
    scene = DemoScene()
    with TemporaryDirectory() as folder:
        video = Path(folder) / "demo.mp4"
        write_demo_video(video, scene)
        table = read_packets(video)
        scores = score(video, "motion")
        draw_saliency(scene, scores)
        best = scores.select(1).clips[0].index
        for clip in FeatureReader(video, table, scores.grid).read(FeatureParameters(1, ("md", "rgbr"))):
            if clip.index == best:
                draw_motion(scene, clip)
                draw_residual(scene, clip)


if __name__ == "__main__":
    main()
