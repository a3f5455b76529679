"""Latency, views and health: it only listens, and nothing it does can change a decision."""
