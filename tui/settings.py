"""A person's settings: `settings.yaml` in the config folder. Everything has a default, and wrong words are named."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from engine.errors import ProfileError
from engine.store.files import disk_errors, write_atomic

FILE = "settings.yaml"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the screen looks like and how often it changes. Empty means: as the terminal allows."""

    theme: Literal["inferdeck-dark", "inferdeck-light"] = "inferdeck-dark"
    glyphs: Literal["", "braille", "block", "ascii"] = ""
    mouse: bool | None = None
    driver: Literal["", "diff", "stock"] = ""
    number_interval: float | None = None
    """Seconds between two changes of the numbers on the Run screen."""
    chart_interval: float | None = None
    """Seconds between two changes of the charts."""


def load(config: Path) -> Settings:
    """Read the settings. Raises ProfileError where the file can't be understood."""
    path = config / FILE
    if not path.exists():
        return Settings()
    import yaml  # noqa: PLC0415  (start-up: most people have no such file)

    loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        with disk_errors(path):
            read = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506  (a safe loader, see above)
        return msgspec.convert(read or {}, Settings)
    except (yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as error:
        known = ", ".join(Settings.__struct_fields__)
        raise ProfileError(f"{path}: {str(error).splitlines()[0]}", f"known settings: {known}") from None


def changed(settings: Settings, **changes: str) -> Settings:
    """Return the settings with some changed. Raises ProfileError for a value that is not allowed."""
    try:
        return msgspec.convert({**msgspec.to_builtins(settings), **changes}, Settings)
    except msgspec.ValidationError as error:
        raise ProfileError(str(error), "inferdeck-dark or inferdeck-light, for example") from None


def save(config: Path, settings: Settings) -> Path:
    """Write the settings; returns the file."""
    import yaml  # noqa: PLC0415

    path = config / FILE
    with disk_errors(path):
        config.mkdir(parents=True, exist_ok=True)
    write_atomic(path, yaml.safe_dump(msgspec.to_builtins(settings), sort_keys=False).encode())
    return path
