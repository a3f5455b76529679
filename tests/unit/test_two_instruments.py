"""`--with`: two instruments read together, by every command that takes the second one's file."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from smc_trading_agent._core import Bars, DivergenceDetector, Event, aggregate_bars
from smc_trading_agent.charts.document import TEMPLATE
from smc_trading_agent.cli import app
from smc_trading_agent.data_pipeline.following import following
from smc_trading_agent.data_pipeline.instruments import SYNTHETIC, instrument_named
from smc_trading_agent.domain.errors import ConfigError, DataError
from smc_trading_agent.research import pair_proof
from smc_trading_agent.research.base_rate_table import load_report, markdown
from smc_trading_agent.research.base_rates import Study, measure_pair
from smc_trading_agent.research.pair_proof import verify_pair
from smc_trading_agent.research.pairs import Pair, pair_of
from smc_trading_agent.research.prefixes import Counts, Restored
from smc_trading_agent.runtime.markets import FileOptions, open_file
from tests.runs import tape

BARS = 3_000
built = pytest.mark.skipif(not TEMPLATE.is_file(), reason="the chart page is not built; run make setup")


def call(*arguments: object, code: int = 0) -> dict[str, Any]:
    """The one JSON object on standard output."""
    result = CliRunner().invoke(app, [*(str(argument) for argument in arguments), "--json"])
    assert result.exit_code == code, result.output
    answered: dict[str, Any] = json.loads(result.stdout)
    return answered


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("two")
    first, second = folder / "first.parquet", folder / "second.parquet"
    call("data", "synthesize", "--bars", BARS, "--seed", 7, "--out", first)
    told = call("data", "synthesize", "--bars", BARS, "--seed", 8, "--follow", 7, "--out", second)
    assert told["market"].endswith("SYN2USDT tick=0.01 lot=0.00001 follow=7 correlation=0.9")
    return first, second


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `config.yaml` in the working folder."""
    monkeypatch.chdir(tmp_path)


def pair(length: int = BARS, lacking: int = 17) -> Pair:
    """Two synthetic instruments; the second lacks every ``lacking``-th bar."""
    first = tape(length, seed=7)
    second = following(first, tape(length, seed=8), 0.9)
    kept = Bars.from_list("1m", [second[at] for at in range(length) if at % lacking])
    return Pair(first, kept, "second.parquet", "SYNTHETIC", instrument_named(SYNTHETIC, "SYN2USDT"))


# ---------------------------------------------------------------- the second market


def test_a_market_follows_another_as_closely_as_it_is_told() -> None:
    leader, own = tape(20_000, seed=7), tape(20_000, seed=8)

    def returns(bars: Bars) -> Any:
        return np.diff(np.log(bars.columns()["close"]))

    for correlation in (0.0, 0.5, 0.9):
        made = following(leader, own, correlation)
        assert np.corrcoef(returns(leader), returns(made))[0, 1] == pytest.approx(correlation, abs=0.05)
        assert returns(made).std() == pytest.approx(returns(own).std(), rel=0.15)
        assert made.columns()["volume"].tolist() == own.columns()["volume"].tolist()
    assert following(leader, own, 1.0).columns()["close"].tolist() == leader.columns()["close"].tolist()


def test_what_can_follow_nothing_is_named(tmp_path: Path) -> None:
    refused = call("data", "synthesize", "--bars", 9, "--follow", 1, "--correlation", 1.5, "--out", "a.parquet", code=2)
    assert "--correlation is 1.5" in refused["message"]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match="open at the same times"):
        following(tape(10), tape(11), 0.5)


# ---------------------------------------------------------------- two files


