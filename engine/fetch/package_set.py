"""Resolve compatible sets of packages with the machine's own pip (or uv, if there is no pip), and unpack them.

The user's pip is configured with the mirror, the proxy and the credentials of this machine. Only wheels are used, so no
downloaded code runs during installation, and each is checked against the index's hash.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from engine import codec
from engine.errors import CannotRunError, FetchError, UsageError
from engine.fetch import pip
from engine.fetch.package_index import failed, unreachable
from engine.text import to_bytes

_VERSIONS = re.compile(r"\(from versions: ([^)]*)\)")
_MISFITS = ("No matching distribution found", "conflicting dependencies", "ResolutionImpossible", "No solution found")
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)")

Progress = Callable[[int], None]
"""Called with the bytes downloaded so far."""


class Pinned(msgspec.Struct, frozen=True):
    """One package of a set."""

    name: str
    version: str
    hashes: tuple[str, ...]
    """`sha256:...`, of one wheel or of all acceptable ones."""

    @property
    def line(self) -> str:
        """Its line in a requirements file."""
        return " ".join((f"{self.name}=={self.version}", *(f"--hash={one}" for one in self.hashes)))


class NoFitError(CannotRunError):
    """The index has no wheels that are compatible with the requirements, each other and the interpreter."""


def requirement(text: str) -> Requirement:
    """Parse a requirement in pip's syntax. Raises UsageError if it is invalid, or names an address."""
    try:
        found = Requirement(text)
    except InvalidRequirement as error:
        first = str(error).splitlines()[0]
        raise UsageError(f"'{text}' is not a package and a version range: {first}", "write name>=1.2,<2") from None
    if found.url:
        raise UsageError(f"'{text}' names an address", "name a package of the index; pip config says which index")
    return found


def resolve(requirements: Sequence[Requirement], python: Path, *, alone: bool = False) -> tuple[Pinned, ...]:
    """Resolve compatible versions that have wheels for an interpreter, in alphabetical order.

    `alone`: without dependencies. Raises NoFitError if there are none, FetchError if the index is unreachable.
    """
    words = [str(one) for one in requirements]
    find = _pip_resolve if _has_pip() else _uv_resolve
    with TemporaryDirectory() as folder:
        found = find(words, python, Path(folder), ("--no-deps",) if alone else ())
    return tuple(sorted(found, key=lambda one: one.name))


def install(packages: Sequence[Pinned], python: Path, site: Path, report: Progress) -> None:
    """Download the wheels of a set and unpack them into a folder. Raises FetchError."""
    with TemporaryDirectory() as folder:
        listed = Path(folder) / "packages.txt"
        listed.write_bytes(to_bytes("".join(f"{one.line}\n" for one in packages)))
        last = ("--no-deps", "--only-binary", ":all:", "--require-hashes", "--target", str(site), "-r", str(listed))
        if _has_pip():
            words = [*_pip(python, "install"), "--progress-bar", pip.progress_bar(), "--compile", *last]
        else:
            words = [
                _uv(),
                "pip",
                "install",
                "--python",
                str(python),
                "--link-mode",
                "copy",
                "--compile-bytecode",
                *last,
            ]
        output, status = pip.run(words, _sum(report))
    if status:
        what, text = f"{len(packages)} packages", "\n".join(output)
        raise unreachable(what, text) or failed(what, text, _shown(words))


def download_set(packages: Sequence[Pinned], python: Path, folder: Path) -> None:
    """Download the wheels of a set, checked against their hashes. Raises FetchError; needs pip, uv can't do it."""
    if not _has_pip():
        raise FetchError("only pip downloads wheels, and this Python has none", f"{sys.executable} -m ensurepip")
    with TemporaryDirectory() as place:
        listed = Path(place) / "packages.txt"
        listed.write_bytes(to_bytes("".join(f"{one.line}\n" for one in packages)))
        last = ("--no-deps", "--only-binary", ":all:", "--require-hashes", "--dest", str(folder), "-r", str(listed))
        words = [*_pip(python, "download"), "--progress-bar", "off", *last]
        output, status = pip.run(words, _silent)
    if status:
        what, text = f"{len(packages)} packages", "\n".join(output)
        raise unreachable(what, text) or failed(what, text, _shown(words))


