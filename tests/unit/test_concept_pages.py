"""The pages on the concepts are those that the code would generate now, and say so when something is left to write."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from smc_trading_agent._core import DivergenceDetector
from smc_trading_agent.data_pipeline.following import SYMBOL, following
from smc_trading_agent.data_pipeline.instruments import SYNTHETIC, instrument_named
from smc_trading_agent.domain.errors import ConfigError, DataError
from smc_trading_agent.research.concept_pages import pictures
from smc_trading_agent.research.concept_pages.pages import (
    DOCS,
    MAP,
    Tree,
    all_pages,
    concept_page,
    linked,
    map_page,
    missing,
    read_tree,
)
from smc_trading_agent.research.concept_pages.pictures import beginnings, command, pair_shots, shots
from smc_trading_agent.research.concept_pages.rust_sources import (
    FOLDER,
    documentation,
    read_sources,
    sentences_of_knowing,
)
from smc_trading_agent.research.pairs import Pair
from tests.runs import tape

ROOT = Path(__file__).parents[2]
TREE = read_tree(ROOT)
PAGES = all_pages(TREE)
SECOND = instrument_named(SYNTHETIC, SYMBOL)


@pytest.mark.parametrize("path", sorted(PAGES), ids=Path.as_posix)
def test_page_is_current(path: Path) -> None:
    written = (ROOT / path).read_text(encoding="utf-8")
    assert written == PAGES[path], f"run `make docs-tables`: {path} is out of date"


def test_no_page_has_lost_its_concept() -> None:
    folders = [ROOT / DOCS / "concepts" / group for group in (*TREE.additions.groups, "other")]
    written = {path.relative_to(ROOT) for folder in folders for path in folder.glob("*.md")}
    assert written - set(PAGES) == set()


def test_nothing_is_left_to_write() -> None:
    assert missing(TREE) == []


def test_every_page_has_its_parts() -> None:
    for module, concept in TREE.sources.concepts.items():
        text = concept_page(TREE, concept)
        for part in ("## Definition", "## When it is knowable", "## Life", "## Parameters", f"{module}.rs`"):
            assert part in text, (module, part)
        assert "[`" not in text, module
    block = PAGES[TREE.place("order_block")]
    assert "| `order_block.max_count` | `100` |" in block
    assert "`order_block_mitigated`" in block
    assert "**EURUSD 15m**" in block


OWN = """\
/// The moon.
pub struct MoonConfig {
    /// How near.
    pub near: f64,
    /// How found.
    #[serde(skip)]
    pub rule: PivotRule,
}

