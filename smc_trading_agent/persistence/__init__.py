"""Journal and stores, on SQLite; they know facts and bytes, never what a fact means for trading."""