def test_the_second_is_brought_to_the_timeframe_of_the_first(files: tuple[Path, Path]) -> None:
    minutes = tape(BARS, seed=7)
    found = pair_of(aggregate_bars(minutes, "5m"), "second.parquet", open_file(files[1], FileOptions()), inverse=True)
    assert (found.second.timeframe, len(found.second), len(found.times)) == ("5m", BARS // 5, BARS // 5)
    assert (found.instrument.symbol, found.label, found.config) == (
        "SYN2USDT",
        "SYNTHETIC",
        '{"correlation": "inverse"}',
    )
    with pytest.raises(DataError, match="none of its bars opens with one of --data"):
        pair_of(minutes.slice(0, 0), "second.parquet", open_file(files[1], FileOptions()), inverse=False)


def test_bars_that_make_no_longer_ones_are_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    hourly = tmp_path / "hourly.parquet"
    step = pl.read_parquet(files[1]).gather_every(60)
    step.write_parquet(hourly, metadata={"synthetic": "true", "venue": "synthetic", "symbol": "SYN2USDT"})
    told = call("base-rates", "--data", files[0], "--with", hourly, "--surrogates", 2, code=2)
    assert "no --data file has bars of 1h" in told["message"]
    told = call("chart", "--data", files[0], "--with", hourly, "--out", "a.html", code=2)
    assert "its bars of 1h make none of 1m" in told["message"]


def test_steps_are_every_open_time_of_either() -> None:
    both = pair(200)
    steps = list(both.steps())
    assert len(steps) == len(both.times) == 200
    assert [bar.open_time for bar, _ in steps if bar] == both.first.columns()["open_time"].tolist()
    assert [at for at, (_, other) in enumerate(steps) if other is None] == list(range(0, 200, 17))
    part = both.between(int(both.times[50]), int(both.times[100]))
    assert (len(part.times), part.second[0].open_time) == (50, int(both.times[50]))


@pytest.mark.parametrize("command", [["base-rates"], ["verify"], ["chart", "--out", "a.html"]])
def test_inverse_alone_is_refused(files: tuple[Path, Path], command: list[str]) -> None:
    assert "give --with too" in call(*command, "--data", files[0], "--inverse", code=2)["message"]


# ---------------------------------------------------------------- verify


def test_prefixes_of_both_are_counted_under_the_concept(files: tuple[Path, Path]) -> None:
    arguments = ("verify", "--data", files[0], "--timeframe", "1m", "--prefixes", 40, "--window", 2_000)
    alone, both = call(*arguments), call(*arguments, "--with", files[1])
    assert both["passed"] is both["divergence"]["stream_equals_batch"] is True
    assert (both["rewritten"], both["vanished"], both["backdated"], both["differing_places"]) == (0, 0, 0, 0)
    found = both["divergence"]
    assert (found["instrument"], found["steps"], found["prefixes"]) == ("synthetic:SYN2USDT", 2_000, 40)
    readings = found["concept"]["events"]["readings"]
    assert readings > 200
    assert both["readings"] == alone["readings"] + readings + 2 * found["steps_read"]
    assert both["concepts"]["smt_divergence"] == found["concept"]
    assert alone["concepts"]["smt_divergence"]["events"]["readings"] == 0
    assert found["in_force"]["in_force_at_highs"]["readings"] == found["steps_read"]
    assert (found["restored"]["snapshots"], found["restored"]["differing_states"]) == (16, 0)
    assert found["restored"]["readings"] > 200


def test_a_person_sees_the_second_instrument(files: tuple[Path, Path]) -> None:
    arguments = [
        "verify",
        "--data",
        files[0],
        "--with",
        files[1],
        "--timeframe",
        "1m",
        "--prefixes",
        5,
        "--window",
        500,
    ]
    shown = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    assert shown.exit_code == 0, shown.output
    assert "SYNTHETIC synthetic:SYN2USDT, 5 prefixes of 500 steps" in shown.stdout


class Hindsight:
    """A double that repaints: given a batch it knows the end, and takes back each divergence that will be broken."""

    def __init__(self, timeframe: str, config: str) -> None:
        self._inner = DivergenceDetector(timeframe, config)

    def run(self, first: Bars, second: Bars) -> list[Event]:
        events = self._inner.run(first, second)
        broken = {event.zone_id for event in events if event.kind == "smt_divergence_broken"}
        return [event for event in events if event.id not in broken]

    def update(self, first: Any, second: Any) -> list[Event]:
        return self._inner.update(first, second)

    def snapshot(self) -> bytes:
        return self._inner.snapshot()

    @staticmethod
    def from_snapshot(data: bytes) -> DivergenceDetector:
        return DivergenceDetector.from_snapshot(data)


class Forgetful(Hindsight):
    """A double whose snapshots lose everything."""

    def run(self, first: Bars, second: Bars) -> list[Event]:
        return self._inner.run(first, second)

    @staticmethod
    def from_snapshot(data: bytes) -> DivergenceDetector:
        return DivergenceDetector("1m")


@pytest.mark.parametrize("double", [Hindsight, Forgetful])
def test_a_double_that_repaints_fails_the_command(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, double: type[Hindsight]
) -> None:
    monkeypatch.setattr(pair_proof, "DivergenceDetector", double)
    arguments = ("--with", files[1], "--timeframe", "1m", "--prefixes", 5, "--window", 2_000)
    found = call("verify", "--data", files[0], *arguments, code=1)
    assert found["passed"] is False
    restored = found["divergence"]["restored"]
    assert found["divergence"]["stream_equals_batch"] is (double is Forgetful)
    assert restored["differing_readings"] > 0


@pytest.mark.parametrize(
    "broken",
    [
        {"concept": pair_proof.Concept(Counts(9, rewritten=1), {}, None)},
        {"concept": pair_proof.Concept(Counts(9, vanished=1), {}, None)},
        {"concept": pair_proof.Concept(Counts(9, backdated=1), {}, None)},
        {"in_force": {"in_force_at_highs": Counts(9, rewritten=1)}},
        {"stream_equals_batch": False},
        {"restored": Restored(1, 9, 1, 0)},
        {"restored": Restored(1, 9, 0, 1)},
    ],
)
def test_it_fails_where_anything_of_both_differs(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, broken: dict[str, object]
) -> None:
    good = verify_pair(pair(400), None, 4, 1, lambda done, total: None)
    assert good.passed
    verdict = msgspec.structs.replace(good, **broken)
    command = importlib.import_module("smc_trading_agent.cli.verify")
    monkeypatch.setattr(command, "verify_pair", lambda *_: verdict)
    arguments = ("--with", files[1], "--timeframe", "1m", "--prefixes", 5, "--window", 500)
    assert call("verify", "--data", files[0], *arguments, code=1)["passed"] is False


def test_threads_change_no_count_of_a_pair() -> None:
    one, three = (verify_pair(pair(400), None, None, threads, lambda done, total: None) for threads in (1, 3))
    assert one == three
    assert (one.prefixes, one.steps_read) == (400, 400 * 401 // 2)


# ---------------------------------------------------------------- base rates


def test_divergences_have_a_rate_and_its_baselines(files: tuple[Path, Path], tmp_path: Path) -> None:
    for name in ("rates.json", "rates.md"):
        arguments = ("--data", files[0], "--with", files[1], "--inverse", "--surrogates", 3, "--out", tmp_path / name)
        call("base-rates", *arguments)
    report = load_report(tmp_path / "rates.json")
    assert report.command.startswith("smc-agent base-rates --data first.parquet --with second.parquet --inverse --surr")
    alone, both = report.markets
    assert (alone.beside, both.beside, both.beside_file) == ("", "synthetic:SYN2USDT", "second.parquet")
    assert {rate.kind for rate in both.rates} == {"smt_divergence", "smt_divergence_broken"}
    assert {rate.scope for rate in both.rates} == {"first_instrument", "second_instrument"}
    assert all(baseline.markets == 3 for rate in both.rates for baseline in rate.baselines.values())
    page = (tmp_path / "rates.md").read_text(encoding="utf-8")
    assert "## SYNUSDT 1m with SYN2USDT" in page
    assert "`first.parquet` (SYNTHETIC) with `second.parquet` (SYNTHETIC)" in page
    assert page.count("**Two instruments.**") == 1
    assert "Two instruments" not in markdown(msgspec.structs.replace(report, markets=(alone,)))


def test_only_the_second_instrument_is_varied_and_the_seed_decides() -> None:
    both, heard = pair(6_000), list[int]()
    first, again, other = (measure_pair(both, Study(surrogates=4, seed=seed), heard.append) for seed in (1, 1, 2))
    assert first == again
    assert [rate.rate for rate in first] == [rate.rate for rate in other]
    assert [rate.baselines for rate in first] != [rate.baselines for rate in other]
    assert heard[:9] == list(range(1, 10))
    # Where the second has no pivots, nothing is found.
    bare = both.second.slice(0, 3)
    assert measure_pair(msgspec.structs.replace(both, second=bare), Study(surrogates=2), heard.append) == ()


def test_a_bad_parameter_of_a_pair_is_named() -> None:
    with pytest.raises(ConfigError, match="atr_multiple is 0"):
        measure_pair(pair(500), Study(surrogates=2, atr_multiple=0.0), lambda done: None)


# ---------------------------------------------------------------- chart


def document(page: Path) -> dict[str, Any]:
    text = page.read_text(encoding="utf-8").split('<script id="document" type="application/json">', 1)[1]
    parsed: dict[str, Any] = json.loads(text.split("</script>", 1)[0])
    return parsed


@built
def test_the_chart_holds_the_second_instrument_and_what_both_say(files: tuple[Path, Path], tmp_path: Path) -> None:
    arguments = (
        "chart",
        "--data",
        files[0],
        "--with",
        files[1],
        "--from",
        "2024-01-02T00:00",
        "--to",
        "2024-01-02T12:00",
    )
    told = call(*arguments, "--concepts", "bos", "--out", tmp_path / "a.html")
    assert (told["with"], told["label_of_with"]) == ("synthetic:SYN2USDT", "SYNTHETIC")
    drawn = document(tmp_path / "a.html")
    assert drawn["concepts"] == ["bos", "smt_divergence"]
    assert drawn["beside"]["bars"]["time"] == drawn["bars"]["time"]
    things = [thing for thing in drawn["things"] if thing["kind"] == "smt_divergence"]
    assert len(things) == told["known"]["smt_divergence"] > 4
    bars = {False: drawn["bars"], True: drawn["beside"]["bars"]}
    checked = 0
    for thing in things:
        assert (thing["shape"], [pivot["second"] for pivot in thing["pivots"]]) == ("pair", [False, False, True, True])
        own = sorted(pivot["price"] for pivot in thing["pivots"][:2])
        assert own == [thing["low"], thing["high"]]
        for pivot in thing["pivots"]:
            assert pivot["time"] + 6 * 60 <= thing["confirmed_at"]
            column = bars[pivot["second"]]
            if pivot["time"] in column["time"]:
                extreme = column["high" if thing["side"] > 0 else "low"]
                assert pivot["price"] == extreme[column["time"].index(pivot["time"])]
                checked += 1
    assert checked > 8


@built
def test_nothing_after_the_end_is_read_of_either(files: tuple[Path, Path], tmp_path: Path) -> None:
    """What was known at a moment is what a chart that ends there shows."""
    arguments = ("chart", "--data", files[0], "--with", files[1], "--timeframe", "3m", "--from", "2024-01-02T00:00")
    then = call(*arguments, "--to", "2024-01-02T12:00", "--out", tmp_path / "then.html")
    later = call(*arguments, "--as-of", "2024-01-02T12:00", "--out", tmp_path / "later.html")
    assert then["known"]["smt_divergence"] == later["known"]["smt_divergence"] > 0
    ends, goes_on = (document(tmp_path / name) for name in ("then.html", "later.html"))
    known = [
        thing
        for thing in goes_on["things"]
        if thing["kind"] == "smt_divergence" and thing["confirmed_at"] <= goes_on["as_of"]
    ]
    for thing in known:
        thing["changes"] = [change for change in thing["changes"] if change["at"] <= goes_on["as_of"]]
    assert known == [thing for thing in ends["things"] if thing["kind"] == "smt_divergence"]


@built
def test_a_second_instrument_of_another_time_is_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    short = tmp_path / "short.parquet"
    labels = {"synthetic": "true", "venue": "synthetic", "symbol": "SYN2USDT"}
    pl.read_parquet(files[1]).head(100).write_parquet(short, metadata=labels)
    told = call("chart", "--data", files[0], "--with", short, "--out", tmp_path / "a.html", code=2)
    assert "short.parquet has no bar among those shown" in told["message"]
