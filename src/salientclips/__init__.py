"""Finds the K clips of a long video worth looking at, before the video is decoded.

An implementation of SCSampler (Korbar, Tran, Torresani, ICCV 2019). The public names are below and nothing else;
each is imported when it is first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOME = {
    "Choosing": "corpus.job",
    "ClipClassifier": "classifiers.protocol",
    "ClipGrid": "timeline",
    "ClipInput": "classifiers.protocol",
    "ClipScores": "types",
    "ClipSpec": "timeline",
    "CorpusReport": "engines.run",
    "Fitted": "verbs.fit",
    "Item": "corpus.item",
    "Job": "corpus.job",
    "LearnedSampler": "samplers.learned",
    "Limits": "engines.limits",
    "LocalEngine": "engines.local",
    "Looking": "corpus.job",
    "Probe": "probed",
    "RayEngine": "engines.ray",
    "SalientClipsError": "errors",
    "Sampler": "samplers",
    "SamplerCard": "samplers.card",
    "SamplerPlan": "training.plan",
    "Scoring": "corpus.job",
    "SelectedClip": "types",
    "Selection": "types",
    "TrainingOptions": "training.options",
    "VideoClassifier": "verbs.classify",
    "VideoPrediction": "types",
    "cut": "verbs.cut",
    "evaluate": "verbs.evaluate",
    "export": "outputs.exports",
    "fit": "verbs.fit",
    "list_items": "corpus.sources",
    "load_classifier": "classifiers",
    "load_scenes": "datasets.scenes",
    "load_scores": "outputs.score_files",
    "make_sampler": "samplers",
    "motion_vectors": "verbs.vectors",
    "probe": "verbs.probe",
    "read_clips": "outputs.corpus_dataset",
    "read_corpus": "outputs.corpus_dataset",
    "read_videos": "outputs.corpus_dataset",
    "residuals": "verbs.vectors",
    "run_corpus": "engines.run",
    "save_scores": "outputs.score_files",
    "score": "verbs.score",
    "summary": "verbs.cut",
    "write_report": "verbs.report",
}

__all__ = [
    "Choosing",
    "ClipClassifier",
    "ClipGrid",
    "ClipInput",
    "ClipScores",
    "ClipSpec",
    "CorpusReport",
    "Fitted",
    "Item",
    "Job",
    "LearnedSampler",
    "Limits",
    "LocalEngine",
    "Looking",
    "Probe",
    "RayEngine",
    "SalientClipsError",
    "Sampler",
    "SamplerCard",
    "SamplerPlan",
    "Scoring",
    "SelectedClip",
    "Selection",
    "TrainingOptions",
    "VideoClassifier",
    "VideoPrediction",
    "cut",
    "evaluate",
    "export",
    "fit",
    "list_items",
    "load_classifier",
    "load_scenes",
    "load_scores",
    "make_sampler",
    "motion_vectors",
    "probe",
    "read_clips",
    "read_corpus",
    "read_videos",
    "residuals",
    "run_corpus",
    "save_scores",
    "score",
    "summary",
    "write_report",
]

if TYPE_CHECKING:
    from .classifiers import load_classifier
    from .classifiers.protocol import ClipClassifier, ClipInput
    from .corpus.item import Item
    from .corpus.job import Choosing, Job, Looking, Scoring
    from .corpus.sources import list_items
    from .datasets.scenes import load_scenes
    from .engines.limits import Limits
    from .engines.local import LocalEngine
    from .engines.ray import RayEngine
    from .engines.run import CorpusReport, run_corpus
    from .errors import SalientClipsError
    from .outputs.corpus_dataset import read_clips, read_corpus, read_videos
    from .outputs.exports import export
    from .outputs.score_files import load_scores, save_scores
    from .probed import Probe
    from .samplers import Sampler, make_sampler
    from .samplers.card import SamplerCard
    from .samplers.learned import LearnedSampler
    from .timeline import ClipGrid, ClipSpec
    from .training.options import TrainingOptions
    from .training.plan import SamplerPlan
    from .types import ClipScores, SelectedClip, Selection, VideoPrediction
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
