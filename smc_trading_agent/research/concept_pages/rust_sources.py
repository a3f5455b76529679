"""What the Rust sources of the detector say of each concept: definition, life, records, parameters.

The module documentation in crates/smc-core/src/smc/ is the one place where a concept is defined; a page quotes it, so
that the two can't disagree. A concept is a public module of that folder that is none of `MACHINERY`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from smc_trading_agent.domain.errors import DataError

FOLDER = Path("crates/smc-core/src/smc")
MACHINERY = frozenset({"analyzer", "audit", "civil_time", "config", "detector", "event", "structure_reader", "zone"})
"""Public modules that read or hold concepts and are none."""

_TESTS = "#[cfg(test)]"
_STATED = re.compile(r"(?<![=!]= )(?<!\| )\b(EventKind|ZoneKind)::([A-Z]\w*)\b(?!\s*(?:=>|\|))")
_VARIANT = re.compile(r"((?:\s*///[^\n]*\n)*)\s*(\w+) => \"(\w*)\",")
_FIELD = re.compile(r"((?:\s*///[^\n]*\n)+)(?:\s*#\[[^\n]*\]\n)*\s*pub (\w+): ([^\n]+),")
_DEFAULT = re.compile(r"impl Default for (\w+) \{\s*fn default\(\) -> Self \{\s*Self \{(.*?)\}\s*\}\s*\}", re.DOTALL)
_STRUCT = re.compile(r"pub struct (\w+) \{\n(.*?)\n\}", re.DOTALL)


class Field(msgspec.Struct, frozen=True):
    """A parameter: its name, its Rust type, what it means."""

    name: str
    type: str
    meaning: str


class Concept(msgspec.Struct, frozen=True):
    """One module: paragraphs of its documentation as Markdown, kinds of record it states, settings it reads.

    ``settings`` are keys of the detector's settings, ``own`` structs of parameters that are none of them.
    """

    module: str
    title: str
    definition: tuple[str, ...]
    knowable: tuple[str, ...]
    life: tuple[str, ...]
    kinds: tuple[str, ...]
    settings: tuple[str, ...]
    own: tuple[str, ...]


class Sources(msgspec.Struct, frozen=True):
    """All concepts by module name, the meaning of each kind of record; fields and defaults of each settings struct."""

    concepts: dict[str, Concept]
    kinds: dict[str, str]
    structs: dict[str, tuple[Field, ...]]
    defaults: dict[str, dict[str, str]]

    @property
    def unclaimed(self) -> list[str]:
        """Kinds of record that no concept states."""
        claimed = {kind for concept in self.concepts.values() for kind in concept.kinds}
        return [kind for kind in self.kinds if kind not in claimed]


def read_sources(root: Path) -> Sources:
    """Reads the tree at ``root``; `DataError` where it holds no detector."""
    folder = root / FOLDER
    try:
        texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.rs"))}
        settings = [path.read_text(encoding="utf-8") for path in sorted((folder / "config").glob("*.rs"))]
        events, zones, public = texts["event"], texts["zone"], set(re.findall(r"pub mod (\w+);", texts["mod"]))
    except (OSError, KeyError) as error:
        raise DataError(f"{folder} does not hold the detector's sources; name the root of the source tree") from error
    names, meanings = _variants(events, "EventKind")
    zone_names, _ = _variants(zones, "ZoneKind")
    structs = {name: _fields(body) for text in settings for name, body in _STRUCT.findall(text.split(_TESTS)[0])}
    keys: dict[str, list[str]] = {field.type: [] for field in structs["DetectorConfig"]}
    for field in structs["DetectorConfig"]:
        keys[field.type].append(field.name)
    defaults = {name: _defaults(body) for text in settings for name, body in _DEFAULT.findall(text)}
    concepts = {}
    for module in sorted(public - MACHINERY):
        code = texts[module].split(_TESTS)[0]
        named = set(re.findall(r"\b\w+Config\b", code))
        types = named & keys.keys()
        types |= {field.type for field in structs["DetectorConfig"] if field.name == module}
        concepts[module] = _concept(
            module,
            documentation(code),
            _stated(code, names, zone_names),
            tuple(key for field_type in sorted(types) for key in keys[field_type]),
            tuple(sorted(named & defaults.keys() - keys.keys() - {"DetectorConfig"})),
        )
    return Sources(concepts, meanings, structs, defaults)


def documentation(code: str) -> list[str]:
    """The paragraphs of a module's documentation; a list is a paragraph, as Markdown wants it."""
    lines: list[str] = []
    for line in (line.removeprefix("//!").removeprefix(" ") for line in code.splitlines() if line.startswith("//!")):
        if line.startswith("- ") and lines and not lines[-1].startswith(("- ", "  ")):
            lines.append("")
        lines.append(line)
    return [part.strip("\n") for part in re.split(r"\n\s*\n", "\n".join(lines)) if part.strip()]


