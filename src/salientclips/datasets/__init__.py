"""Lists of videos with their labels: manifests, folders, and the lists of the paper's data sets."""
