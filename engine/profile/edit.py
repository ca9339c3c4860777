"""Set one value in a YAML text and keep the user's comments, order, quotes and blank lines.

Dumping the whole file would lose these. The value's position is taken from the composed nodes, and only the text there
is changed. If that does not give the wanted data (a value that an anchor shares with another place), the file is
rewritten, keeping only the comment at its top.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml


def put(text: str, path: Sequence[str], value: Any) -> str:
    """Return the YAML text with the JSON value set at the path of keys; missing mappings on the path are created.

    `text` is a valid YAML mapping. A value at the path is replaced.
    """
    import yaml  # noqa: PLC0415  (start-up: only who writes a profile pays for it)

    wanted = _with(yaml.safe_load(text), path, value)
    top = yaml.compose(text, Loader=yaml.SafeLoader)
    assert top is not None
    edited = _edited(text, top, path, value)
    try:
        if yaml.safe_load(edited) == wanted:
            return edited
    except yaml.YAMLError:
        pass
    return _head(text) + _block(wanted, as_written=False)


def _with(data: Any, path: Sequence[str], value: Any) -> Any:
    if not path:
        return value
    inner = data if isinstance(data, dict) else {}
    return {**inner, path[0]: _with(inner.get(path[0]), path[1:], value)}


def _edited(text: str, node: yaml.Node, path: Sequence[str], value: Any) -> str:
    import yaml  # noqa: PLC0415

    for depth, key in enumerate(path):
        missing = _with(None, path[depth:], value)
        if not isinstance(node, yaml.MappingNode) or not node.value:
            return _replaced(text, node, missing)
        child = next((one for name, one in node.value if name.value == key), None)
        if child is None:
            return _added(text, node, missing)
        node = child
    return _replaced(text, node, value)


def _replaced(text: str, node: yaml.Node, value: Any) -> str:
    start, end = node.start_mark.index, _end(node)
    new = _in_block(value, node.start_mark.column) if _is_block(node) else _flow(value)
    return text[:start] + (" " if start == end else "") + new + text[end:]


def _added(text: str, node: yaml.MappingNode, pair: dict[str, Any]) -> str:
    if not _is_block(node):
        last = node.value[-1][1].end_mark.index
        return f"{text[:last]}, {_flow(pair)[1:-1]}{text[last:]}"
    end, column = _end(node), node.start_mark.column
    new = " " * column + _in_block(pair, column)
    if text[end - 1] == "\n":  # a text of several lines ends after its newline
        return f"{text[:end]}{new}\n{text[end:]}"
    # The rest of its line, and the comments below with the indentation of the new line.
    rest = re.compile(rf"[^\n]*(\n {{{column},}}#[^\n]*)*").match(text, end)
    line = rest.end() if rest else len(text)
    return f"{text[:line]}\n{new}{text[line:]}"


def _end(node: yaml.Node) -> int:
    """Return where the node's own text ends: the mark of a block is after the comments that follow it."""
    import yaml  # noqa: PLC0415

    if not _is_block(node):
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(node, yaml.MappingNode) else last)


def _is_block(node: yaml.Node) -> bool:
    import yaml  # noqa: PLC0415

    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def _flow(value: Any) -> str:
    import yaml  # noqa: PLC0415

    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=float("inf"))
    return str(text).removesuffix("...\n").strip()


def _block(value: Any, *, as_written: bool = True) -> str:
    """Format a mapping line by line; a member without nested mappings or lists stays on one line.

    `as_written` keeps non-ASCII letters; PyYAML does not restore every control character then.
    """
    import yaml  # noqa: PLC0415

    nested = isinstance(value, dict) and any(isinstance(inner, dict | list) for inner in value.values())
    style = None if nested else False
    text = yaml.safe_dump(
        value, default_flow_style=style, sort_keys=False, allow_unicode=as_written, width=float("inf")
    )
    return str(text).removesuffix("...\n")


def _in_block(value: Any, column: int) -> str:
    return _block(value).rstrip("\n").replace("\n", "\n" + " " * column)


def _head(text: str) -> str:
    lines = text.splitlines(keepends=True)
    count = next((number for number, line in enumerate(lines) if line.strip() and line[0] != "#"), 0)
    return "".join(lines[:count])
