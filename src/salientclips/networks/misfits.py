"""How a set of tensors differs from what a network needs, in words; whoever reads the tensors, torch or numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

_LISTED = 3

_Shapes = Mapping[str, tuple[int, ...]]


def misfits(wanted: _Shapes, given: _Shapes, is_sound: Callable[[str], bool]) -> str:
    """Compare tensors by name and shape.

    Args:
        wanted: Shapes that the network has, by name.
        given: Shapes that there are.
        is_sound: Whether the given tensor of that name holds nothing but finite floating-point numbers.

    Returns:
        For example ``"7 missing (a, b, c ...); 1 unexpected (d)"``; empty where they fit.
    """
    both = [name for name in wanted if name in given]
    faults = (
        _fault("missing", [name for name in wanted if name not in given]),
        _fault("unexpected", [name for name in given if name not in wanted]),
        _fault(
            "of another shape",
            [f"{name} {given[name]} for {wanted[name]}" for name in both if given[name] != wanted[name]],
        ),
        _fault("not finite numbers", [name for name in both if not is_sound(name)]),
    )
    return "; ".join(filter(None, faults))


def _fault(what: str, names: Iterable[str]) -> str:
    listed = list(names)
    if not listed:
        return ""
    more = " ..." if len(listed) > _LISTED else ""
    return f"{len(listed)} {what} ({', '.join(listed[:_LISTED])}{more})"
