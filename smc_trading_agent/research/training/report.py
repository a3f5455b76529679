"""The report: what a training run found, as one HTML file with pictures that asks the network for nothing."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from smc_trading_agent.research.training.document import (
    Block,
    Bullets,
    Code,
    Commands,
    Document,
    Inline,
    Mark,
    Paragraph,
    Picture,
    Section,
    Table,
)
from smc_trading_agent.research.training.findings import Findings
from smc_trading_agent.research.training.pictures import NARROW, WIDE, drawn, empty, legend
from smc_trading_agent.research.training.sections import document_of

DATE = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b")
UNIT = re.compile(r"(?<=\d) (?=(?:R|%|s)(?!\w))")
NO_BREAK = "&#8209;"
STYLE = Path(__file__).with_name("report.css")
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The page may use its own style and nothing else: no script, no file, no network."""


def write_report(findings: Findings) -> bytes:
    """The bytes of ``report.html``; the verdict is its first heading. Drawn from ``findings`` alone."""
    document = document_of(findings)
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(document.verdict)}</title>"
        f"<style>\n{STYLE.read_text(encoding='utf-8')}</style></head>\n"
    )
    return (head + _body(document)).encode()


def _body(document: Document) -> str:
    links = "".join(f'<li><a href="#{part.key}">{escape(part.title)}</a></li>' for part in document.sections)
    sections = "\n".join(_section(part) for part in document.sections)
    return (
        f"<body><header><h1>{_text(document.verdict)}</h1><p>{escape(document.byline)}</p></header>\n"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n<main>\n{sections}\n</main></body></html>\n'
    )


def _section(section: Section) -> str:
    blocks = "".join(_block(block) for block in section.blocks)
    names = ", ".join(f"<code>{name}</code>" for name in section.source)
    source = f'<p class="source">From {names} in <code>findings.json</code>.</p>' if names else ""
    head = f'<h2 id="{section.key}-title">{escape(section.title)}</h2>'
    return f'<section id="{section.key}" aria-labelledby="{section.key}-title">{head}{blocks}{source}</section>'


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{''.join(map(_inline, block.parts))}</p>"
    if isinstance(block, Bullets):
        return "<ul>" + "".join(f"<li>{''.join(map(_inline, item))}</li>" for item in block.items) + "</ul>"
    if isinstance(block, Commands):
        return _scrolling("Commands", f"<pre><code>{escape(chr(10).join(block.lines))}</code></pre>")
    return _figure(block) if isinstance(block, Picture) else _table(block)


def _table(table: Table) -> str:
    if not table.rows:
        return f"<p>{escape(table.caption)}: none.</p>"
    kinds = [' class="number"' if index in table.numeric else "" for index in range(len(table.columns))]
    head = "".join(
        f'<th scope="col"{kind}>{escape(name).replace("-", NO_BREAK)}</th>'
        for name, kind in zip(table.columns, kinds, strict=True)
    )
    rows = "".join(
        f'<tr><th scope="row">{_inline(row[0])}</th>'
        + "".join(f"<td{kind}>{_inline(cell)}</td>" for cell, kind in zip(row[1:], kinds[1:], strict=True))
        + "</tr>"
        for row in table.rows
    )
    caption = escape(table.caption)
    inner = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    if table.folded:
        whole = _scrolling(caption, f'<table aria-label="{caption}">{inner}')
        return f"<details><summary>{caption}</summary>{whole}</details>"
    return _scrolling(caption, f"<table><caption>{caption}</caption>{inner}")


def _figure(picture: Picture) -> str:
    """The picture twice, for wide and for narrow screens, of which one is shown."""
    if empty(picture.chart):
        return f"<p>{escape(picture.caption)}: nothing was measured that could be drawn.</p>"
    marks = "".join(
        f'<li><svg viewBox="0 0 24 12" aria-hidden="true">{_swatch(kind)}</svg>{escape(words)}</li>'
        for kind, words in legend(picture.chart)
    )
    drawings = "".join(
        drawn(picture.chart, width, kind, picture.description) for width, kind in ((WIDE, "wide"), (NARROW, "narrow"))
    )
    caption = f"<figcaption>{escape(picture.caption)}</figcaption>"
    return f'<figure>{caption}<ul class="legend">{marks}</ul>{drawings}</figure>'


def _swatch(kind: str) -> str:
    shape, mark = kind.split()
    if shape == "line":
        return f'<line class="{mark if mark in ("ideal", "bar") else f"curve {mark}"}" x1="1" y1="6" x2="23" y2="6"/>'
    if shape == "dot":
        return f'<circle class="{mark}" cx="12" cy="6" r="4.5"/>'
    return f'<rect class="{mark}" x="7" y="1" width="10" height="10"/>'


def _scrolling(name: str, inner: str) -> str:
    """What may be wider than the screen, in a region that scrolls by touch and by keyboard."""
    return f'<div class="scroll" role="region" aria-label="{name}" tabindex="0">{inner}</div>'


def _inline(part: Inline) -> str:
    if isinstance(part, Code):
        return f"<code>{escape(part.text)}</code>"
    if isinstance(part, Mark):
        sign, kind = ("✓", "good") if part.passed else ("✗", "bad")
        return f'<span class="mark {kind}"><span aria-hidden="true">{sign}</span>&nbsp;{_text(part.word)}</span>'
    return _text(part)


def _text(words: str) -> str:
    """Escaped text in which no line ends inside a date, or between a number and its unit."""
    return DATE.sub(r"<time>\g<0></time>", UNIT.sub("&nbsp;", escape(words)))