def _shown(words: Sequence[str]) -> str:
    """Return a command in a form that the user can repeat."""
    return " ".join(words[:6]) + " ..."


def _pip_resolve(requirements: Sequence[str], python: Path, folder: Path, options: Sequence[str]) -> list[Pinned]:
    report = folder / "report.json"
    words = [
        *_pip(python, "install"),
        *("--dry-run", "--ignore-installed", "--only-binary", ":all:", "--target", str(folder / "nowhere")),
        *("--progress-bar", "off", "--report", str(report), *options, *requirements),
    ]
    output, status = pip.run(words, _silent)
    if status:
        raise _explained(requirements, output, _shown(words))
    return _read_report(report.read_bytes())


class _Metadata(msgspec.Struct, frozen=True):
    name: str
    version: str


class _Archive(msgspec.Struct, frozen=True):
    hashes: dict[str, str] = {}


class _Download(msgspec.Struct, frozen=True):
    archive_info: _Archive = _Archive()


class _Item(msgspec.Struct, frozen=True):
    metadata: _Metadata
    download_info: _Download


class _ReportFile(msgspec.Struct, frozen=True):
    install: list[_Item]


def _read_report(data: bytes) -> list[Pinned]:
    """Parse pip's installation report (its format 1)."""
    return [
        Pinned(
            canonicalize_name(item.metadata.name),
            item.metadata.version,
            tuple(f"{kind}:{value}" for kind, value in sorted(item.download_info.archive_info.hashes.items())),
        )
        for item in codec.decode(data, type=_ReportFile).install
    ]


def _uv_resolve(requirements: Sequence[str], python: Path, folder: Path, options: Sequence[str]) -> list[Pinned]:
    wanted = folder / "wanted.txt"
    wanted.write_bytes(to_bytes("".join(f"{one}\n" for one in requirements)))
    form = ("--only-binary", ":all:", "--generate-hashes", "--no-header", "--no-annotate", "--quiet")
    words = [_uv(), "pip", "compile", "--python", str(python), *form, *options, str(wanted)]
    output, status = pip.run(words, _silent)
    if status:
        raise _explained(requirements, output, _shown(words))
    found: list[Pinned] = []
    for line in output:
        if match := _PINNED.match(line):
            found.append(Pinned(canonicalize_name(match[1]), match[2], ()))
        elif (word := line.strip().rstrip("\\").strip()).startswith("--hash=") and found:
            last = found[-1]
            found[-1] = msgspec.structs.replace(last, hashes=(*last.hashes, word.removeprefix("--hash=")))
    return found


def _explained(requirements: Sequence[str], output: Sequence[str], command: str) -> FetchError | NoFitError:
    text = "\n".join(output)
    error = unreachable(requirements[0], text)
    if error or not any(word in text for word in _MISFITS):
        return error or failed(requirements[0], text, command)
    versions = _VERSIONS.search(text)
    if versions and versions[1] not in ("", "none"):
        last = ", ".join(versions[1].split(", ")[-8:])
        return NoFitError(f"the index has no wheel of {requirements[0]} for it", f"it has {last}")
    lines = [line.strip() for line in output if line.strip()]
    reason = next((line for line in lines if "requires" in line or "depends on" in line), "")
    return NoFitError(
        f"no wheels fit {requirements[0]}{f' ({reason[:160]})' if reason else ''}", "ask for another version"
    )


def _has_pip() -> bool:
    return find_spec("pip") is not None


def _pip(python: Path, command: str) -> list[str]:
    """Return the command line of pip for another interpreter, which needs no pip of its own."""
    words = [sys.executable, "-m", "pip", "--python", str(python), command]
    return [*words, "--no-input", "--disable-pip-version-check", "--retries", "1"]


def _uv() -> str:
    found = shutil.which("uv")
    if found is None:
        raise FetchError("this Python has no pip, and there is no uv either", f"{sys.executable} -m ensurepip")
    return found


def _sum(report: Progress) -> pip.Progress:
    """Return a report that sums the bytes of consecutive files."""
    before, last = 0, 0

    def summed(now: int, _size: int) -> None:
        nonlocal before, last
        if now < last:
            before += last
        last = now
        report(before + now)

    return summed


def _silent(_now: int, _size: int) -> None:
    """Ignore progress: a resolution downloads little."""
