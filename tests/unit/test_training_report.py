"""Model card and report: the verdict first, no figure but those found, plain words where nothing was, no network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smc_trading_agent.domain.clock import utc_text
from smc_trading_agent.research.training import wording
from smc_trading_agent.research.training.card import escaped, write_card
from smc_trading_agent.research.training.document import plain
from smc_trading_agent.research.training.findings import Findings, GateLine, Interval, PairedTest
from smc_trading_agent.research.training.pictures import median_and_worst, thinned
from smc_trading_agent.research.training.report import STYLE, write_report
from smc_trading_agent.research.training.sections import NO_VERDICT
from smc_trading_agent.research.training.svg import numeric_axis, time_axis
from tests.findings import bare, market, path, realistic

NUMBER = re.compile(r"[0-9][0-9,]*(?:\.[0-9]+)?")
# The confidence of every interval, what a sign is told from, the limit of small p-values, the name of the hash.
FIXED = {"95", "0", "0.001", "256"}
NOT_A_NUMBER = re.compile(r"\b(nan|NaN|inf|Infinity|None|null)\b")


def leaves(value: object) -> Iterator[object]:
    """Every number, text and length inside findings."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from leaves(getattr(value, name))
    elif isinstance(value, dict):
        yield from (leaf for pair in value.items() for part in pair for leaf in leaves(part))
    elif isinstance(value, tuple):
        yield len(value)
        yield sum(bool(getattr(item, "passed", False)) for item in value)
        yield from (leaf for item in value for leaf in leaves(item))
    else:
        yield value


def tokens(text: str) -> set[str]:
    return {found.rstrip(",") for found in NUMBER.findall(text.replace("\\", ""))}


def printed(findings: Findings) -> set[str]:
    """All ways in which the figures of findings may be printed."""
    known = set(FIXED)
    for leaf in leaves(findings):
        if isinstance(leaf, str):
            known |= tokens(plain(leaf).replace("`", "'"))
        elif isinstance(leaf, int):
            known |= {f"{abs(leaf):,}", str(abs(leaf)), *tokens(utc_text(leaf))}
            known.add(utc_text(leaf)[:-7].rpartition(" ")[2])
        elif isinstance(leaf, float):
            known |= {f"{abs(leaf):,.{decimals}f}" for decimals in range(5)} | {f"{abs(100.0 * leaf):,.1f}"}
    return known


def strangers(text: str, findings: Findings) -> set[str]:
    return tokens(text) - printed(findings)


class Page(HTMLParser):
    """What a page is made of; a tag closed out of turn raises."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def visible(self) -> str:
        return "\n".join(text for tag, text in self.texts if tag not in {"style", "title", "text"})


def strategy_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of an annotated type; numbers may be NaN and infinite, texts may be markup."""
    arguments = get_args(kind)
    if kind is float:
        return st.floats(-1e6, 1e6) | st.sampled_from([float("nan"), float("inf"), float("-inf"), 0.0, 0.5])
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(0, 4_000_000_000_000_000_000)
    if kind is str:
        return st.text(alphabet="xyzαβ<>|`*_#&\\\"'[]{}~.,-+ 0123456789\n\t\x00", max_size=8)
    if get_origin(kind) in (Union, UnionType):
        return st.one_of(*(st.none() if part is type(None) else strategy_of(part) for part in arguments))
    if get_origin(kind) is tuple:
        return st.lists(strategy_of(arguments[0]), max_size=3).map(tuple)
    if get_origin(kind) is dict:
        return st.dictionaries(strategy_of(arguments[0]), strategy_of(arguments[1]), max_size=3)
    return st.builds(kind, **{name: strategy_of(part) for name, part in get_type_hints(kind).items()})


def test_the_verdict_comes_first() -> None:
    findings = realistic()
    assert write_card(findings).splitlines()[0] == f"# {findings.verdict}"
    page = Page(write_report(findings))
    first = next(text for text in page.texts if text[0] not in {"style", "title"})
    assert (first[0], first[1].replace("\xa0", " ")) == ("h1", findings.verdict)


def test_every_figure_of_the_card_was_found() -> None:
    findings = realistic()
    assert strangers(write_card(findings), findings) == set()
    assert strangers(write_card(findings) + " 12.3457", findings) == {"12.3457"}


def test_the_card_tells_everything_it_must() -> None:
    findings = realistic()
    card = write_card(findings)
    wanted = [market.sha256 for market in findings.markets] + [findings.command, findings.commit, findings.bundle]
    wanted += ["1, 2, 3", "+0.008 R (−0.039 to +0.056)", "can't be told from 0", "0.634", "0.412", "23 trials", "0.371"]
    wanted += [line.condition for line in findings.gate] + [fold.fold for fold in findings.folds]
    wanted += [placebo.name for placebo in findings.placebos] + list(findings.settings) + list(findings.weights)
    wanted += ["0.6183 to 0.6191", "3 of 6 conditions hold", "no worse than the best single expert, logistic"]
    assert [text for text in wanted if text not in card] == []


