"""A simulated exchange as a process of its own, speaking Binance's USD-M futures and spot protocols.

`exchange` matches and keeps the books; `futures_rest`, `spot_rest`, `socket_api` and `streams` are its faces;
`driver` is the market around it; `faults` makes it misbehave on demand, by script and seed.
"""
