"""Every setting, with its default, its range and its meaning. Unknown keys are refused."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from smc_trading_agent.domain.risk_settings import RiskSettings as RiskSettings
from smc_trading_agent.domain.section import Section as Section

Timeframe = Literal["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "1w"]


class AppSettings(Section):
    """The process: logging, where state is kept, where the API listens."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    debug: bool = False
    state_dir: str = Field("state", description="folder of journals and venue ledgers")
    host: str = "127.0.0.1"
    port: int = Field(8008, ge=1, le=65535)
    environment: Literal["development", "production"] = "development"
    latency_target_ms: float = Field(50.0, gt=0, description="target of one decision, market event to order")


class SyntheticSettings(Section):
    """The built-in synthetic market: seeded, labelled, with a documented planted tendency."""

    seed: int = Field(7, ge=0)
    speed: float = Field(600.0, gt=0, description="market seconds per real second")
    fast_forward_bars: int = Field(172_800, ge=0, description="1-minute bars run flat out before pacing begins")
    planted_strength: float = Field(1.0, ge=0, le=5, description="0 removes the edge")


class StructureSettings(Section):
    """Which timeframes are read; `detector` is passed to the Rust detector, which refuses unknown keys."""

    decision_timeframe: Timeframe = "3m"
    context_timeframes: tuple[Timeframe, ...] = ("15m", "1h")
    detector: dict[str, object] = Field(default_factory=dict)


class ModelSettings(Section):
    """Which models judge setups, and when their judgement counts. Without a bundle base rates do."""

    bundle: str = Field(
        "", description="folder of the bundle; `promoted`: the one promoted in `folder`; empty: base rates only"
    )
    folder: str = Field("models", description="folder of bundles, one of which may be promoted")
    trust_folder: str = Field("models/trust", description="folder of the public keys whose bundles are loaded")
    allow_unsigned: bool = Field(False, description="load a bundle that no trusted key signed")
    quorum: int = Field(
        3, ge=1, description="models that must vote in time, those with a cap on their weight not counted"
    )
    deadline_ms: float = Field(
        20.0, ge=0, le=10_000, description="a vote that takes longer is left out; 0 waits for each"
    )
    margin: float = Field(0.02, ge=0, lt=1, description="P must beat break-even by this much")
    policy_exit: bool = Field(False, description="ask the bundle's policy at each close whether to leave what is held")


class DecisionSettings(Section):
    """How structure becomes a setup, and when a setup is worth trading."""

    sweep_to_shift_bars: int = Field(20, ge=1, description="a CHoCH must follow the sweep within this many bars")
    return_bars: int = Field(30, ge=1, description="price must come back to the zone within this many bars")
    stop_buffer_atr: float = Field(0.2, ge=0, description="distance of the stop beyond the structure, in ATR")
    min_stop_atr: float = Field(1.0, ge=0, description="a stop nearer than this is moved out to it, in ATR")
    min_reward_risk: float = Field(1.5, gt=0, description="nearer liquidity is passed over as a target")
    max_reward_risk: float = Field(4.0, gt=0, description="without liquidity nearer than this there is no setup")
    entry_valid_bars: int = Field(3, ge=1, description="a limit entry lives this many decision bars")
    time_limit_bars: int = Field(96, ge=1, description="a position is closed after this many decision bars")
    min_samples: int = Field(30, ge=1, description="resolved setups of a kind before it may trade")
    prior_strength: float = Field(40.0, gt=0, description="setups' worth of belief in chance")
    min_edge: float = Field(0.0, ge=0, lt=1, description="P must beat break-even by this much")
    take_every_setup: bool = Field(False, description="research: trade every setup, to see raw base rates")
    models: ModelSettings = ModelSettings()


class ExecutionSettings(Section):
    """The paper venue's costs and delays, and the account it begins with."""

    start_cash: str = Field("10000", pattern=r"^[0-9]+(\.[0-9]+)?$", description="in the quote currency")
    maker_fee_ppm: int = Field(200, ge=0, le=100_000, description="Binance USD-M futures, entry tier: 2 bps")
    taker_fee_ppm: int = Field(500, ge=0, le=100_000, description="Binance USD-M futures, entry tier: 5 bps")
    half_spread_ticks: int = Field(1, ge=0)
    slippage_ppm: int = Field(100, ge=0, le=100_000)
    latency_ms: float = Field(50.0, ge=0)


class JournalSettings(Section):
    """How durable the journal is, and how often the whole state is saved beside it."""

    durability: Literal["process_crash", "power_loss"] = "process_crash"
    checkpoint_bars: int = Field(2_000, ge=1, description="base bars between two checkpoints")


class EnsembleSettings(Section):
    """How the models of a bundle are run."""

    parallel_execution: bool = Field(True, description="measure threads too when the schedule is chosen")
    schedule: Literal["fastest", "one after another", "threads", "fused"] = Field(
        "fastest", description="fastest: all that the bundle allows are measured at the start"
    )
    cache_ttl_seconds: float = Field(60.0, ge=0, description="votes on the same setup and bar are not asked for again")
    redis_url: str = Field(
        "",
        repr=False,
        description="a Redis behind the cache in process, such as redis://localhost:6379; needs `[redis]`",
    )
    max_workers: int = Field(4, ge=1, le=64, description="models that run at the same time")


class RiskScheduleSettings(Section):
    """How the checks of the risk gateway are run."""

    parallel_calculation: bool = Field(
        True, description="measure a pool of threads against one check after another at start-up, and take the faster"
    )
    cache_ttl_seconds: float = Field(
        30.0, ge=0, description="what limits work out to at an equity is kept for so long; the same equity, the same"
    )
    max_workers: int = Field(4, ge=1, le=64, description="threads of that pool")


class PerformanceSettings(Section):
    """What changes how fast the agent is, and nothing that it decides."""

    ml_ensemble: EnsembleSettings = EnsembleSettings()
    risk_manager: RiskScheduleSettings = RiskScheduleSettings()


class Settings(Section):
    """The whole configuration."""

    app: AppSettings = AppSettings()
    synthetic: SyntheticSettings = SyntheticSettings()
    structure: StructureSettings = StructureSettings()
    decision: DecisionSettings = DecisionSettings()
    risk: RiskSettings = RiskSettings()
    execution: ExecutionSettings = ExecutionSettings()
    journal: JournalSettings = JournalSettings()
    performance: PerformanceSettings = PerformanceSettings()
