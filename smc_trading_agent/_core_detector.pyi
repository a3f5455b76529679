"""Typed face of the Rust core, continued: what `smc_trading_agent._core` exports for `smc_detector`.

There is no module of this name; it only holds stubs.
"""

EVENT_KINDS: tuple[str, ...]  # see docs/reference/detector.md
EVENT_DOCS: tuple[str, ...]  # what each of EVENT_KINDS means, one sentence each
SCOPES: tuple[str, ...]
SCOPE_DOCS: tuple[str, ...]
ZONE_KINDS: tuple[str, ...]
ZONE_STATES: tuple[str, ...]
ZONE_STATE_DOCS: tuple[str, ...]
FEATURE_NAMES: tuple[str, ...]
FEATURE_DOCS: tuple[str, ...]  # one sentence each, with the unit

def detector_parameters() -> list[tuple[str, str, str, list[str], str]]:
    """Key, default as JSON, what it takes, the choices if it is one of a list, and meaning of every parameter.

    A section of parameters has "" as its default and takes ""."""

def detector_config(config_json: str = "{}") -> str:
    """The whole configuration that a part of it stands for, as JSON with sorted keys.

    ValueError names the key that is unknown, or the key, the value and what it takes."""
