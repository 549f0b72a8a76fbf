"""The native bitstream readers: C++20, built by ``pip install`` into the extension module ``_core``.

Nothing is imported here, so that an installation without the extension can still be asked what it lacks.
"""
