"""Builds the ``rendered`` benchmark: untrimmed videos from public packages alone, with their true salient spans.

A person (``pybullet``'s humanoid, moved by motion-captured clips) stands about, walks and gestures in a room full
of flying and rolling things, under a camera that pans, zooms, shakes and cuts. At one to three places, 5 to 25 % of
the video, the person does the action that the video is labelled with. So "most motion" is often wrong.

Read in this order: ``screenplay`` (the types), ``draw`` and ``soundtrack`` (chance: a screenplay from a seed),
``motions``, ``acting``, ``props`` and ``camera`` (numbers over time), ``background`` and ``stage`` (pictures),
``sound``, ``encode``, ``manifest``, ``build`` (files). Only ``stage`` imports ``pybullet``; ``motions`` reads the
clips that come with it.

It is no part of the package ``salientclips`` and imports nothing of it.
"""
