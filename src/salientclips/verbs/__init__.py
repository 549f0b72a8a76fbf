"""What a user does with a video, one verb a file: score, classify, demo, doctor (probe lives in `media`)."""
