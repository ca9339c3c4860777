"""A bundle: one archive with everything that a plan fetches, for a machine without a network.

It holds the store's entries of all that is downloaded, the wheels of the environments that the plan installs, the
plan's lock, and `bundle.json` with size and SHA-256 of every file. What is built from downloads is built again there.
"""

from __future__ import annotations

import platform
import shutil
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import msgspec

import engine
from engine import codec
from engine.errors import CannotRunError, DataError
from engine.fetch.archive import unpack
from engine.store.files import digest, disk_errors, new_beside, read_plain, sha256_of
from engine.store.store import Manifest, Store
from engine.survey.lock import Lock
from engine.survey.prepare import Prepared
from engine.survey.survey import Surveyor

CONTENTS: Final = "bundle.json"
WHEELS: Final = "wheels"
_ENTRIES: Final = "entries"
_LARGEST: Final = 256 << 20
"""Maximum size of `bundle.json` in bytes."""


class BundledFile(msgspec.Struct, frozen=True):
    """A file of a bundle."""

    size: Annotated[int, msgspec.Meta(ge=0)]
    sha256: str


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle holds, and for which kind of machine its wheels are."""

    inferdeck: str
    machine: str
    """Operating system, processor and Python: `Linux x86_64 cpython-311`."""
    lock: Lock
    entries: dict[str, Manifest]
    """Of the store, by name."""
    files: dict[str, BundledFile]
    """By path in the archive."""

    @property
    def wheels(self) -> list[str]:
        """The paths of the wheels."""
        return [path for path in self.files if path.startswith(f"{WHEELS}/")]


def this_machine() -> str:
    """Return the kind of machine that wheels depend on."""
    return f"{platform.system()} {platform.machine()} {sys.implementation.cache_tag}"


def fetched_nodes(prepared: Prepared, environment_step: str) -> tuple[list[str], list[str]]:
    """Return the nodes that an empty store would fetch: downloads, and environments to install."""
    place = prepared.workplace
    anew = Surveyor(place.catalog, place.folders, again=True).survey(prepared.plan)
    fetched = [name for name, one in anew.seen.items() if one.state == "fetch"]
    step = {name: place.catalog.components[prepared.plan.nodes[name].component].step for name in fetched}
    return (
        [name for name in fetched if step[name] != environment_step],
        [name for name in fetched if step[name] == environment_step],
    )


def local_inputs(prepared: Prepared) -> list[tuple[str, str]]:
    """Return (title, path) of files of the user that the plan reads: they are not in a bundle."""
    found = ((prepared.plan.nodes[name].title, seen) for name, seen in prepared.seen.seen.items())
    return [
        (title, seen.artifact.path)
        for title, seen in found
        if seen.state == "found" and seen.artifact is not None and Path(seen.artifact.path or ".").is_absolute()
    ]


def write(prepared: Prepared, downloads: list[str], wheels: Path, out: Path) -> Contents:
    """Write the bundle of a plan whose downloads are in the store; `wheels` is a folder of them.

    Raises CannotRunError where one of the downloads is not there, StoreError where the file can't be written.
    """
    store = Store(prepared.workplace.folders.store)
    entries: dict[str, Manifest] = {}
    for node in downloads:
        entry = prepared.seen.seen[node].entry
        manifest = store.manifest(entry)
        if manifest is None or store.damage(entry, manifest) is not None:
            raise CannotRunError(f"{node} is not in the store", "give the same command again")
        entries[entry] = manifest
    places = dict(_places(store, entries, wheels))
    stored = {
        f"{_ENTRIES}/{entry}/{file.path}": BundledFile(file.size, file.sha256)
        for entry, manifest in entries.items()
        for file in manifest.files
    }
    files = {
        name: stored.get(name) or BundledFile(path.stat().st_size, sha256_of(path)) for name, path in places.items()
    }
    contents = Contents(
        inferdeck=engine.VERSION, machine=this_machine(), lock=prepared.lock(), entries=entries, files=files
    )
    with disk_errors(out), TemporaryDirectory() as folder, new_beside(out) as target:
        listed = Path(folder) / CONTENTS
        listed.write_bytes(codec.encode(contents))
        with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name, path in ((CONTENTS, listed), *places.items()):
                archive.add(path, name, recursive=False, filter=_anonymous)
    return contents


def _places(store: Store, entries: dict[str, Manifest], wheels: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name in the archive and the place of each file."""
    for entry, manifest in entries.items():
        for file in manifest.files:
            yield f"{_ENTRIES}/{entry}/{file.path}", store.content(entry) / file.path
    for path in sorted(wheels.iterdir()):
        yield f"{WHEELS}/{path.name}", path


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out whose file it was: a bundle is carried elsewhere."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    member.mtime = 0
    return member


