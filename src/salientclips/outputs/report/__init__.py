"""The page that shows a video, its saliency and the clips that were chosen.

``collect.py`` gathers what is shown (``data.py``), ``page.py`` writes it as one HTML file; ``server.py`` serves
the same page with controls. Start with ``data.py``.
"""
