"""The model card: what a training run found, as Markdown."""

from __future__ import annotations

import re

from smc_trading_agent.research.training.document import (
    Block,
    Bullets,
    Code,
    Commands,
    Inline,
    Mark,
    Paragraph,
    Picture,
    Section,
    Table,
)
from smc_trading_agent.research.training.findings import Findings
from smc_trading_agent.research.training.sections import document_of

# Underscores inside a word mean nothing to Markdown; elsewhere they would.
SPECIAL = re.compile(r"[\\`*\[\]<>|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=[A-Za-z#])")
AT_START = re.compile(r"^(?:[#+-]+|\d+(?=[.)]))(?=[.)]?(?:\s|$))")


def write_card(findings: Findings) -> str:
    """The text of ``model_card.md``; the verdict is its first line. Drawn from ``findings`` alone."""
    document = document_of(findings)
    parts = [f"# {escaped(document.verdict)}", escaped(document.byline)]
    for section in document.sections:
        parts += _section(section)
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """``text`` so that Markdown shows it as it is."""
    quoted = SPECIAL.sub(lambda found: f"\\{found.group()}", text)
    start = AT_START.match(quoted)
    if start is None:
        return quoted
    return f"\\{quoted}" if not quoted[0].isdigit() else f"{start.group()}\\{quoted[start.end():]}"


def _section(section: Section) -> list[str]:
    parts = [f"## {section.title}"]
    parts += [text for block in section.blocks if (text := _block(block))]
    if section.source:
        parts.append(f"*From {', '.join(f'`{name}`' for name in section.source)} in `findings.json`.*")
    return parts


def _block(block: Block) -> str:
    """A block as Markdown; nothing for a picture, whose figures stand in the table beside it."""
    if isinstance(block, Paragraph):
        return " ".join(_inline(part) for part in block.parts)
    if isinstance(block, Bullets):
        return "\n".join("- " + " ".join(_inline(part) for part in item) for item in block.items)
    if isinstance(block, Commands):
        return "\n".join(f"    {line}" for line in block.lines)
    return "" if isinstance(block, Picture) else _table(block)


def _table(table: Table) -> str:
    if not table.rows:
        return f"{table.caption}: none."
    rule = ["---:" if index in table.numeric else "---" for index in range(len(table.columns))]
    rows = [list(table.columns), rule, *([_inline(cell) for cell in row] for row in table.rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _inline(part: Inline) -> str:
    if isinstance(part, Code):
        return "`" + part.text.replace("`", "'").replace("|", "\\|") + "`"
    if isinstance(part, Mark):
        return escaped(part.word) if part.passed else f"**{escaped(part.word)}**"
    return escaped(part)
