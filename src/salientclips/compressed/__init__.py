"""What the encoder already knows, as arrays: motion displacements, residuals, packet cost (paper, 3.1)."""
