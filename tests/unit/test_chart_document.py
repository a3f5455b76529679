"""The data that is put into the chart page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from smc_trading_agent._core import Bar
from smc_trading_agent.charts import document
from smc_trading_agent.charts.document import PLACE, ChartDocument, Look, counts_of, document_of, page_of
from smc_trading_agent.charts.reading import Reading
from smc_trading_agent.charts.things import Change, Thing
from smc_trading_agent.charts.vocabulary import Shape
from smc_trading_agent.data_pipeline.synthetic import SyntheticFeed
from smc_trading_agent.domain.errors import DrawingError

MIRROR = Path(__file__).resolve().parents[2] / "dashboard" / "src" / "file" / "document.ts"
MINUTE = 60_000_000_000


def interfaces() -> dict[str, list[str]]:
    found = re.findall(r"export interface (\w+) \{(.*?)\n\}", MIRROR.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {name: re.findall(r"^  (\w+):", body, flags=re.MULTILINE) for name, body in found}


@pytest.fixture
def made() -> ChartDocument:
    bars = [Bar(at * MINUTE, (at + 1) * MINUTE, 100, 120, 90, 110, 7) for at in (60, 61)]
    change = Change(9, "touched", 62 * MINUTE, 90, 95, False, True)
    box = Thing(4, "order_block", Shape.ZONE, 1, 0, "internal", 58 * MINUTE, 61 * MINUTE, 90, 95, 3, "bos", False)
    reading = Reading("1m", bars, [msgspec.structs.replace(box, changes=(change,))], 60, 0)
    look = Look(label="SYNTHETIC", file="</script><b>.parquet", theme="dark", still=False)
    return document_of(reading, SyntheticFeed(1, length=1).instrument, ["order_block"], look, None)


def test_the_page_and_the_command_name_the_same_fields() -> None:
    models = [
        item for item in vars(document).values() if isinstance(item, type) and item.__module__ == document.__name__
    ]
    assert interfaces() == {model.__name__: list(model.__struct_fields__) for model in models}


def test_times_are_seconds_and_prices_are_on_the_grid(made: ChartDocument) -> None:
    assert made.bars.time == [3_600, 3_660]
    assert made.bars.high == [1.2, 1.2]
    assert (made.as_of, made.bar_seconds, made.warmup) == (3_720, 60, 60)
    thing = made.things[0]
    assert (thing.formed_at, thing.confirmed_at, thing.low, thing.high) == (3_480, 3_660, 0.9, 0.95)
    assert (thing.changes[0].name, thing.changes[0].at, thing.changes[0].ambiguous) == ("touched", 3_720, True)


def test_no_text_of_the_data_ends_the_element_it_stands_in(made: ChartDocument, tmp_path: Path) -> None:
    template = tmp_path / "chart.html"
    template.write_text(f"<head>{PLACE}</head>", encoding="utf-8")
    page = page_of(made, template)
    assert page.count("</script>") == 1
    data = json.loads(page.removeprefix("<head>").removesuffix("</script></head>").split(">", 1)[1])
    assert data == msgspec.to_builtins(made)


def test_a_page_that_is_not_built_names_the_remedy(made: ChartDocument, tmp_path: Path) -> None:
    with pytest.raises(DrawingError, match="make setup"):
        page_of(made, tmp_path / "chart.html")
    (tmp_path / "chart.html").write_text("<html>", encoding="utf-8")
    with pytest.raises(DrawingError, match="no place"):
        page_of(made, tmp_path / "chart.html")


def test_things_are_counted_as_they_were_known() -> None:
    thing = Thing(1, "bos", Shape.LINE, 1, 1, "swing", 0, 2 * MINUTE, 5, 5, 0, "", False)
    assert counts_of([thing, msgspec.structs.replace(thing, id=2, known_at=MINUTE)], None) == {"bos": 2}
    assert counts_of([thing], MINUTE) == {}
