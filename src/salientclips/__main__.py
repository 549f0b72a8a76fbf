"""Makes ``python -m salientclips`` the same as the command ``salientclips``."""

from .cli import main

if __name__ == "__main__":
    main()
