"""Stage 5: sends sealed orders, follows each through its states, and keeps the account in exact arithmetic."""
