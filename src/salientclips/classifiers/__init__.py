"""Clip classifiers: f maps a clip to class probabilities (paper, section 4). Imports torch late."""
