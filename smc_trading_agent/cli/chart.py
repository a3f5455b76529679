"""`smc-agent chart`: a picture of what the detector read, each thing labelled with when it became known."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from smc_trading_agent._core import DivergenceDetector
from smc_trading_agent.charts.beside import Beside, read_beside
from smc_trading_agent.charts.document import Look, counts_of, document_of, page_of
from smc_trading_agent.charts.photo import Frame, find_browser, photograph
from smc_trading_agent.charts.reading import Reading, read_span
from smc_trading_agent.charts.span import span_of
from smc_trading_agent.charts.vocabulary import DEFAULT_CONCEPTS, chosen
from smc_trading_agent.cli.options import (
    AsJson,
    ConfigFile,
    DataFile,
    IgnoreUnknown,
    Inverse,
    LotSize,
    SecondFile,
    Symbol,
    TickSize,
    errors_as_exit_codes,
    file_options,
    progress_bar,
    refuse_lone_inverse,
    settings_for,
)
from smc_trading_agent.cli.output import emit, replaced_whole
from smc_trading_agent.domain.clock import utc_text
from smc_trading_agent.domain.errors import DataError
from smc_trading_agent.research.pairs import open_pair
from smc_trading_agent.runtime.markets import OpenedMarket, open_file
from smc_trading_agent.smc_detector.reader import MarketReader


class Theme(StrEnum):
    """Colours of a chart."""

    AUTO = "auto"
    DARK = "dark"
    LIGHT = "light"


DEFAULTS = ", ".join(DEFAULT_CONCEPTS)
Out = Annotated[Path, typer.Option("--out", help="A page (.html) or a picture (.png); an existing one is replaced.")]
Timeframe = Annotated[str | None, typer.Option("--timeframe", help="Of the candles; the file's own when left out.")]
Since = Annotated[str | None, typer.Option("--from", help="First day or time, UTC; the last 300 bars when left out.")]
Until = Annotated[str | None, typer.Option("--to", help="Last day, or the end as a time; nothing later is read.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Show what was known then; the end when left out.")]
Concepts = Annotated[str | None, typer.Option("--concepts", help=f"Comma-separated, or all. By default {DEFAULTS}.")]
Colours = Annotated[Theme, typer.Option("--theme", help="auto is the reader's own in a page, dark in a picture.")]
Width = Annotated[int, typer.Option("--width", min=320, max=4096, help="Of a picture, in CSS pixels.")]
Height = Annotated[int, typer.Option("--height", min=240, max=4096, help="Of a picture, in CSS pixels.")]
Scale = Annotated[float, typer.Option("--scale", min=1.0, max=4.0, help="Device pixels to a CSS pixel of a picture.")]
Browser = Annotated[Path | None, typer.Option("--browser", help="The Chromium that takes a .png; found when left out.")]


def chart(
    data: DataFile,
    out: Out,
    second: SecondFile = None,
    inverse: Inverse = False,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    timeframe: Timeframe = None,
    concepts: Concepts = None,
    theme: Colours = Theme.AUTO,
    width: Width = 1440,
    height: Height = 810,
    scale: Scale = 2.0,
    browser: Browser = None,
    config: ConfigFile = None,
    symbol: Symbol = "",
    tick_size: TickSize = "",
    lot_size: LotSize = "",
    ignore_unknown: IgnoreUnknown = False,
    as_json: AsJson = False,
) -> None:
    """Draw candles with what the detector read on them, each thing labelled with when it became known.

    The detector reads the file from its beginning, and stops at --to: what is drawn is what was known. The page
    scrubs back to any of its bars, and shows what was known then; it is one file and needs no network.

    With a second instrument its bars stand below, and the SMT divergences of the two on both.
    """
    with errors_as_exit_codes(as_json):
        refuse_lone_inverse(second, inverse)
        still = _kind_of(out) == ".png"
        program = find_browser(browser) if still else None
        kinds, span = chosen(concepts, beside=second is not None), span_of(since, until, as_of)
        opened = open_file(data, file_options(symbol, tick_size, lot_size, ignore_unknown))
        market = opened.market
        structure = settings_for(config, timeframe or market.base_timeframe, "").structure
        reader = MarketReader(market.instrument, market.base_timeframe, structure)
        with progress_bar(as_json) as progress:
            task = progress.add_task("reading", total=market.feed.total_bars)
            reading = read_span(market.feed, reader, span, kinds, lambda bars: progress.update(task, completed=bars))
            beside = None if second is None else _beside(second, opened, inverse, reading, ignore_unknown)
            colours = Theme.DARK if still and theme is Theme.AUTO else theme
            look = Look(label=opened.label, file=data.name, theme=colours.value, still=still)
            page = page_of(document_of(reading, market.instrument, kinds, look, span.as_of, beside))
            progress.update(task, description="drawing")
            frame = Frame(width, height, scale)
            content = page.encode() if program is None else photograph(page, frame, program)
            with replaced_whole(out) as temporary:
                temporary.write_bytes(content)
    emit(
        {
            "file": str(out),
            "label": opened.label,
            "instrument": market.instrument.key,
            **_told(reading, beside, span.as_of),
        },
        as_json,
    )


def _told(reading: Reading, beside: Beside | None, as_of: int | None) -> dict[str, object]:
    """What a result says of what was read."""
    things = [*reading.things, *(beside.things if beside else ())]
    return {
        "timeframe": reading.timeframe,
        "from": utc_text(reading.bars[0].open_time),
        "to": utc_text(reading.end),
        "as_of": utc_text(reading.end if as_of is None else as_of),
        "bars": len(reading.bars),
        "warmup_bars": reading.warmup,
        "known": counts_of(things, as_of),
        **({} if beside is None else {"with": beside.instrument.key, "label_of_with": beside.label}),
    }


def _beside(path: Path, first: OpenedMarket, inverse: bool, reading: Reading, ignore_unknown: bool) -> Beside:
    """The instrument of --with over the same bars."""
    pair = open_pair(first, reading.timeframe, path, inverse, ignore_unknown)
    detector = DivergenceDetector(reading.timeframe, pair.config)
    return read_beside(pair.steps(), detector, reading, pair.instrument, pair.file, pair.label)


def _kind_of(out: Path) -> str:
    kind = out.suffix.lower()
    if kind not in (".html", ".png"):
        raise DataError(f"--out {out} must end in .html, a page, or in .png, a picture")
    if out.is_dir():
        raise DataError(f"--out {out} is a directory; name a file in it")
    if not out.parent.is_dir():
        raise DataError(f"--out {out} lies in no folder that exists; make {out.parent} first, or choose another --out")
    return kind
