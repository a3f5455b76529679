"""Stage 3: structure becomes a setup, a setup gets a probability, and only one that beats break-even an intent."""
