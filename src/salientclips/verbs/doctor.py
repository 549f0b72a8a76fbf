"""The verb ``doctor``: what is installed, what loads, what is missing and how to get it.

A package counts as working only if it *loads*: a torchvision that was built for another torch is found by its name
and breaks at import, which is how most installations fail.
"""

from __future__ import annotations

import importlib
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from .. import __version__
from ..errors import SalientClipsError


@dataclass(frozen=True)
class Finding:
    """The state of one part of the installation."""

    part: str
    """Name of the package or part."""
    works: bool
    """Whether it loads."""
    version: str
    """Its version; empty where it is not there."""
    purpose: str
    """What it is for."""
    problem: str = ""
    """Why it does not work, in one line."""
    remedy: str = ""
    """The command that gets it."""


@dataclass(frozen=True)
class _Package:
    module: str
    distribution: str
    purpose: str
    extra: str = ""


_PACKAGES = (
    _Package("av", "av", "reads containers, decodes (FFmpeg)"),
    _Package("numpy", "numpy", "arrays"),
    _Package("pyarrow.parquet", "pyarrow", "score files in Parquet"),
    _Package("typer", "typer", "the command line"),
    _Package("psutil", "psutil", "memory limits of worker processes"),
    _Package("safetensors", "safetensors", "weights of samplers"),
    _Package("torch", "torch", "classifiers, training", "torch"),
    _Package("torchvision", "torchvision", "r3d_18, mc3_18, r2plus1d_18", "torch"),
    _Package("transformers", "transformers", "classifiers hf:NAME", "hf"),
    _Package("jinja2", "jinja2", "pages: report, view, compare", "report"),
    _Package("matplotlib", "matplotlib", "figures: evaluate, scores.plot()", "plots"),
    _Package("mcp.server", "mcp", "salientclips mcp", "mcp"),
    _Package("fsspec", "fsspec", "many videos: URLs (s3:// needs s3fs too, gs:// gcsfs)", "remote"),
    _Package("ray.data", "ray", "many videos: --engine ray", "ray"),
)


def examine() -> tuple[Finding, ...]:
    """Try every part of the installation.

    Returns:
        One finding a part; the packages in order of need.
    """
    own = Finding("salientclips", True, __version__, f"Python {platform.python_version()}")
    return (own, *(_try(package) for package in _PACKAGES), _torchcodec(), _codecs(), _native(), _sampler())


def _try(package: _Package) -> Finding:
    name = package.module.split(".")[0]
    remedy = f"pip install 'salientclips[{package.extra}]'" if package.extra else f"pip install {name}"
    try:
        found = version(package.distribution)
    except PackageNotFoundError:
        return Finding(name, False, "", package.purpose, "not installed", remedy)
    try:
        importlib.import_module(package.module)
    except Exception as error:  # a broken package may raise anything while it loads
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        return Finding(name, False, found, package.purpose, f"does not load ({reason})", remedy)
    return Finding(name, True, found, package.purpose)


def _torchcodec() -> Finding:
    """It is imported without FFmpeg's libraries and misses them only when a decoder is made."""
    found = _try(_Package("torchcodec.decoders", "torchcodec", "clips_at_salient_timestamps", "torchcodec"))
    if not found.works:
        return found
    try:
        importlib.import_module("torchcodec.decoders").VideoDecoder(b"")
    except Exception as error:  # an empty video is refused anyway; only missing libraries matter
        if "libtorchcodec" in str(error):
            problem = "does not load (FFmpeg's shared libraries are missing)"
            return Finding("torchcodec", False, found.version, found.purpose, problem, "install FFmpeg")
    return found


def _codecs() -> Finding:
    from ..media.codecs import COMMON_DECODERS, missing_decoders

    purpose = f"decodes {', '.join(COMMON_DECODERS)}"
    missing = missing_decoders()
    if missing:
        problem = f"no decoder for {', '.join(missing)}"
        return Finding("FFmpeg's codecs", False, "", purpose, problem, "pip install --force-reinstall av")
    return Finding("FFmpeg's codecs", True, "all there", purpose)


def _sampler() -> Finding:
    """The sampler that scores where nothing is said: weights in a file beside the code, which may be damaged."""
    from ..samplers import DEFAULT_SAMPLER, make_sampler

    part, purpose = f"sampler {DEFAULT_SAMPLER}", "scores where no sampler is named"
    try:
        make_sampler(DEFAULT_SAMPLER)
    except SalientClipsError as error:
        remedy = "pip install --force-reinstall salientclips"
        return Finding(part, False, "", purpose, f"does not load ({error.message})", remedy)
    return Finding(part, True, "loads", purpose)


def _native() -> Finding:
    from ..compressed.bitstream import why_missing

    purpose = "reads motion and residuals of H.264 and MPEG-4 without decoding"
    reason = why_missing()
    if reason is None:
        return Finding("bitstream reader", True, "native", purpose)
    return Finding(
        "bitstream reader",
        False,
        "",
        purpose,
        f"{reason}; the slow back end is in use",
        "pip install --force-reinstall salientclips",
    )
