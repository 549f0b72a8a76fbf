"""What is computed once a video and kept: its features, and what the classifier says of each of its clips."""