def test_the_report_tells_what_the_card_tells() -> None:
    findings = realistic()
    said = Page(write_report(findings)).visible().replace("\xa0", " ")
    assert tokens(write_card(findings)) - tokens(said) == set()


@pytest.mark.parametrize("findings", [realistic(), bare()], ids=["realistic", "bare"])
def test_the_report_asks_the_network_for_nothing(findings: Findings) -> None:
    page = Page(write_report(findings))
    names = {tag for tag, _ in page.elements}
    assert names.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "base", "form", "use", "image"})
    attributes = [(name, value or "") for _, given in page.elements for name, value in given.items()]
    assert [value for name, value in attributes if name == "href" and not value.startswith("#")] == []
    assert [name for name, _ in attributes if name in {"src", "srcset", "style"} or name.startswith("on")] == []
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in attributes
    style = STYLE.read_text(encoding="utf-8")
    assert "url(" not in style
    assert "@import" not in style
    assert "://" not in write_report(findings).decode()


def test_the_report_can_be_read_without_seeing_it() -> None:
    page = Page(write_report(realistic()))
    pictures = [given for tag, given in page.elements if tag == "svg"]
    assert all(given.get("aria-hidden") == "true" or given.get("role") == "img" for given in pictures)
    described = [given["aria-label"] or "" for given in pictures if given.get("role") == "img"]
    assert len(described) == 8  # four pictures, each for two widths
    assert all(len(words) > 60 for words in described)
    identities = [given["id"] for _, given in page.elements if "id" in given]
    assert len(set(identities)) == len(identities)
    links = [given["href"] for tag, given in page.elements if tag == "a"]
    assert {f"#{name}" for name in identities} >= set(links)
    assert [given["lang"] for tag, given in page.elements if tag == "html"] == ["en"]
    regions = [given for _, given in page.elements if given.get("class") == "scroll"]
    assert all(given.get("tabindex") == "0" and given.get("aria-label") for given in regions)
    heads = [given.get("scope") for tag, given in page.elements if tag == "th"]
    assert set(heads) == {"col", "row"}


def test_pictures_have_axes_units_and_legends() -> None:
    page = write_report(realistic()).decode()
    for words in (
        "log-loss, nats a label",
        "mean return a trade after costs, R",
        "sum of returns after costs, R",
        "end of the trade (UTC)",
        "forecast P(win)",
        "share of setups that won",
        "number of forecasts",
    ):
        assert page.count(f">{words}") >= 2, words
    assert page.count('<ul class="legend">') == 4
    for words in ("median path, number 4", "worst path, number 0", "95 % interval", "each seed", "chance"):
        assert words in page, words


