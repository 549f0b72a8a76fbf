"""Writes the table of docs/licences.md: what pyproject.toml names, and what that brings along, with licences.

Usage: ``python tools/list_licences.py [--check]`` in an environment where everything is installed (``pip install
".[dev]" scikit-build-core nanobind``). Licences are what packages say of themselves. Versions are left out, so that
the table changes when a licence does and not with every release. ``--check`` writes nothing and fails where a package
that is installed says something else than the page.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "licences.md"
BEGIN, END = "<!-- from here: tools/list_licences.py -->", "<!-- to here -->"
OWN = "salientclips"
# What a package's own metadata leaves open, read in its licence file.
READ = {
    "av": "BSD-3-Clause (the FFmpeg in its wheels: see above)",
    "daft": "Apache-2.0",
    "imageio-ffmpeg": "BSD-2-Clause (the ffmpeg binary in its wheels: GPL)",
    "nanobind": "BSD-3-Clause",
    "torchcodec": "BSD-3-Clause",
    "cuda-toolkit": "NVIDIA's own licence",
    "pybullet": "Zlib",
    "triton": "MIT",
}
SHORT = {
    "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "Apache 2": "Apache-2.0",
    "BSD License": "BSD",
    "BSD 3-Clause License": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "NVIDIA Proprietary Software": "NVIDIA's own licence",
    "LicenseRef-NVIDIA-Proprietary": "NVIDIA's own licence",
    "Other/Proprietary License": "NVIDIA's own licence",
}


def named() -> dict[str, list[Requirement]]:
    """What pyproject.toml asks for: by group, ``core``, ``build`` or the name of an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = {"core": project["project"]["dependencies"], "build": project["build-system"]["requires"]}
    groups |= project["project"]["optional-dependencies"]
    wanted = {group: [Requirement(text) for text in texts] for group, texts in groups.items()}
    return {group: [r for r in requirements if r.name != OWN] for group, requirements in wanted.items()}


def licence(name: str) -> str:
    """What a package says of its licence, in few words."""
    if name in READ:
        return READ[name]
    found = distribution(name)
    if expression := found.metadata.get("License-Expression"):
        return SHORT.get(expression, expression)
    told = [
        c.rpartition(" :: ")[2] for c in found.metadata.get_all("Classifier") or () if c.startswith("License")
    ]
    if told and told != ["OSI Approved"]:
        return " and ".join(dict.fromkeys(SHORT.get(text, text) for text in told))
    first = (found.metadata.get("License") or "").strip().splitlines()
    return SHORT.get(first[0], first[0])[:60] if first else "not said"


def installed(name: str) -> Distribution | None:
    """A package, or None where it is not here."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def needs(found: Distribution, extras: set[str]) -> Iterator[Requirement]:
    """What a package needs on this machine."""
    for text in found.requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or {""}):
            yield requirement


def closure(groups: dict[str, list[Requirement]]) -> dict[str, set[str]]:
    """All packages that the groups bring along, and through which of what we name."""
    through: dict[str, set[str]] = {}
    for requirements in groups.values():
        for direct in requirements:
            waiting, seen = [direct], set[tuple[str, tuple[str, ...]]]()
            while waiting:
                requirement = waiting.pop()
                key = canonicalize_name(requirement.name), tuple(sorted(requirement.extras))
                found = installed(requirement.name)
                if key in seen or found is None:
                    continue
                seen.add(key)
                through.setdefault(key[0], set()).add(canonicalize_name(direct.name))
                waiting += needs(found, set(requirement.extras))
    return through


def table() -> str:
    """The two tables, as Markdown.

    Raises:
        SystemExit: A package that pyproject.toml names is not installed.
    """
    groups = named()
    by_name: dict[str, list[str]] = {}
    for group, requirements in groups.items():
        for requirement in requirements:
            by_name.setdefault(canonicalize_name(requirement.name), []).append(group)
    absent = [name for name in by_name if name not in READ and installed(name) is None]
    if absent:
        raise SystemExit(f"not installed: {', '.join(absent)}; the page cannot say their licences")
    lines = ["| package | licence | asked for by |", "|---|---|---|"]
    for name, asked in sorted(by_name.items()):
        lines.append(f"| {name} | {licence(name)} | {', '.join(asked)} |")
    lines += ["", "| brought along | licence | through |", "|---|---|---|"]
    for name, through in sorted(closure(groups).items()):
        if name not in by_name:
            some = sorted(through)
            told = ", ".join(some[:3]) + (f" and {len(some) - 3} more" if len(some) > 3 else "")
            lines.append(f"| {name} | {licence(name)} | {told} |")
    return "\n".join(lines)


def wrong(page: str) -> list[str]:
    """Lines of the page that an installed package contradicts."""
    rows = re.findall(r"^\| ([a-z0-9-]+) \| ([^|]+) \| [^|]+ \|$", page, re.MULTILINE)
    return [
        f"{name}: the page says {said}, the package {licence(name)}"
        for name, said in rows
        if installed(name) is not None and licence(name) != said
    ]


def main() -> int:
    """Write the table, or check it."""
    page = PAGE.read_text(encoding="utf-8")
    if "--check" in sys.argv[1:]:
        for line in (faults := wrong(page)):
            print(line)
        return int(bool(faults))
    head, rest = page.split(BEGIN)
    PAGE.write_text(f"{head}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
