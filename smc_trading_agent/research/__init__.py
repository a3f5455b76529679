"""Backtests and their baselines, over the same coordinator that trades."""