def read_contents(file: Path) -> Contents:
    """Read what a bundle holds. Raises DataError where it is none, or damaged."""
    with TemporaryDirectory() as folder:
        unpack(file, Path(folder), _silent, lambda name: name == CONTENTS)
        return _contents(file, Path(folder) / CONTENTS)


def take_in(file: Path, store_folder: Path) -> tuple[Contents, Path]:
    """Check a bundle and add its entries to a store; returns what it holds, and the folder of its wheels.

    Entries that the store has already are not unpacked again. Raises DataError where a file is missing, added or
    changed, StoreError where the disk is full.
    """
    contents = read_contents(file)
    store = Store(store_folder)
    new = {name: one for name, one in contents.entries.items() if store.hit(one.recipe) is None}
    wheels = store_folder / WHEELS / _name_of_wheels(contents)
    wanted = {name for name in contents.files if name.startswith(f"{_ENTRIES}/") and name.split("/")[1] in new}
    if not wheels.is_dir():
        wanted |= set(contents.wheels)
    with disk_errors(store_folder):
        (store_folder / "work").mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".bundle-", dir=store_folder / "work") as folder:
        place = Path(folder)
        unpack(file, place, _silent, lambda name: name in wanted)
        for name in sorted(wanted):
            _verify(file, place / name, name, contents.files[name])
        for manifest in new.values():
            _publish(store, manifest, place / _ENTRIES / manifest.recipe.entry())
        if not wheels.is_dir():
            with disk_errors(wheels):
                (place / WHEELS).mkdir(exist_ok=True)
                wheels.parent.mkdir(exist_ok=True)
                (place / WHEELS).rename(wheels)
    return contents, wheels


def without_index(wheels: Path) -> dict[str, str]:
    """Return the environment with which pip and uv take packages from this folder only."""
    return {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": wheels.as_uri(),
        "UV_NO_INDEX": "1",
        "UV_FIND_LINKS": str(wheels),
    }


def _name_of_wheels(contents: Contents) -> str:
    """Return a name for the wheels of a bundle: the digest of their checksums."""
    return digest("".join(f"{name} {contents.files[name].sha256}\n" for name in contents.wheels))[:20]


def _contents(file: Path, listed: Path) -> Contents:
    try:
        found = codec.decode(read_plain(listed, _LARGEST), type=Contents)
    except (OSError, msgspec.DecodeError) as error:
        what = "it has no bundle.json" if isinstance(error, FileNotFoundError) else str(error)
        raise DataError(f"{file} is not a bundle of this version: {what}", "write one with: inferdeck bundle") from None
    for name, manifest in found.entries.items():
        if manifest.recipe.entry() != name or Path(name).name != name:
            raise DataError(f"{file} is damaged: its entry {name} is another one", "copy it again")
    return found


def _verify(file: Path, place: Path, name: str, known: BundledFile) -> None:
    if not place.is_file() or place.stat().st_size != known.size or sha256_of(place) != known.sha256:
        raise DataError(f"{file} is damaged: {name} is missing or was changed", "copy it again")


def _publish(store: Store, manifest: Manifest, source: Path) -> None:
    """Publish an entry from an unpacked folder, unless another process has done so."""
    with store.making(manifest.recipe) as making:
        if store.hit(manifest.recipe) is not None:
            return
        with disk_errors(making.content):
            source.mkdir(parents=True, exist_ok=True)  # an artifact without files
            for one in source.iterdir():
                shutil.move(one, making.content / one.name)
        store.publish(manifest.recipe, dict(manifest.facts), manifest.seconds)


def _silent(_done: int, _total: int | None) -> None:
    """Ignore progress: the archive is local."""
