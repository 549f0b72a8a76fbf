"""What the builders of benchmark sets share: one manifest, one way to encode, one build that can be stopped.

Every set is a folder of videos with ``manifest.csv`` (see ``manifest``) and ``settings.json`` (what it was built
from).
"""