def sentences_of_knowing(paragraphs: list[str]) -> tuple[str, ...]:
    """What follows the word Knowable, of each sentence that begins with it."""
    found = []
    for paragraph in paragraphs:
        flat = " ".join(line.strip() for line in paragraph.splitlines())
        parts = [part for part in re.split(r"(?<=[.;])\s+(?=[A-Z*-])", flat) if part.startswith("Knowable ")]
        found += [part.removeprefix("Knowable ") for part in parts]
    return tuple(part[0].upper() + part[1:] for part in found)


def _concept(
    module: str, paragraphs: list[str], kinds: tuple[str, ...], settings: tuple[str, ...], own: tuple[str, ...]
) -> Concept:
    if not paragraphs:
        raise DataError(f"{FOLDER / module}.rs has no module documentation (//!); write the concept's definition there")
    title, *rest = paragraphs
    begin = next((at for at, text in enumerate(rest) if re.match(r"Life\b", text)), len(rest))
    return Concept(
        module=module,
        title=" ".join(title.split()),
        definition=tuple(rest[:begin]),
        knowable=sentences_of_knowing(rest[:begin]),
        life=tuple(rest[begin:]),
        kinds=kinds,
        settings=settings,
        own=own,
    )


def _stated(code: str, names: Mapping[str, str], zone_names: Mapping[str, str]) -> tuple[str, ...]:
    """The kinds that a module's code makes records of: those it names, but for what it compares or matches."""
    found = set()
    for owner, variant in _STATED.findall(code):
        table = names if owner == "EventKind" else zone_names
        if variant in table:
            found.add(table[variant])
    return tuple(name for name in names.values() if name in found)


def _variants(text: str, enum: str) -> tuple[dict[str, str], dict[str, str]]:
    """Names outside the core by variant, and meanings by name, of a ``named_enum!``."""
    body = re.search(rf"\n    {enum} \{{\n(.*?)\n    \}}\n", text, re.DOTALL)
    if body is None:
        raise DataError(f"{FOLDER} declares no {enum}; name the root of the source tree")
    found = _VARIANT.findall(body.group(1) + "\n")
    return {variant: name for _, variant, name in found}, {name: _comment(doc) for doc, _, name in found}


def _fields(body: str) -> tuple[Field, ...]:
    return tuple(Field(name, kind, _comment(doc)) for doc, name, kind in _FIELD.findall(body + "\n"))


def _defaults(body: str) -> dict[str, str]:
    """The values of a struct's default as settings write them: an enum's variant bare and in small letters."""
    pairs = re.findall(r"(\w+): ([^,]+)", body)
    return {
        name: re.sub(r"\w+::([A-Z]\w*)$", lambda match: match.group(1).lower(), value.strip()) for name, value in pairs
    }


def _comment(text: str) -> str:
    lines = [line.strip().removeprefix("///").strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines)
