"""Scores and selections in a notebook: small HTML with inline SVG, without matplotlib and without a network.

What Jupyter shows for ``scores`` and ``selection`` on the last line of a cell. ``Selection.show()`` adds moving
thumbnails of the clips, for which their frames are decoded. Colours follow the notebook's own text colour, so
both its themes work. A page with a player is :func:`salientclips.write_report`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..media.demux import read_packets
from ..types import ClipScores, SelectedClip, Selection, Shown
from .report.collect import clock, span
from .report.curve import HEIGHT, WIDTH, curve
from .report.thumbnails import LOOP_FRAMES, Loops, data_uri

_CURVE, _MARK = "#1f83c4", "#d55e00"
_SHOWN_LOOPS = 24
_TICK_STEPS_S = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


def scores_html(scores: ClipScores) -> str:
    """The curve of some scores.

    Args:
        scores: The scores of a video.

    Returns:
        A fragment of HTML.
    """
    head = f"<b>{escape(scores.path.name)}</b>: {len(scores):,} clips scored by {escape(scores.sampler)}"
    return f"<div>{head}{_svg(scores, ())}</div>"


def selection_html(selection: Selection) -> str:
    """The curve with the selected clips marked, and a table of them.

    Args:
        selection: The clips chosen.

    Returns:
        A fragment of HTML.
    """
    rows = "".join(
        f"<tr><td>{c.rank}</td><td>{clock(c.start_s)}</td><td>{clock(c.end_s)}</td><td>{c.score:.4g}</td></tr>"
        for c in selection.clips
    )
    head = "<tr><th>rank</th><th>start</th><th>end</th><th>score</th></tr>"
    return (
        f"<div>{_title(selection)}{_svg(selection.scores, selection.clips)}<table>{head}{rows}</table></div>"
    )


def show(selection: Selection, *, threads: int = 1) -> Shown:
    """The curve with the selected clips marked, and a moving thumbnail of each.

    Args:
        selection: The clips chosen; the best 24 get a thumbnail.
        threads: Decoder threads.

    Returns:
        What a notebook displays.

    Raises:
        MediaError: The video cannot be read any more.
    """
    path = selection.scores.path
    cards = []
    with Loops(path, read_packets(path), threads) as loops:
        for clip in selection.clips[:_SHOWN_LOOPS]:
            still = loops.loop(clip.start, clip.end)
            cards.append(_card(clip, "" if still is None else data_uri(still)))
    style = (
        "<style>@keyframes salientclips-along{to{transform:translateX(-100%)}}"
        f".salientclips-loop{{animation:salientclips-along 1.6s steps({LOOP_FRAMES}) infinite}}"
        "@media(prefers-reduced-motion:reduce){.salientclips-loop{animation:none}}</style>"
    )
    grid = "display:flex;flex-wrap:wrap;gap:10px;margin-top:8px"
    body = f'{_svg(selection.scores, selection.clips)}<div style="{grid}">{"".join(cards)}</div>'
    return Shown(f"<div>{style}{_title(selection)}{body}</div>")


def _title(selection: Selection) -> str:
    scores = selection.scores
    note = f"<br>{escape(selection.note)}" if selection.note else ""
    found = f"{len(selection.clips)} of {len(scores):,} clips by {escape(scores.sampler)}"
    return f"<b>{escape(scores.path.name)}</b>: {found}{note}"


def _card(clip: SelectedClip, uri: str) -> str:
    picture = ""
    if uri:
        size = f"display:block;max-width:none;margin:0;width:{100 * LOOP_FRAMES}%"
        picture = f'<img class="salientclips-loop" alt="" src="{uri}" style="{size}">'
    caption = f"<b>{clip.rank}</b> · {clock(clip.start_s)} · {clip.score:.4g}"
    box = "width:180px;overflow:hidden;border-radius:6px"
    return f'<div style="width:180px"><div style="{box}">{picture}</div>{caption}</div>'


def _svg(scores: ClipScores, clips: tuple[SelectedClip, ...]) -> str:
    begin, end = span(scores)
    drawn = curve(scores.grid.start_s, scores.grid.end_s, scores.scores, begin, end)

    def x(time_s: float) -> float:
        return 100 * (time_s - begin) / (end - begin)

    marks = "".join(
        f'<rect x="{x(c.start_s):.3f}%" width="{max(x(c.end_s) - x(c.start_s), 0.15):.3f}%" y="14" height="86" '
        f'fill="{_MARK}" fill-opacity=".28"><title>{c.rank}: {clock(c.start_s)}</title></rect>'
        for c in clips
    )
    inner = (
        f'<svg x="0" y="16" width="100%" height="84" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">'
        f'<path d="{drawn.area}" fill="{_CURVE}" fill-opacity=".16"/>'
        f'<path d="{drawn.line}" fill="none" stroke="{_CURVE}" stroke-width="1.5" '
        'vector-effect="non-scaling-stroke"/></svg>'
    )
    text = 'font-size="11" fill="currentColor"'
    ranks = "".join(
        f'<text x="{x((c.start_s + c.end_s) / 2):.3f}%" y="11" text-anchor="middle" {text}>{c.rank}</text>'
        for c in with_room(clips, 0.02 * (end - begin))
    )
    step = next((s for s in _TICK_STEPS_S if (end - begin) / s <= 9), (end - begin) / 8)
    first = -int(-begin // step)
    axis = "".join(
        f'<text x="{x(i * step):.3f}%" y="114" {text}>{clock(i * step)}</text>'
        for i in range(first, int(end / step) + 1)
        if x(i * step) < 95
    )
    name = escape(f"Saliency of {scores.path.name} over time", quote=True)
    return (
        f'<svg role="img" aria-label="{name}" width="100%" height="118" '
        f'style="display:block;max-width:960px;overflow:visible">{marks}{inner}{ranks}{axis}</svg>'
    )


def with_room(clips: Sequence[SelectedClip], apart_s: float) -> list[SelectedClip]:
    """Those whose rank can be written without covering a better one's.

    Args:
        clips: In rank order.
        apart_s: What a number takes of the time line, seconds.

    Returns:
        Some of them, in rank order.
    """
    kept: list[SelectedClip] = []
    for clip in clips:
        if all(abs(clip.start_s - other.start_s) >= apart_s for other in kept):
            kept.append(clip)
    return kept
