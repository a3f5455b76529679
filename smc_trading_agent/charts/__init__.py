"""Draws what the detector read: things with their lives, the chart page they go into, and its picture."""
