"""Download one file of a package index with the machine's own pip; nothing is installed.

The user's pip is configured with the mirror, the proxy, the certificates and the credentials of this machine.
"""

import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import msgspec
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from engine.errors import FetchError
from engine.fetch import pip
from engine.fetch.part import Progress
from engine.store.files import sha256_of

_HASH_FOUND = re.compile(r"Got\s+([0-9a-f]{64})")
_NETWORK_WORDS = (
    *("connection broken", "ProxyError", "SSLError", "ReadTimeoutError", "ConnectTimeoutError"),
    *("error sending request", "Could not connect"),  # uv's
)
_CREDENTIALS = re.compile(r"//[^/@\s]+@")


class PackageFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an index."""

    package: str
    version: str
    filename: str = ""
    """The wheel or source archive; empty lets pip choose."""
    sha256: str = ""

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


def download(wanted: PackageFile, folder: Path, progress: Progress) -> Path:
    """Download the file with pip into `folder`, which must be empty, and return its path, without dependencies.

    Raises FetchError: this environment has no pip, no network, the index has no such file, its SHA-256 differs.
    """
    try:
        bar = pip.progress_bar()
    except metadata.PackageNotFoundError:
        raise FetchError(
            f"{wanted} could not be fetched: this Python environment has no pip", f"{sys.executable} -m ensurepip"
        ) from None
    lines, status = pip.run(_command(wanted, folder, bar), progress, folder)
    found = [path for path in folder.iterdir() if path.name != _REQUIREMENTS]
    if status != 0 or len(found) != 1:
        raise _explained(wanted, "\n".join(lines))
    return checked(wanted, found[0])


_REQUIREMENTS = "requirements.txt"


def _command(wanted: PackageFile, folder: Path, bar: str) -> list[str]:
    """Return pip's command line; a hash can only be requested in a requirements file."""
    line = f"{wanted.package}=={wanted.version}"
    if wanted.sha256:
        line += f" --hash=sha256:{wanted.sha256.lower()}"
    (folder / _REQUIREMENTS).write_text(line + "\n")
    return [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--ignore-requires-python", "--no-input"),
        *("--disable-pip-version-check", "--progress-bar", bar),
        *_kind(wanted),
        *(("--require-hashes",) if wanted.sha256 else ()),
        *("--requirement", _REQUIREMENTS, "--dest", "."),
    ]


def _kind(wanted: PackageFile) -> Iterator[str]:
    """Ask for wheel or source as the name says; for a wheel of another platform, for that platform.

    Data in a package are the same on every platform, so a wheel that can't be installed here can still be read. Source
    is asked for of this package alone: pip looks into it with build tools, and shall not build those from source, too.
    """
    try:
        _, _, _, tags = parse_wheel_filename(wanted.filename)
    except InvalidWheelFilename:
        yield from ("--no-binary", wanted.package) if wanted.filename else ()
        return
    yield from ("--only-binary", ":all:")
    for tag in tags:
        if tag.platform != "any":
            yield from ("--platform", tag.platform)
    tag = min(tags, key=str)
    if tag.abi != "none":
        yield from ("--implementation", tag.interpreter[:2], "--python-version", tag.interpreter[2:], "--abi", tag.abi)


def checked(wanted: PackageFile, path: Path) -> Path:
    """Return the path of a downloaded file after verifying its checksum ourselves. Raises FetchError."""
    if wanted.filename and path.name != wanted.filename:
        raise FetchError(
            f"{wanted}: expected the file {wanted.filename}, the index gave {path.name}",
            "name a file that the index has",
        )
    found = sha256_of(path)
    if wanted.sha256 and found != wanted.sha256.lower():
        raise _differs(wanted, found)
    return path


def _differs(wanted: PackageFile, found: str) -> FetchError:
    return FetchError(
        f"{wanted}: wrong SHA-256: expected {wanted.sha256.lower()}, found {found}",
        "check the index that is used (pip config list, npm config list): it holds another file than was published",
    )


def unreachable(wanted: object, output: str) -> FetchError | None:
    """Return the error if pip's (or uv's) output reports that the index is unreachable; else None."""
    if not any(word in output for word in _NETWORK_WORDS):
        return None
    return FetchError(
        f"{wanted} could not be fetched: the package index does not answer",
        "check the network, the proxy and the index that pip uses: pip config list",
    )


def without_credentials(line: str) -> str:
    """Return a tool's output, shortened for display, without passwords in addresses."""
    return _CREDENTIALS.sub("//", line)[:300]


def failed(wanted: object, output: str, command: str) -> FetchError:
    """Return the error of a tool that failed for another reason; `command` repeats it."""
    errors = [line for line in output.splitlines() if line.lower().startswith("error")] or output.splitlines()[-1:]
    message = without_credentials(errors[0]) if errors else "it printed nothing"
    return FetchError(f"{wanted} could not be fetched: pip failed: {message}", command)


def _explained(wanted: PackageFile, output: str) -> FetchError:
    """Return the error that pip's output describes."""
    if match := _HASH_FOUND.search(output):
        return _differs(wanted, match[1])
    if "No module named pip" in output:
        return FetchError(f"{wanted}: this Python environment has no pip", f"{sys.executable} -m ensurepip")
    if error := unreachable(wanted, output):
        return error
    if "No matching distribution found" in output or "Could not find a version" in output:
        return FetchError(
            f"{wanted} could not be fetched: the package index has no {wanted.filename or 'such version'}",
            "check name, version and the index that pip uses: pip config list",
        )
    return failed(wanted, output, f"{sys.executable} -m pip download {wanted.package}")
