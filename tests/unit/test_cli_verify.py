"""`smc-agent verify`: what it counts, what it tells, and that it fails where something differs."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from smc_trading_agent._core import EVENT_KINDS, FEATURE_NAMES, Bars, ReadingAudit, audit_legacy
from smc_trading_agent.cli import app
from smc_trading_agent.research import prefixes
from smc_trading_agent.research.prefixes import Counts, PrefixVerdict, Restored, sample_prefixes
from tests.runs import synthetic

BARS = 3_000
KEYS = {"bars", "prefixes", "rewritten", "vanished", "stream_equals_batch", "journal_hashes_equal"}


def smc_agent(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def answer(result: Result, code: int = 0) -> dict[str, Any]:
    """The one JSON object on standard output."""
    assert result.exit_code == code, result.output
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tape") / "tape.parquet"
    answer(smc_agent("data", "synthesize", "--out", file, "--bars", BARS, "--seed", 11, "--json"))
    return file


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `config.yaml` in the working folder."""
    monkeypatch.chdir(tmp_path)


def test_every_kind_every_feature_and_every_sort_of_zone_is_counted(tape: Path) -> None:
    result = answer(smc_agent("verify", "--data", tape, "--prefixes", 60, "--window", 2_000, "--json"))
    assert result.keys() >= KEYS
    assert (result["bars"], result["prefixes"]) == (2_000, 60)
    assert (result["rewritten"], result["vanished"], result["backdated"], result["differing_places"]) == (0, 0, 0, 0)
    assert result["stream_equals_batch"] is result["journal_hashes_equal"] is result["passed"] is True
    concepts = result["concepts"].values()
    assert sorted(kind for concept in concepts for kind in concept["kinds"]) == sorted(EVENT_KINDS)
    assert result["features"].keys() == set(FEATURE_NAMES)
    events = sum(concept["events"]["readings"] for concept in concepts)
    features = sum(feature["readings"] for feature in result["features"].values())
    assert events > 1_000
    assert result["readings"] == events + features
    blocks = result["concepts"]["order_block"]
    assert blocks["events"]["readings"] == sum(kind["readings"] for kind in blocks["kinds"].values())
    assert blocks["zones"]["sets"] == 60
    assert blocks["zones"]["zones"] > 0
    assert result["restored"]["snapshots"] == 16
    assert result["restored"]["readings"] > 1_000


def test_all_stands_for_every_prefix_of_the_whole_file(tape: Path, tmp_path: Path) -> None:
    short = tmp_path / "BTCUSDT_1m.parquet"
    pl.read_parquet(tape).head(240).write_parquet(short)
    found = answer(smc_agent("verify", "--data", short, "--prefixes", "all", "--window", "all", "--json"))
    assert (found["bars"], found["prefixes"], found["bars_read"]) == (240, 240, 240 * 241 // 2)
    one = answer(smc_agent("verify", "--data", short, "--prefixes", "ALL", "--threads", 1, "--json"))
    three = answer(smc_agent("verify", "--data", short, "--prefixes", "all", "--threads", 3, "--json"))
    for result in (one, three):
        del result["seconds"], result["threads"]
    assert one == three


def test_the_library_beside_it_rewrites_and_its_causal_twins_do_not(tape: Path) -> None:
    found = answer(smc_agent("verify", "--data", tape, "--prefixes", 20, "--legacy", "--json"))
    assert found["passed"]
    assert found["legacy"]["places"] > 0
    swings = found["legacy"]["columns"]["swing_highs_lows.HighLow"]
    assert swings["rewritten"] + swings["vanished"] + swings["backdated"] > 0
    assert found["legacy_causal"]["places"] == 0
    assert all(
        (counts["rewritten"], counts["vanished"], counts["backdated"]) == (0, 0, 0)
        for counts in found["legacy_causal"]["columns"].values()
    )


def test_a_person_sees_a_line_a_concept(tape: Path) -> None:
    good = smc_agent("verify", "--data", tape, "--prefixes", 5, "--window", 500, "--legacy")
    assert good.exit_code == 0
    assert "nothing was rewritten" in good.stderr
    for words in ("concept", "backdated", "order_block", "judas_swing", "features", "ob.MitigatedIndex", "snapshots"):
        assert words in good.stdout


VERDICT = PrefixVerdict(
    bars=10,
    prefixes=5,
    bars_read=30,
    readings=100,
    rewritten=0,
    vanished=0,
    backdated=0,
    differing_places=0,
    differing_zone_sets=0,
    concepts={},
    features={"return_1": Counts(100)},
    stream_equals_batch=True,
    restored=Restored(1, 10, 0, 0),
)


@pytest.mark.parametrize(
    "broken",
    [
        {"rewritten": 1},
        {"vanished": 1},
        {"backdated": 1},
        {"differing_zone_sets": 1},
        {"stream_equals_batch": False},
        {"restored": Restored(1, 10, 1, 0)},
        {"restored": Restored(1, 10, 0, 1)},
        {"features": {"return_1": Counts(100, rewritten=3)}, "rewritten": 3},
    ],
)
def test_it_fails_where_anything_differs(
    tape: Path, monkeypatch: pytest.MonkeyPatch, broken: dict[str, object]
) -> None:
    verdict = msgspec.structs.replace(VERDICT, **broken)
    # The package's attribute of that name is the command.
    command = importlib.import_module("smc_trading_agent.cli.verify")
    monkeypatch.setattr(command, "verify_prefixes", lambda *_: verdict)
    bad = smc_agent("verify", "--data", tape, "--prefixes", 5, "--window", 500)
    assert bad.exit_code == 1
    assert "this is a bug" in bad.stderr
    assert answer(smc_agent("verify", "--data", tape, "--window", 500, "--json"), 1)["passed"] is False


@pytest.mark.parametrize("option", [("--prefixes", "0"), ("--prefixes", "some"), ("--window", "1"), ("--window", "-3")])
def test_a_number_that_is_none_is_named(tape: Path, option: tuple[str, str]) -> None:
    refused = answer(smc_agent("verify", "--data", tape, *option, "--json"), 2)
    assert option[0] in refused["message"]
    assert '"all"' in refused["message"]


def test_lengths_are_spread_from_the_first_bar_to_the_last() -> None:
    assert sample_prefixes(100, 11, 3) == prefixes.PrefixSample(89, 11, (1, 6, 11))
    assert sample_prefixes(4, None, None).lengths == (1, 2, 3, 4)
    assert sample_prefixes(4, 100, 100) == sample_prefixes(4, None, None)


def test_what_the_watcher_raises_ends_the_audit() -> None:
    market = synthetic(400)
    instrument, bars = market.instrument, Bars.concat(list(market.feed.batches(0)))

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt(f"{done} of {total}")

    with pytest.raises(KeyboardInterrupt):
        ReadingAudit(instrument, "3m", ["15m"], "{}", bars).prefixes(range(1, 300), 2, interrupt)
    with pytest.raises(KeyboardInterrupt):
        audit_legacy(instrument, bars, 5, False, range(1, 300), 2, interrupt)
