"""Rules (and later networks) that turn the features of a clip into one saliency (paper, section 3)."""
