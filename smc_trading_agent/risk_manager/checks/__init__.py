"""The checks of the gate by theme, each a pure function of a `Question`; no state, no clock, no float at a limit."""
