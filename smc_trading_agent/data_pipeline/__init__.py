"""Stage 1: sources of admitted bars (files, the synthetic market, a pace); no setup, order or risk rule may enter."""
