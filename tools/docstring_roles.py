"""Griffe extension for the site: Sphinx's roles in docstrings become links where the site has the name.

``:class:`salientclips.Probe``` reads well in an editor and in ``help()``; mkdocstrings would print it as it stands.
A name that has no place on the site stays plain code.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:class|func|meth|mod|data|attr|exc):`~?([\w.]+)`")


class DocstringRoles(griffe.Extension):
    """Rewrites every docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite one docstring; names without a dot are looked up beside the object.

        Args:
            obj: A module, class, function or attribute.
        """
        if obj.docstring is not None:
            obj.docstring.value = ROLE.sub(lambda role: link(role[1], obj), obj.docstring.value)


def link(name: str, near: griffe.Object) -> str:
    """A reference that is a link where the site has the name."""
    whole = name
    if not name.startswith("salientclips"):
        scope = near if isinstance(near, griffe.Class) else near.parent
        whole = f"{scope.path}.{name}" if scope is not None else name
    return f'<autoref optional identifier="{whole}"><code>{name}</code></autoref>'
