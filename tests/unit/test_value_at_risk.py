"""Value at risk as the gateway calls it: figures by hand, refusals by name, snapshots, tested forecasts."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from smc_trading_agent._core import RETURN_UNIT, STRESSES, shrunk_correlation, var_rank
from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.domain.errors import RiskUnavailable, SnapshotError
from smc_trading_agent.risk_manager.value_at_risk import ValueAtRisk, ValueAtRiskSettings
from smc_trading_agent.risk_manager.var_backtest import Zone

MINUTE = 60_000_000_000
BTC, ETH = "test:BTCUSDT", "test:ETHUSDT"
SETTINGS = ValueAtRiskSettings(window=100, min_scenarios=50)


def desk(settings: ValueAtRiskSettings = SETTINGS) -> tuple[ValueAtRisk, MarketClock]:
    clock = MarketClock()
    return ValueAtRisk({BTC: "BTC", ETH: "ETH"}, settings, clock), clock


def walk(seed: int, bars: int) -> list[dict[str, int]]:
    chance = np.random.default_rng(seed)
    steps = chance.normal(0.0, 0.01, (bars, 1)) + chance.normal(0.0, 0.003, (bars, 2))
    prices = (np.exp(np.cumsum(steps, axis=0)) * 1_000_000).astype(np.int64)
    return [{BTC: int(btc), ETH: int(eth)} for btc, eth in prices]


def feed(risk: ValueAtRisk, clock: MarketClock, rows: list[dict[str, int]], first: int = 1) -> None:
    for number, closes in enumerate(rows, start=first):
        clock.advance_to(number * MINUTE)
        risk.on_bar(number * MINUTE, closes)


def warm(seed: int = 3, bars: int = 160) -> tuple[ValueAtRisk, MarketClock]:
    risk, clock = desk()
    feed(risk, clock, walk(seed, bars))
    return risk, clock


def test_figures_of_one_position_by_hand() -> None:
    settings = ValueAtRiskSettings(window=10, min_scenarios=10, confidence=0.9, shortfall_confidence=0.7)
    risk, clock = desk(settings)
    closes = [10**15]
    for percent in range(1, 11):
        closes.append(closes[-1] // 100 * (100 - percent))
    feed(risk, clock, [{BTC: close} for close in closes])
    seen = risk.assess({BTC: 400}, BTC, 600)
    assert (seen.value_at_risk, seen.value_at_risk_before, seen.marginal) == (100, 40, 60)
    assert (seen.shortfall, seen.shortfall_before, seen.marginal_shortfall) == (90, 36, 54)
    assert seen.parametric == pytest.approx(10 * math.sqrt(55 / 6) * 1.281_551_565_544_600_4)
    weights = 0.06 * 0.94 ** np.arange(10)
    weights[-1] /= 0.06
    squares = np.arange(10, 0, -1) ** 2
    assert seen.ewma == pytest.approx(10 * math.sqrt(weights @ squares) * 1.281_551_565_544_600_4)
    assert (seen.worst_stress, seen.stress_loss) == ("venue_loss", 1_000)
    assert (seen.scenarios, seen.uncovered, seen.data_time) == (10, 0, 11 * MINUTE)
    losses = risk.stress_losses({BTC: 400}, BTC, 600)
    assert losses["covid_2020_03_12"] == 396
    assert losses["squeeze_2017_12_07"] == -225
    assert tuple(losses) == tuple(STRESSES)


def test_parametric_figures_are_those_of_the_covariance_matrix() -> None:
    risk, _ = warm()
    held, order = {BTC: 70_000_00, ETH: -20_000_00}, 30_000_00
    seen = risk.assess(held, ETH, order)
    returns = np.array([risk._book.returns(BTC), risk._book.returns(ETH)]) / RETURN_UNIT
    q = np.array([70_000_00, 10_000_00])
    assert seen.parametric == pytest.approx(2.326_347_874_040_841 * math.sqrt(q @ np.cov(returns) @ q))


@pytest.mark.parametrize(
    ("positions", "instrument", "notional", "code"),
    [
        ({}, "test:PEPE", 1, "unknown_instrument"),
        ({"test:PEPE": 1}, BTC, 1, "unknown_instrument"),
        ({BTC: math.nan}, BTC, 1, "not_a_number"),
        ({}, BTC, math.nan, "not_a_number"),
        ({}, BTC, 1.5, "not_a_number"),
        ({}, BTC, None, "not_a_number"),
        ({3: 1}, BTC, 1, "not_a_number"),
        ({}, BTC, 2**63, "not_a_number"),
        ({}, BTC, 2**62, "too_large"),
        ({BTC: -(2**62)}, BTC, 1, "too_large"),
    ],
)
def test_what_cannot_be_judged_is_refused_and_the_next_order_judged_as_before(
    positions: dict[str, int], instrument: str, notional: int, code: str
) -> None:
    risk, _ = warm()
    before = risk.assess({BTC: 500}, ETH, 70)
    with pytest.raises(RiskUnavailable) as refused:
        risk.assess(positions, instrument, notional)
    assert refused.value.code == code
    assert risk.assess({BTC: 500}, ETH, 70) == before


def test_too_few_scenarios_and_stale_closes_are_refused() -> None:
    risk, clock = desk()
    feed(risk, clock, walk(1, 50))
    with pytest.raises(RiskUnavailable, match="49 scenarios, and a figure needs 50") as few:
        risk.assess({}, BTC, 1)
    assert few.value.code == "few_scenarios"
    feed(risk, clock, walk(1, 51)[-1:], first=51)
    risk.assess({}, BTC, 1)
    clock.advance_to(51 * MINUTE + SETTINGS.max_age_ns)
    risk.assess({}, BTC, 1)
    clock.advance_to(51 * MINUTE + SETTINGS.max_age_ns + 1)
    with pytest.raises(RiskUnavailable, match=f"newest close of {BTC}") as stale:
        risk.assess({}, BTC, 1)
    assert stale.value.code == "stale"


@pytest.mark.parametrize(
    ("time", "closes", "code"),
    [
        (160, {BTC: 1_000_000, ETH: 1_000_000}, "out_of_order"),
        (161, {BTC: 0, ETH: 1_000_000}, "invalid_close"),
        (161, {BTC: 10**12, ETH: 1_000_000}, "wild_return"),
        (161, {"test:PEPE": 1}, "unknown_instrument"),
        (161, {BTC: math.nan}, "not_a_number"),
    ],
)
def test_closes_that_are_refused_change_nothing(time: int, closes: dict[str, int], code: str) -> None:
    risk, _ = warm()
    before = risk.snapshot()
    with pytest.raises(RiskUnavailable) as refused:
        risk.on_bar(time * MINUTE, closes)
    assert refused.value.code == code
    assert risk.snapshot() == before


def test_settings_out_of_range_are_named() -> None:
    with pytest.raises(RiskUnavailable, match="min_scenarios is 101"):
        desk(ValueAtRiskSettings(window=100, min_scenarios=101))
    with pytest.raises(RiskUnavailable, match="instruments is none"):
        ValueAtRisk({}, SETTINGS, MarketClock())
    with pytest.raises(RiskUnavailable):
        desk(ValueAtRiskSettings(window=-1))


def test_an_instrument_of_unknown_past_is_charged_whole_and_linked_to_all() -> None:
    risk, clock = desk()
    feed(risk, clock, [{BTC: row[BTC]} for row in walk(3, 100)])
    feed(risk, clock, walk(3, 160)[100:160], first=101)
    alone, with_new = risk.assess({BTC: 10_000}, BTC, 0), risk.assess({BTC: 10_000}, ETH, -1_000)
    assert with_new.uncovered == 1_000
    assert with_new.value_at_risk == alone.value_at_risk + 700
    assert with_new.parametric == pytest.approx(alone.parametric + 700)
    assert risk.correlation()[BTC][ETH] == 1.0
    assert risk.clusters({BTC: 10_000}, ETH, -1_000, 1.0) == [([BTC, ETH], 11_000)]


def test_clusters_follow_the_correlation() -> None:
    risk, _ = warm()
    rho = risk.correlation()[BTC][ETH]
    assert 0.8 < rho < 0.99
    assert risk.clusters({BTC: 700}, ETH, -300, rho) == [([BTC, ETH], 1_000)]
    assert risk.clusters({BTC: 700}, ETH, -300, math.nextafter(rho, 2)) == [([BTC], 700), ([ETH], 300)]
    assert risk.clusters({BTC: 700}, BTC, -700, 0.5) == []
    with pytest.raises(RiskUnavailable, match="2.0"):
        risk.clusters({}, BTC, 1, 2.0)


def ledoit_wolf(returns: np.ndarray) -> tuple[np.ndarray, float]:
    """Written from the appendix of Ledoit and Wolf (2004) with whole matrices: (shrunk correlation, intensity)."""
    rows, wide = returns.shape
    y = returns - returns.mean(axis=0)
    s = y.T @ y / rows
    deviation = np.sqrt(np.diag(s))
    r = s / np.outer(deviation, deviation)
    mean = (r.sum() - wide) / (wide * (wide - 1))
    f = mean * np.outer(deviation, deviation)
    np.fill_diagonal(f, np.diag(s))
    pi = (y**2).T @ (y**2) / rows - s**2
    theta = (y**3).T @ y / rows - np.diag(s)[:, None] * s
    np.fill_diagonal(theta, 0.0)
    rho = np.trace(pi) + mean * np.sum(np.outer(1 / deviation, deviation) * theta)
    kappa = (pi.sum() - rho) / np.sum((f - s) ** 2)
    delta = max(0.0, min(1.0, kappa / rows))
    shrunk = delta * f + (1 - delta) * s
    return shrunk / np.outer(deviation, deviation), delta


@pytest.mark.parametrize("rows", [15, 60, 400, 4_000])
def test_correlations_are_shrunk_as_published(rows: int) -> None:
    chance = np.random.default_rng(rows)
    returns = chance.standard_t(4, (rows, 5)) * [0.01, 0.02, 0.03, 0.01, 0.05]
    returns += chance.normal(0.0, 0.01, (rows, 1)) * [1.0, 1.0, 0.0, 2.0, 0.0]
    wanted, delta = ledoit_wolf(returns)
    made = shrunk_correlation([list(column) for column in returns.T])
    assert made is not None
    assert made[1] == pytest.approx(delta, rel=1e-9)
    assert 0.0 < delta <= 1.0
    np.testing.assert_allclose(made[0], wanted, rtol=1e-9, atol=1e-12)


def test_stresses_have_sources_and_the_fall_of_march_2020_is_recorded(shared_data: object) -> None:
    import polars as pl

    table = pl.read_parquet(f"{shared_data}/crypto_klines/binance_spot_BTCUSDT_1d.parquet")
    day = pl.from_epoch("open_time", time_unit="ms").dt.date().cast(pl.String)
    moves = dict(table.select(day, pl.col("close").pct_change()).iter_rows())
    for name, date in [("covid_2020_03_12", "2020-03-12"), ("china_ban_2021_05_19", "2021-05-19"),
                       ("ftx_2022_11_09", "2022-11-09"), ("squeeze_2017_12_07", "2017-12-07")]:  # fmt: skip
        points = STRESSES[name][1]["BTC"]
        assert abs(points) - 1 < abs(moves[date]) * 10_000 <= abs(points), name
    assert all(source for source, _, _, _ in STRESSES.values())


def test_a_snapshot_goes_on_as_if_nothing_had_happened() -> None:
    rows = walk(5, 400)
    straight, clock = desk()
    feed(straight, clock, rows[:200])
    straight.assess({BTC: 90_000, ETH: 5}, ETH, 1)
    feed(straight, clock, rows[200:260], first=201)
    again, other = desk()
    again.restore(straight.snapshot())
    other.advance_to(clock.now())
    assert again.snapshot() == straight.snapshot()
    for risk, its_clock in ((straight, clock), (again, other)):
        feed(risk, its_clock, rows[260:], first=261)
    assert again.snapshot() == straight.snapshot()
    assert again.assess({BTC: 10}, ETH, 77) == straight.assess({BTC: 10}, ETH, 77)
    assert again.verdict == straight.verdict
    assert straight.verdict.forecasts == 199


def test_damaged_or_foreign_snapshots_are_refused() -> None:
    risk, _ = warm()
    saved = risk.snapshot()
    for data in (b"", b"nonsense", saved[:-20], saved.replace(b"RISK", b"KSIR")):
        with pytest.raises(SnapshotError):
            desk()[0].restore(data)
    with pytest.raises(SnapshotError, match="other settings"):
        desk(msgspec.structs.replace(SETTINGS, horizon=2))[0].restore(saved)


def test_forecasts_are_set_beside_what_followed() -> None:
    """A calm market, then three falls in a row, each larger than any before: exceedances that cluster."""
    risk, clock = desk(ValueAtRiskSettings(window=100, min_scenarios=100, tested=250))
    feed(risk, clock, [{BTC: 10**12 + 10**9 * (number % 2)} for number in range(101)])
    assert risk.verdict.zone is Zone.UNTESTED
    risk.assess({BTC: 1_000_000}, BTC, 0)
    close, later = 10**12, []
    for number in range(130):
        close = close * (100 - {110: 2, 111: 3, 112: 4}.get(number, 0)) // 100
        later.append({BTC: close})
    feed(risk, clock, later, first=102)
    assert [number for number, exceeded in enumerate(risk.record.exceeded) if exceeded] == [109, 110, 111]
    verdict = risk.verdict
    assert (verdict.forecasts, verdict.exceedances, verdict.trusted) == (129, 3, False)
    assert verdict.independence.rejects
    assert verdict.tighten_by == pytest.approx(2 / 1.5)
    risk.assess({}, BTC, 0)
    feed(risk, clock, later[-1:] * 5, first=232)
    assert risk.verdict.forecasts == 130


def test_ranks() -> None:
    assert [var_rank(n, 0.99) for n in (1, 99, 200, 1_000)] == [1, 1, 2, 10]
