"""What a person sees of ``fit``: what was made, how well it does, what was left out, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from .console import ERR, warn
from .plain import PlainConsole, escape

if TYPE_CHECKING:
    from ..verbs.fit import Fitted

_out = PlainConsole(emoji=False, highlight=False, soft_wrap=True)

_MOST_LISTED = 10

_ROWS = {
    "accuracy": "this sampler",
    "visual_accuracy": "its pictures alone",
    "audio_accuracy": "its sound alone",
    "uniform": "uniform",
    "oracle": "oracle (upper bound)",
}


def show_fit(fitted: Fitted) -> None:
    """Print what ``fit`` made.

    Args:
        fitted: The sampler and the account of the work.
    """
    card = fitted.card
    _out.print(f"[bold]{escape(card.name)}[/bold]: a sampler for {escape(card.classifier)}")
    for stream in card.networks:
        history = next(h for name, h in fitted.history.items() if stream.stream in name.split("+"))
        tried = f"{len(history)} {'penalties' if 'penalty' in history[0] else 'epochs'}"
        _out.print(
            f"  {stream.stream}: {stream.architecture}, {stream.objective}, {stream.parameters:,} parameters,"
            f" {stream.mmacs:,.1f} million multiply-adds; {tried}"
        )
    visual = [s for s in card.streams if s.stream != "audio"]
    if len(visual) > 1:
        _out.print(f"  visual streams count {', '.join(f'{s.stream} {s.weight:g}' for s in visual)}")
    if "left_out" in card.options:
        _out.print(f"  left out, for validation gave it no weight: {card.options['left_out']}")
    if card.combination is not None:
        _out.print(f"  put together by {card.combination}")
    _show_figures(card.validation)
    parts = ", ".join(f"{part} {value:.1f}" for part, value in fitted.seconds.items())
    _out.print(f"{card.videos} training videos; seconds: {parts}")
    _show_left_out(fitted)
    warn(fitted.warnings)
    if fitted.folder is not None:
        folder = escape(str(fitted.folder))
        _out.print(f"written to {folder}; now: [bold]salientclips select VIDEO --sampler {folder}[/bold]")


def _show_figures(validation: dict[str, float]) -> None:
    if not validation:
        return
    k = int(validation["k"])
    table = Table(title=f"accuracy of the classifier on {int(validation['videos'])} validation videos")
    table.add_column("clips looked at")
    table.add_column("accuracy", justify="right")
    for key, title in _ROWS.items():
        if f"{key}_at_{k}" in validation:
            table.add_row(f"{k} by {title}", f"{validation[f'{key}_at_{k}']:.3f}")
    table.add_row("all (dense)", f"{validation['dense']:.3f}")
    _out.print(table)


def _show_left_out(fitted: Fitted) -> None:
    left = fitted.left_out
    if left:
        count = "1 video was" if len(left) == 1 else f"{len(left)} videos were"
        ERR.print(f"[yellow]warning:[/yellow] {count} left out:")
    for out in left[:_MOST_LISTED]:
        ERR.print(f"  {escape(out.reason)}")
    if len(left) > _MOST_LISTED:
        ERR.print(f"  ... and {len(left) - _MOST_LISTED} more; --json lists all")
