"""The step that fetches a file by its address, checks it, and unpacks it where that is asked for."""

import time
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from engine.errors import FetchError
from engine.fetch.archive import unpack
from engine.fetch.one import fetch
from engine.fetch.part import Report
from engine.step import Step

REPORT_SECONDS = 0.25
"""Between two reports of progress: often enough to look alive, seldom enough for a log."""


def download(step: Step) -> dict[str, Any]:
    """Fetch one file into the output folder.

    Options: `url` (one address or several mirrors), `sha256`, `md5`, `size` in bytes (each may be missing), `filename`
    (else the address's last part), `unpack` (a zip or tar archive is unpacked and then removed). Facts: `file`,
    `sha256`, `size` of what was fetched.

    Raises FetchError, StoreError, and DataError for an archive that is damaged or reaches outside the folder.
    """
    options = step.options
    urls = [options["url"]] if isinstance(options["url"], str) else list(options["url"] or ())
    name = _name(options.get("filename"), urls)
    target = step.output / name
    step.phase("fetching")
    sha256 = fetch(
        urls,
        target,
        sha256=options.get("sha256"),
        md5=options.get("md5"),
        size=options.get("size"),
        progress=reporter(step),
    )
    facts = {"file": name, "sha256": sha256, "size": target.stat().st_size}
    if options.get("unpack"):
        step.phase("unpacking")
        unpack(target, step.output, reporter(step))
        target.unlink()
    return facts


def _name(given: str | None, urls: Sequence[str]) -> str:
    name = given or (unquote(PurePosixPath(urlsplit(urls[0]).path).name) if urls else "")
    if not name or PurePosixPath(name).name != name or name in (".", ".."):
        raise FetchError(f"'{name}' is not a name for the file that is fetched", "give a file name without folders")
    return name


def reporter(step: Step) -> Report:
    """Return a function that passes bytes on as the step's progress, a few times a second and at the end."""
    last = 0.0

    def report(done: int, total: int | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= REPORT_SECONDS or done == total:
            last = now
            step.progress(done, total, "bytes")

    return report
