"""The statistics that keep training honest: splits that don't leak, ratios that count tries, placebos that fail.

Pure functions over NumPy arrays. Time is int64 nanoseconds, chance comes from a seed that is passed in, and input
that can't carry the statistic raises `smc_trading_agent.domain.errors.SampleError`.
"""
