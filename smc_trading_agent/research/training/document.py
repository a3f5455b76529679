"""What card and report are made of: sections of paragraphs, lists, tables and pictures, without any markup."""

from __future__ import annotations

import msgspec

from smc_trading_agent.research.training.pictures import Chart


class Code(msgspec.Struct, frozen=True):
    """A name or hash, set as code."""

    text: str


class Mark(msgspec.Struct, frozen=True):
    """Whether something is as it must be, in a word and never by colour alone."""

    passed: bool
    word: str


Inline = str | Code | Mark


class Paragraph(msgspec.Struct, frozen=True):
    """Running text."""

    parts: tuple[Inline, ...]


class Bullets(msgspec.Struct, frozen=True):
    """A list, each item of one or more parts."""

    items: tuple[tuple[Inline, ...], ...]


class Commands(msgspec.Struct, frozen=True):
    """Lines for a shell."""

    lines: tuple[str, ...]


class Table(msgspec.Struct, frozen=True):
    """Rows under named columns; those in ``numeric`` are set to the right. A ``folded`` one opens on demand."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Inline, ...], ...]
    numeric: frozenset[int] = frozenset()
    folded: bool = False


class Picture(msgspec.Struct, frozen=True):
    """A chart; ``description`` says in words what it shows, for those who can't see it."""

    caption: str
    description: str
    chart: Chart


Block = Paragraph | Bullets | Commands | Table | Picture


class Section(msgspec.Struct, frozen=True):
    """``source`` names the fields of ``findings.json`` that the section is drawn from; ``key`` is unique."""

    key: str
    title: str
    blocks: tuple[Block, ...]
    source: tuple[str, ...] = ()


class Document(msgspec.Struct, frozen=True):
    """The verdict, which comes first, a line about the run, and the sections."""

    verdict: str
    byline: str
    sections: tuple[Section, ...]


def plain(text: str, absent: str = "not told") -> str:
    """``text`` on one line, without characters that can't be printed; ``absent`` where nothing is left."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split()) or absent
