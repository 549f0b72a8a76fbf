"""A corpus: which videos there are, where each lies, what is to be done to them, and what comes of each."""