impl Default for MoonConfig {
    fn default() -> Self {
        Self { near: 1.5, rule: PivotRule::Fractal }
    }
}
"""


def grown(tmp_path: Path, module: str, text: str) -> Tree:
    """The tree with one more module in the detector."""
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    (folder / "config").mkdir()
    for path in [*(ROOT / FOLDER).glob("*.rs"), *(ROOT / FOLDER / "config").glob("*.rs")]:
        (tmp_path / path.relative_to(ROOT)).write_bytes(path.read_bytes())
    listed = (folder / "mod.rs").read_text(encoding="utf-8")
    (folder / "mod.rs").write_text(f"{listed}\npub mod {module};\n", encoding="utf-8")
    (folder / f"{module}.rs").write_text(text, encoding="utf-8")
    (folder / "config" / "moon.rs").write_text(OWN, encoding="utf-8")
    return msgspec.structs.replace(TREE, root=tmp_path, sources=read_sources(tmp_path))


NEW = """\
//! Full moon: an instance.
//!
//! At t if the moon is full ([`super::pivot`], [`super::civil_time`]):
//! - **bright**: all of it.
//!
//! Knowable at the close of t. Life, none.
use super::config::{MoonConfig, OrderBlockConfig};
fn f() { emit(EventKind::Displacement); g(event.kind == EventKind::Bos); match k { EventKind::Choch => 1, _ => 2 } }
#[cfg(test)]
mod tests { const K: EventKind = EventKind::Mss; }
"""


def test_a_new_module_gets_a_page_and_its_introduction_is_asked_for(tmp_path: Path) -> None:
    tree = grown(tmp_path, "full_moon", NEW)
    concept = tree.sources.concepts["full_moon"]
    assert concept.title == "Full moon: an instance."
    assert concept.knowable == ("At the close of t.",)
    assert (concept.kinds, concept.settings) == (("displacement",), ("order_block",))
    page = all_pages(msgspec.structs.replace(tree, root=ROOT))[DOCS / "concepts" / "other" / "full_moon.md"]
    assert "[swing points](../structure/pivot.md), `civil_time`):\n\n- **bright**" in page
    assert "| `near` | `1.5` | How near. |\n| `rule` | `fractal` | How found. |" in page
    assert [sentence for sentence in missing(tree) if "full_moon" in sentence] == [
        "full_moon: no entry in concepts.yaml; its page has no introduction and lies in other/"
    ]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="root of the source tree"):
        read_sources(tmp_path)
    with pytest.raises(DataError, match="full_moon.rs has no module documentation"):
        grown(tmp_path, "full_moon", "fn f() {}\n")
    (tmp_path / MAP).parent.mkdir(parents=True)
    (tmp_path / MAP).write_text("# Map\n", encoding="utf-8")
    with pytest.raises(DataError, match="lacks the lines"):
        map_page(msgspec.structs.replace(TREE, root=tmp_path))


def test_a_picture_is_shown_where_there_is_one(tmp_path: Path) -> None:
    tree = msgspec.structs.replace(TREE, root=tmp_path)
    concept = TREE.sources.concepts["order_block"]
    assert "![" not in concept_page(tree, concept)
    picture = tmp_path / "docs" / "images" / "concepts" / "order_block.png"
    picture.parent.mkdir(parents=True)
    picture.touch()
    assert "](../../images/concepts/order_block.png)" in concept_page(tree, concept)


def test_documentation_is_told_from_code() -> None:
    text = "//! One.\n//!\n//! Two:\n//! - a\n//!   more\n//! - b\n\nuse x; // no\n"
    assert documentation(text) == ["One.", "Two:", "- a\n  more\n- b"]
    assert sentences_of_knowing(["A. Knowable at\nt, of p.q. B.", "Not. knowable."]) == ("At t, of p.q.",)
    assert linked(TREE, TREE.place("pivot"), "[`super::pivot`] [`Factor`]") == "`pivot` `Factor`"


def test_the_picture_of_two_instruments_begins_before_the_older_pivot() -> None:
    first = tape(12_000, seed=7)
    both = Pair(first, following(first, tape(12_000, seed=8), 0.9), "second.parquet", "SYNTHETIC", SECOND)
    (shot,) = pair_shots(TREE, both, Path("second.parquet"))
    assert (shot.module, shot.kinds) == ("divergence", ("smt_divergence",))
    detector, inside = DivergenceDetector("1m"), 0
    for step in both.steps():
        for event in detector.update(*step):
            anchors = detector.anchors(event.id)
            times = [time for pivots in anchors or () for time, _ in pivots]
            inside += bool(times) and shot.start < min(times) and event.confirmed_at < shot.end
    assert inside > 0
    words = command(shot, Path("first.parquet")).split()
    assert words[words.index("--with") + 1] == "second.parquet"
    assert int(words[words.index("--height") + 1]) > 420


def test_the_files_of_the_pictures_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments in (["."], [".", "first.parquet"], [".", "first.parquet", "--without", "second.parquet"]):
        monkeypatch.setattr(sys, "argv", ["pictures", *arguments])
        with pytest.raises(ConfigError, match="--with SECOND"):
            pictures.main()


def test_pictures_are_commands_that_show_an_instance() -> None:
    assert beginnings(["order_block", "order_block_touched", "bos"]) == ("order_block", "bos")
    bars = tape(12_000)
    found = {shot.module: shot for shot in shots(TREE, bars)}
    assert {"order_block", "fair_value_gap", "structure", "liquidity"} <= set(found)
    assert "atr" not in found
    shot = found["order_block"]
    assert shot.start < shot.end
    words = command(shot, Path("market.parquet")).split()
    assert words[:4] == ["smc-agent", "chart", "--data", "market.parquet"]
    assert words[words.index("--concepts") + 1] == "order_block,bos,choch"
    assert words[words.index("--out") + 1] == "docs/images/concepts/order_block.png"
