"""Training of samplers: what f's judgement teaches, how it is drawn, and the loop (paper, section 3.3; poster)."""
