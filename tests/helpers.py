"""What several tests need: a profile folder written from a few lines of YAML, and the folders of a person."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

from engine.profile.catalog import Catalog
from engine.profile.component import Component
from engine.profile.reading import read_component
from engine.store.folders import Folders
from engine.store.store import Store

SHARED = Path(__file__).parents[2] / "shared"
"""Material that is handed to the developers and not part of the project; tests that need it skip without it."""


def write_components(folder: Path, files: Mapping[str, str]) -> Path:
    """Write component files into a profile folder; the key is the file's stem."""
    place = folder / "components"
    place.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (place / f"{name}.yaml").write_text(textwrap.dedent(text))
    return folder


def catalog_of(folder: Path, files: Mapping[str, str]) -> Catalog:
    """Return a catalogue that holds just these components."""
    write_components(folder, files)
    found: dict[str, Component] = {}
    for path in sorted((folder / "components").glob("*.yaml")):
        one = read_component(path)
        found[one.name] = one
    return Catalog(found, (folder,))


def folders_in(home: Path) -> Folders:
    """Return the folders of a person whose home is `home`."""
    return Folders(store=home / "store", state=home / "state", config=home / "config")


def stored(folders: Folders) -> dict[str, dict[str, str]]:
    """Return the entries of the store with the digests of their files, every file hashed again and found whole."""
    store = Store(folders.store)
    found = {}
    for name in store.names():
        manifest = store.manifest(name)
        assert manifest is not None
        assert store.damage(name, manifest, deep=True) is None
        found[name] = {file.path: file.sha256 for file in manifest.files}
    return found
