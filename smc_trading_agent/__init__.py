"""A Smart Money Concepts trading agent that does not repaint, explains itself, and fails closed.

Read `coordinator.py` first: one market event through the five stages. `domain` holds the types that
travel between them, `runtime` is the one place that knows every concrete class.
"""

__version__ = "0.1.0"
