"""Step: download a file by URL, verify it, and optionally unpack it."""

import time
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from engine.errors import FetchError
from engine.fetch.archive import unpack
from engine.fetch.one import fetch
from engine.step import Options, Step

REPORT_SECONDS = 0.25
"""Interval between two progress reports in seconds."""


class DownloadOptions(Options, frozen=True, kw_only=True):
    """A file to download."""

    url: str | tuple[str, ...] | None
    """A URL, or several mirrors that are tried in order."""
    sha256: str | None = None
    md5: str | None = None
    size: int | None = None
    """Size in bytes."""
    filename: str | None = None
    """Local file name; by default the last part of the URL."""
    unpack: bool | None = None
    """Whether it is a zip or tar archive to unpack and then delete."""


def download(step: Step) -> dict[str, Any]:
    """Download one file into the output folder.

    Facts: `file`, `sha256`, `size` of what was fetched.

    Raises FetchError, StoreError, and DataError for an archive that is damaged or reaches outside the folder.
    """
    options = step.read_options(DownloadOptions)
    urls = [options.url] if isinstance(options.url, str) else list(options.url or ())
    name = _name(options.filename, urls)
    target = step.output / name
    step.phase("fetching")
    sha256 = fetch(
        urls,
        target,
        sha256=options.sha256,
        md5=options.md5,
        size=options.size,
        progress=reporter(step),
    )
    facts = {"file": name, "sha256": sha256, "size": target.stat().st_size}
    if options.unpack:
        step.phase("unpacking")
        unpack(target, step.output, reporter(step))
        target.unlink()
    return facts


def _name(given: str | None, urls: Sequence[str]) -> str:
    name = given or (unquote(PurePosixPath(urlsplit(urls[0]).path).name) if urls else "")
    if not name or PurePosixPath(name).name != name or name in (".", ".."):
        raise FetchError(f"'{name}' is not a name for the file that is fetched", "give a file name without folders")
    return name


def reporter(step: Step, unit: str = "bytes") -> Callable[[float, float | None], None]:
    """Return a function that reports what is done as the step's progress, a few times a second and at the end."""
    last = 0.0

    def report(done: float, total: float | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= REPORT_SECONDS or done == total:
            last = now
            step.progress(done, total, unit)

    return report
