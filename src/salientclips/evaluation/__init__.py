"""Strategies by which the clips of a video are chosen, compared with one another (paper, section 4.2)."""
