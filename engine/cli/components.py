"""`inferdeck components [QUERY]`: what exists, with variations, options and versions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from engine.cli import arguments as words
from engine.cli import output
from engine.cli.screen import Cell, Screen
from engine.errors import UsageError, nearest
from engine.profile.catalog import Catalog
from engine.profile.component import Component, Option, Variation
from engine.survey.prepare import workplace


def components_command(asked: words.Words) -> int:
    """List the components that match, or show one in full. Raises UsageError where none matches."""
    catalog = workplace(asked.values.get("home"), asked.profiles).catalog
    found = matching(catalog, asked.positional)
    if "json" in asked.flags:
        output.write_json([as_data(one) for one in found])
        return 0
    screen = Screen()
    if len(found) == 1:
        _show(screen, found[0])
        return 0
    rows: list[list[Cell]] = [[(word, "dim") for word in ("component", "tags", "what it is")]]
    rows += [[(one.name, "bold"), (",".join(one.tags), ""), (one.summary, "dim")] for one in found]
    screen.table(rows)
    screen.line("inferdeck components NAME shows variations, options and versions", "dim")
    return 0


def matching(catalog: Catalog, query: Sequence[str]) -> list[Component]:
    """Return the components of that name, or those whose name, tags or summary contain every word of the query.

    Words may be tags with commas between. Raises UsageError with the nearest names where none matches.
    """
    known = catalog.components
    if len(query) == 1 and query[0] in known:
        return [known[query[0]]]
    wanted = [word.lower() for text in query for word in text.split(",") if word]
    found = [one for one in known.values() if all(word in _text(one) for word in wanted)]
    if not found:
        raise UsageError(f"no component matches '{' '.join(query)}'", nearest(" ".join(query), known))
    return sorted(found, key=lambda one: one.name)


def _text(one: Component) -> str:
    return " ".join((one.name, *one.tags, one.summary, *(f"_{name}" for name in one.variations))).lower()


def _show(screen: Screen, one: Component) -> None:
    screen.cells([(one.name, "bold"), (f"  {one.summary}", "")])
    facts = [("tags", ",".join(one.tags)), ("step", one.step or " ".join(one.command)), ("file", str(one.place))]
    facts += [("versions", ", ".join(one.versions))] if one.versions else []
    facts += [("needs", ", ".join(need.name for need in one.needs))] if one.needs else []
    screen.table([[(f"  {name}", "dim"), (value, "")] for name, value in facts if value])
    if one.variations:
        screen.line("variations")
        screen.table([_variation(v) for v in sorted(one.variations.values(), key=lambda v: (v.group, not v.default))])
    if one.options:
        screen.line("options")
        screen.table([_option(option) for option in one.options.values()])


def _variation(one: Variation) -> list[Cell]:
    text = f"not available: {one.refused}" if one.refused else one.help
    group = f"{one.group}, default" if one.default and one.group else one.group
    return [(f"  _{one.name}", "bold"), (group, "dim"), (text, "todo" if one.refused else "")]


def _option(one: Option) -> list[Cell]:
    allowed = "|".join(map(str, one.choices)) or one.type
    default = "" if one.default is None else f"default {one.default}"
    names = f" (--env.{', --env.'.join(one.env)})" if one.env else ""
    return [(f"  --{one.name}={allowed}", "bold"), (default, "dim"), (f"{one.help}{names}", "")]


def as_data(one: Component) -> dict[str, Any]:
    """Return a component as plain data."""
    return {
        "name": one.name,
        "summary": one.summary,
        "tags": one.tags,
        "versions": one.versions,
        "needs": [need.name for need in one.needs],
        "variations": [_plain(v, ("name", "group", "default", "help", "refused")) for v in one.variations.values()],
        "options": [
            _plain(o, ("name", "type", "default", "choices", "unit", "help", "env")) for o in one.options.values()
        ],
        "file": str(one.place),
    }


def _plain(found: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(found, name) for name in names}
