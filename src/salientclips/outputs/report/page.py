"""Writes the page: one HTML file with its style, its script and its pictures in it.

Everything that comes from a file or its name is escaped: text by Jinja's autoescape, data for the script as JSON in
which no ``<`` is left. The page forbids itself the network: its content security policy names the hashes of our own
script and style, allows pictures as data, and the video from where the page lies. Nothing is fetched from elsewhere.
"""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Any

from ...networks.extras import require
from .curve import HEIGHT, WIDTH
from .data import Lane, PageData, ShownClip

_DIGITS = 5
"""Significant digits of scores in the page; the exports have them all."""


def render(data: PageData) -> str:
    """Write a page.

    Args:
        data: All that is on it.

    Returns:
        HTML.

    Raises:
        MissingExtraError: Jinja2 is not installed (``pip install 'salientclips[report]'``).
    """
    require("jinja2", "report")
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    style, script = _style_and_script()
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": _number, "seconds": _seconds}
    html = environment.from_string(_text("page.html.j2")).render(
        page=data,
        policy=policy_of(data),
        style=Markup(style),
        script=Markup(script),
        json=Markup(safe_json(page_json(data))),
        box=f"0 0 {WIDTH} {HEIGHT}",
    )
    # A file name that is not Unicode holds lone surrogates, which no encoding can write.
    return html.encode("utf-8", "replace").decode("utf-8")


def policy_of(data: PageData) -> str:
    """The content security policy of a page.

    Args:
        data: The page's data.

    Returns:
        The policy, without the directives that a meta element may not hold.
    """
    has_server = data.kind == "view"
    style, script = _style_and_script()
    own = "'self'" if has_server else "'none'"
    rules = {
        "default-src": "'none'",
        "script-src": f"'sha256-{_hash(script)}'",
        "style-src": f"'sha256-{_hash(style)}'",
        "img-src": "data: 'self'" if has_server else "data:",
        "media-src": "'self'" if has_server else "'self' file:",
        "connect-src": own,
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def safe_json(data: object) -> str:
    """JSON that can stand in a script element: no ``<``, ``>`` or ``&``, no line separators, ASCII alone.

    Args:
        data: Anything that JSON can hold; no NaN.

    Returns:
        The text; it parses to ``data``.
    """
    text = json.dumps(data, allow_nan=False, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def page_json(data: PageData) -> dict[str, Any]:
    """What the page's script is given.

    Args:
        data: The page's data.

    Returns:
        A JSON-able object; times in seconds.
    """
    return {
        "kind": data.kind,
        "codec": data.codec,
        "aspect": round(data.aspect, 4),
        "begin": data.begin_s,
        "end": data.end_s,
        "starts": [round(t, 3) for t in data.starts_s.tolist()],
        "ends": [round(t, 3) for t in data.ends_s.tolist()],
        "scores": [float(f"{s:.{_DIGITS}g}") for s in data.scores.tolist()],
        "top": [clip_json(clip) for clip in data.top],
        "bottom": [clip_json(clip) for clip in data.bottom],
        "note": data.note,
        "lanes": [[clip_json(clip) for clip in lane.clips] for lane in data.lanes],
        "k": data.k,
        "sampler": data.sampler,
    }


def clip_json(clip: ShownClip) -> dict[str, Any]:
    """One clip for the page's script.

    Args:
        clip: A clip.

    Returns:
        A JSON-able object; times in seconds, exact to the microsecond.
    """
    return {
        "rank": clip.rank,
        "index": clip.index,
        "start": round(clip.start_s, 6),
        "end": round(clip.end_s, 6),
        "score": float(f"{clip.score:.{_DIGITS}g}"),
        "picture": clip.picture,
        "frames": clip.frames,
    }


def lane_json(lane: Lane) -> dict[str, Any]:
    """One curve for the page's script, where it is drawn anew.

    Args:
        lane: A curve.

    Returns:
        A JSON-able object.
    """
    return {
        "name": lane.name,
        "meaning": lane.meaning,
        "line": lane.curve.line,
        "area": lane.curve.area,
        "low": _number(lane.curve.low),
        "high": _number(lane.curve.high),
    }


def _style_and_script() -> tuple[str, str]:
    return _text("style.css"), "\n".join(map(_text, ("timeline.js", "page.js", "view.js")))


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return b64encode(sha256(text.encode("utf-8")).digest()).decode("ascii")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _seconds(value: float) -> str:
    if value < 0.1:
        return f"{value:.3f} s"
    if value < 100:
        return f"{value:.2f} s"
    return f"{value:,.0f} s" if value < 6000 else f"{value / 3600:,.1f} h"
