"""What the audio sampler is shown: the sound of a clip as a picture (paper, section 3.3)."""
