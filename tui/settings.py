"""User settings: `settings.yaml` in the config folder. Everything has a default; errors name the wrong key."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec

from engine.errors import ProfileError, UsageError, nearest
from engine.profile.document import UNREADABLE
from engine.store.files import disk_errors, read_plain, write_atomic

FILE = "settings.yaml"
_LARGEST = 1 << 20
"""Bytes; the largest settings file that is read."""
Theme = Literal["inferdeck-dark", "inferdeck-light"]
THEMES: tuple[Theme, ...] = get_args(Theme)
Interval = Annotated[float, msgspec.Meta(ge=0.05, le=3600)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Appearance and refresh intervals of the screen. Empty: depends on the terminal."""

    theme: Theme = "inferdeck-dark"
    glyphs: Literal["", "braille", "block", "ascii"] = ""
    mouse: bool | None = None
    driver: Literal["", "diff", "stock"] = ""
    number_interval: Interval | None = None
    """Seconds between two changes of the numbers on the Run screen."""
    chart_interval: Interval | None = None
    """Seconds between two changes of the charts."""
    columns: tuple[str, ...] = ()
    """Columns of Results, by the names of `results list --columns`. Empty: as many as fit."""
    trial_columns: tuple[str, ...] = ()
    """Columns of the trials of an exploration, as `t` there offers them. Empty: as many as fit."""


def load(config: Path) -> Settings:
    """Read the settings. Raises ProfileError where the file can't be understood, StoreError where it can't be read."""
    path = config / FILE
    if not os.path.lexists(path):
        return Settings()
    import yaml  # noqa: PLC0415  (start-up: most people have no such file)

    loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        with disk_errors(path):
            read = yaml.load(read_plain(path, _LARGEST), Loader=loader)  # noqa: S506  (a safe loader, see above)
        return msgspec.convert(read or {}, Settings)
    except (yaml.YAMLError, *UNREADABLE) as error:
        known = ", ".join(Settings.__struct_fields__)
        said = " ".join(str(error).split())
        raise ProfileError(f"{path}: {said}", f"fix or remove the file; known settings: {known}") from None


def with_theme(settings: Settings, name: str) -> Settings:
    """Return the settings with another theme. Raises UsageError for a name that is none."""
    for theme in THEMES:
        if theme == name:
            return msgspec.structs.replace(settings, theme=theme)
    raise UsageError(f"there is no theme '{name}'", nearest(name, THEMES))


def save(config: Path, settings: Settings) -> Path:
    """Write the settings; returns the file. Raises ProfileError where an existing file is not one of settings."""
    import yaml  # noqa: PLC0415

    load(config)
    path = config / FILE
    with disk_errors(path):
        config.mkdir(parents=True, exist_ok=True)
    write_atomic(path, yaml.safe_dump(msgspec.to_builtins(settings), sort_keys=False).encode())
    return path
