"""The card of a sampler for people: the README.md of its folder, in the form of the Hugging Face hub.

Everything in it is said by :class:`SamplerCard`; nothing is made up for what the card leaves empty.
"""

from __future__ import annotations

import json

from .card import RULE_SAMPLERS, SHOWN_FRAMES, SamplerCard


def model_card(card: SamplerCard) -> str:
    """Render a card.

    Args:
        card: The card.

    Returns:
        Markdown with the hub's YAML header.
    """
    return "\n".join((*_header(card), *_what(card), *_training(card), *_figures(card), *_use())) + "\n"


def _header(card: SamplerCard) -> list[str]:
    # JSON strings are YAML strings, so no text of a card can end the header or begin another key.
    licence = [f"license: {json.dumps(card.licence)}"] if card.licence else []
    return [
        "---",
        "library_name: salientclips",
        "pipeline_tag: video-classification",
        *licence,
        "tags:",
        "- scsampler",
        "- video",
        "- clip-sampling",
        "- compressed-video",
        "---",
        "",
    ]


def _what(card: SamplerCard) -> list[str]:
    length = (
        f"{float(card.clip.seconds):g} s"
        if card.clip.seconds is not None
        else f"{card.clip.frames} frames at a step of {card.clip.frame_step}"
    )
    is_shown = any(s.stream in SHOWN_FRAMES for s in card.streams)
    size = f" Input: {card.short_side_cells} cells of 16 pixels at the shorter side." if is_shown else ""
    lines = [
        f"# {_plain(card.name)}",
        "",
        "A learned clip sampler (SCSampler, Korbar, Tran and Torresani, ICCV 2019) for"
        " salientclips: it gives every clip of a video a saliency from what"
        " is in the compressed stream, so that a clip classifier looks at the best K only.",
        "",
        "| stream | architecture | objective | parameters | 10^6 multiply-adds a frame |",
        "|---|---|---|---|---|",
        *(
            f"| {s.stream} | {s.architecture} | {s.objective} | {s.parameters:,} | {s.mmacs:,.1f} |"
            for s in card.streams
        ),
        "",
        f"Clips: {length}; {card.frames_per_clip or 'all'} frames are read of each.{size} Feature version"
        f" {card.feature_version}.",
    ]
    if card.neighbours:
        lines.append(f"{card.neighbours} clips on either side have a say in a clip's score.")
    if any(s.weight != 1 for s in card.streams):
        lines.append(f"Visual streams count {', '.join(f'{s.stream} {s.weight:g}' for s in card.streams)}.")
    for stream in card.streams:
        if not stream.has_network:
            sampler = RULE_SAMPLERS[stream.stream]
            which = "of that name" if sampler == stream.stream else f"`{sampler}`"
            lines.append(f"`{stream.stream}` is no network but the untrained sampler {which}.")
    if card.combination is not None:
        lines.append(
            f"Sound and picture: {card.combination}, visual share {card.visual_share:g}, visual weight"
            f" {card.visual_weight:g}."
        )
    return [*lines, ""]


def _training(card: SamplerCard) -> list[str]:
    rows = [
        ("classifier (f)", card.classifier),
        ("data", card.data),
        ("videos", str(card.videos) if card.videos else ""),
        ("classes", str(len(card.classes)) if card.classes else ""),
        ("licence", card.licence),
        *((name, str(value)) for name, value in card.options.items()),
        *((f"version of {name}", value) for name, value in card.versions.items()),
    ]
    return _table("Training", [(name, value) for name, value in rows if value])


def _figures(card: SamplerCard) -> list[str]:
    return _table("Validation", [(name, f"{value:.4g}") for name, value in card.validation.items()])


def _table(title: str, rows: list[tuple[str, str]]) -> list[str]:
    if not rows:
        return []
    cells = [f"| {_plain(name)} | {_plain(value)} |" for name, value in rows]
    return [f"## {title}", "", "| what | value |", "|---|---|", *cells, ""]


def _use() -> list[str]:
    return [
        "## Use",
        "",
        "```",
        "salientclips select VIDEO -k 10 --sampler FOLDER_OR_HUB_NAME",
        "```",
    ]


def _plain(text: str) -> str:
    """Text that neither ends a table's cell nor begins HTML or a link."""
    for mark in "\\|<>[]`*_#":
        text = text.replace(mark, f"\\{mark}")
    return text
