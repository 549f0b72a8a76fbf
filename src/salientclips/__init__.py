"""Finds the K clips of a long video worth looking at, before the video is decoded.

An implementation of SCSampler (Korbar, Tran, Torresani, ICCV 2019). The public names are below and nothing else;
each is imported when it is first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0.dev0"

_HOME = {
    "ClipClassifier": "classifiers.protocol",
    "ClipGrid": "timeline",
    "ClipInput": "classifiers.protocol",
    "ClipScores": "types",
    "ClipSpec": "timeline",
    "Fitted": "verbs.fit",
    "LearnedSampler": "samplers.learned",
    "Probe": "types",
    "SalientClipsError": "errors",
    "Sampler": "samplers",
    "SamplerPlan": "training.plan",
    "SamplerCard": "samplers.card",
    "SelectedClip": "types",
    "Selection": "types",
    "TrainingOptions": "training.options",
    "VideoClassifier": "verbs.classify",
    "VideoPrediction": "types",
    "evaluate": "verbs.evaluate",
    "fit": "verbs.fit",
    "cut": "verbs.cut",
    "export": "outputs.exports",
    "load_classifier": "classifiers",
    "load_scenes": "datasets.scenes",
    "load_scores": "outputs.score_files",
    "make_sampler": "samplers",
    "motion_vectors": "verbs.vectors",
    "probe": "verbs.probe",
    "residuals": "verbs.vectors",
    "save_scores": "outputs.score_files",
    "score": "verbs.score",
    "write_report": "verbs.report",
    "summary": "verbs.cut",
}

__all__ = [
    "ClipClassifier",
    "ClipGrid",
    "ClipInput",
    "ClipScores",
    "ClipSpec",
    "Fitted",
    "LearnedSampler",
    "Probe",
    "SalientClipsError",
    "Sampler",
    "SamplerCard",
    "SamplerPlan",
    "SelectedClip",
    "Selection",
    "TrainingOptions",
    "VideoClassifier",
    "VideoPrediction",
    "cut",
    "evaluate",
    "export",
    "fit",
    "load_classifier",
    "load_scenes",
    "load_scores",
    "make_sampler",
    "motion_vectors",
    "probe",
    "residuals",
    "save_scores",
    "score",
    "summary",
    "write_report",
]

if TYPE_CHECKING:
    from .classifiers import load_classifier
    from .classifiers.protocol import ClipClassifier, ClipInput
    from .datasets.scenes import load_scenes
    from .errors import SalientClipsError
    from .outputs.exports import export
    from .outputs.score_files import load_scores, save_scores
    from .samplers import Sampler, make_sampler
    from .samplers.card import SamplerCard
    from .samplers.learned import LearnedSampler
    from .timeline import ClipGrid, ClipSpec
    from .training.options import TrainingOptions
    from .training.plan import SamplerPlan
    from .types import ClipScores, Probe, SelectedClip, Selection, VideoPrediction
    from .verbs.classify import VideoClassifier
    from .verbs.cut import cut, summary
    from .verbs.evaluate import evaluate
    from .verbs.fit import Fitted, fit
    from .verbs.probe import probe
    from .verbs.report import write_report
    from .verbs.score import score
    from .verbs.vectors import motion_vectors, residuals


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f".{_HOME[name]}", __name__)
    value = getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
