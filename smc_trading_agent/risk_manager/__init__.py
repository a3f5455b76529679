"""Stage 4: one gate. Nothing reaches a venue that it has not approved, and what it can't judge it refuses."""
