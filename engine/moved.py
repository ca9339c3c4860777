"""Names that modules had when artifacts were first made by them.

An artifact's key covers the name of the module that made it. A module that is moved keeps its former name there, so
that what is in a store stays valid. A person's own profile may go on naming the former one, too.
"""

from __future__ import annotations

from typing import Final

FORMER: Final = {
    "engine.tuning.bench": "engine.harness.bench",
    "engine.tuning.server_model": "engine.harness.server_model",
    "engine.tuning.tune": "engine.harness.tune",
}
"""Module: the name in keys. Only for modules that components name; never change or remove a line."""

_CURRENT: Final = {old: new for new, old in FORMER.items()}


def former(named: str) -> str:
    """Return a module, or `module:function`, by the name that keys of artifacts have for it."""
    return _renamed(named, FORMER)


def current(named: str) -> str:
    """Return a module, or `module:function`, by the name that it has now; for any other the name itself."""
    return _renamed(named, _CURRENT)


def _renamed(named: str, names: dict[str, str]) -> str:
    module, colon, function = named.partition(":")
    return f"{names.get(module, module)}{colon}{function}"
