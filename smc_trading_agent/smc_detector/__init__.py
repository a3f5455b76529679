"""Stage 2: the Python face of the detector, and the proof that it never repaints."""
