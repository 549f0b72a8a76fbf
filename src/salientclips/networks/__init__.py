"""What every network needs, whoever built it: optional packages, devices, weights that run no code, counted costs."""
