"""What a user does with a video or with many, one verb a file; each takes plain arguments and returns a result."""
