"""Maps a verb over a corpus: on the cores of one machine, or on the machines of a Ray cluster.

There is no scheduler here. ``local`` hands one video after the other to guarded processes; ``ray`` describes the same
stages to Ray Data, which places them. Both run the same code on a video, so they give the same rows.
"""