def contrast(first: str, second: str) -> float:
    """Ratio of two colours by WCAG 2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_marks_stand_out_on_both_grounds(scheme: int) -> None:
    blocks = re.findall(r":root \{(.*?)\}", STYLE.read_text(encoding="utf-8"), re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#\w{6});", blocks[scheme]))
    for ground in ("page", "panel"):
        faint = {
            name: contrast(colours[name], colours[ground])
            for name in ("ink", "muted", "first", "second", "good", "bad")
        }
        assert {name: ratio for name, ratio in faint.items() if ratio < 4.5} == {}


def test_what_was_not_measured_is_said_in_words() -> None:
    card = write_card(bare())
    assert NOT_A_NUMBER.search(card) is None
    assert card.startswith(f"# {NO_VERDICT}\n")
    for words in (
        "closed: no condition was checked",
        "too few trades for an interval",
        "could not be compared with the best single expert, nobody",
        "not measured",
        "Each split of the cross-validation: none.",
        "nothing: no market is named",
    ):
        assert words in card, words
    page = Page(write_report(bare()))
    assert {tag for tag, _ in page.elements}.isdisjoint({"svg", "figure"})
    assert page.visible().count("nothing was measured that could be drawn") == 4


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(strategy_of(Findings))
def test_any_findings_make_a_card_of_their_own_figures_and_a_page_that_holds_together(findings: Findings) -> None:
    card = write_card(findings)
    assert strangers(card, findings) == set()
    assert card.startswith(f"# {escaped(plain(findings.verdict, NO_VERDICT))}\n\nModel card of training run ")
    assert NOT_A_NUMBER.search(card) is None
    page = write_report(findings)
    assert NOT_A_NUMBER.search(page.decode().replace("'none'", "")) is None
    parsed = Page(page)
    first = next(text for tag, text in parsed.texts if tag == "h1")
    assert first.replace("\xa0", " ") == plain(findings.verdict, NO_VERDICT)
    assert {tag for tag, _ in parsed.elements}.isdisjoint({"script", "x", "y", "z"})


@pytest.mark.parametrize("text", ["a|b", "<b>", "*x*", "_x_", "# x", "- x", "1. x", "[a](b)", "&lt;", "`x`", "a\\b"])
def test_text_of_the_findings_never_becomes_markup(text: str) -> None:
    card = escaped(text)
    assert card.replace("\\", "") == text.replace("\\", "")
    assert card != text
    assert escaped("BTC_USDT made 0.5 R") == "BTC_USDT made 0.5 R"


@pytest.mark.parametrize(
    ("difference", "p_value", "word"),
    [(-0.01, 0.01, "better"), (0.01, 0.01, "worse"), (0.01, 0.2, "no worse"), (-0.01, 0.05, "no worse")],
)
def test_the_paired_test_in_words(difference: float, p_value: float, word: str) -> None:
    test = PairedTest("lightgbm", difference, 2.0, p_value)
    assert wording.compared(test) == word
    assert f"The ensemble is {word} than the best single expert, lightgbm" in wording.comparison(test)


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (Interval(0.1, 0.01, 0.2), "above 0 with 95 % confidence"),
        (Interval(0.1, 0.0, 0.2), "can't be told from 0"),
        (Interval(-0.1, -0.2, -0.01), "below 0 with 95 % confidence, a loss"),
        (Interval(0.1, float("nan"), 0.2), "too few trades for an interval"),
        (None, "too few trades for an interval"),
    ],
)
def test_an_interval_beside_zero_in_words(interval: Interval | None, words: str) -> None:
    assert wording.against_zero(interval) == words


def test_numbers_are_written_one_way() -> None:
    assert wording.number(-0.00004, 4) == "0.0000"
    assert wording.number(-1234.5, 1) == "−1,234.5"
    assert wording.in_r(0.5) == "+0.500 R"
    assert wording.number(float("-inf"), 2) == "no finite value"
    assert wording.p_value(0.0004) == "p < 0.001"
    assert wording.seed_spread({"1": 0.7, "2": float("nan"), "3": 0.6}) == "0.6000 to 0.7000"


def test_limits_follow_from_what_was_found() -> None:
    held = GateLine("Deflated Sharpe ratio", "0.97", "at least 0.95", True)
    leak = realistic(leaks=("column atr correlates with the label at lag 1",), gate=(held,))
    card = write_card(leak)
    assert "Any conclusion, before the leak" in card
    assert "column atr correlates" in card
    assert "every condition of the gate holds" in card
    assert "Live trading: the gate is closed" not in card
    synthetic = msgspec.structs.replace(market("SYNUSDT", "c", 100), label="SYNTHETIC")
    assert "some of the data is SYNTHETIC" in write_card(realistic(markets=(synthetic,)))
    trading = msgspec.structs.replace(realistic().trading, expectancy=Interval(0.2, 0.1, 0.3))
    assert "A claim of an edge" not in write_card(realistic(trading=trading))
    assert "A claim of an edge" in write_card(realistic())


def test_axes_hold_their_values_at_round_ticks() -> None:
    axis = numeric_axis([0.17, 0.58], 50.0, 700.0, "share")
    assert [text for _, text in axis.ticks] == ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6"]
    shares = numeric_axis([0.17, 0.21], 50.0, 700.0, "share", 2, percent=True)
    assert [text for _, text in shares.ticks] == ["16 %", "18 %", "20 %", "22 %"]
    assert [text for _, text in numeric_axis([0.0, 0.004], 0.0, 1.0, "", 2).ticks] == ["0.000", "0.002", "0.004"]
    assert (axis.at(0.1), axis.at(0.6), axis.at(9.0)) == (50.0, 700.0, 700.0)
    assert numeric_axis([], 0.0, 1.0, "").low < 0.0 < numeric_axis([0.0, float("nan")], 0.0, 1.0, "").high
    months = time_axis([1_690_848_000_000_000_000, 1_738_330_980_000_000_000], 0.0, 1.0, "", 6)
    assert [text for _, text in months.ticks] == ["2023-10", "2024-01", "2024-04", "2024-07", "2024-10", "2025-01"]
    hours = time_axis([0, 7_200_000_000_000], 0.0, 1.0, "", 4)
    assert [text for _, text in hours.ticks] == ["01-01 00:00", "01-01 12:00", "01-02 00:00"]


def test_a_thinned_curve_keeps_its_ends_and_its_extremes() -> None:
    points = [(index / 50.0, float((index * 37) % 101)) for index in range(5_000)]
    kept = thinned(points)
    assert len(kept) <= 4 * 101
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    for column in range(100):
        inside, left = ([y for x, y in some if int(x) == column] for some in (points, kept))
        assert (min(inside), max(inside)) == (min(left), max(left))


def test_median_and_worst_path_by_total() -> None:
    paths = [path(number, 0.02 * number) for number in range(4)]
    ordered = sorted(paths, key=lambda found: found.total_return)
    assert median_and_worst(paths) == (ordered[1], ordered[0])
    assert median_and_worst([]) == (None, None)


def test_findings_survive_their_file() -> None:
    findings = realistic()
    assert msgspec.json.decode(msgspec.json.encode(findings), type=Findings) == findings
    assert STYLE.parent == Path(wording.__file__).parent
