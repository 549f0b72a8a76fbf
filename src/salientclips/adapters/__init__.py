"""Selections in the words of other libraries: one module a library, each importing it only when it is used."""
