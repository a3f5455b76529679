"""Models that judge a setup: loaded from a signed bundle, calibrated, pooled, and silent where they don't know.

Nothing here trains; training uses the calibrators, the pool, the conformal sets and the bundle from here, so that
what was evaluated is what is served. PyTorch, LightGBM and research code may not enter.
"""
