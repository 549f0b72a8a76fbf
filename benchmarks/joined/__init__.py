"""Builds the benchmarks of real footage, ``composed`` and ``cctv-fight``, from ``SALIENTCLIPS_DATA/clips256``.

A video is a row of clips, cut from one to the next. All clips, what is to be found and what is not, pass through
one decoder, one size, one frame rate and one encoder, or the codec would give the answer away.

Read in this order: ``clips`` (the types, the list of clips), ``composed`` and ``cctv_fight`` (which clips make
which video), ``footage`` (pictures), ``soundtrack``, ``build`` (files).
"""
