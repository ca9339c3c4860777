"""Download one large file: resumed where it stopped, verified before it gets its name.

In hours of downloading connections drop, servers ignore ranges, mirrors are gone or hold another file. Valid partial
content is kept; a file that fails verification never appears under its name.
"""

import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import msgspec
import requests

from engine.errors import FetchError, InferdeckError, StoreError
from engine.fetch.part import CHUNK, Origin, Part, Progress
from engine.fetch.web import Dropped, FailureKind, Refused, answer, chunks, refusal, shown_url
from engine.store.files import disk_errors

PAUSES = (1.0, 2.0, 4.0)
"""Seconds before each further attempt at a mirror; the count restarts whenever the download has progressed."""
TIMEOUT = (15.0, 60.0)
"""Seconds to wait for a connection, and for the next bytes."""

_NETWORK = "check the network and the proxy (HTTPS_PROXY); the same command resumes it"
_ADDRESS = "check the address, or fetch the file by hand and give its path"
_CONTENT = "try another mirror, or correct the checksum in the profile if the file was replaced on purpose"


class _Wanted(msgspec.Struct, frozen=True):
    """Expected size and checksums of the file; None if unknown."""

    sha256: str | None
    md5: str | None
    size: int | None

    @property
    def promised(self) -> bool:
        """Whether a wrong continuation of a partial file would be detected."""
        return bool(self.sha256 or self.md5)

    def complaint(self, part: Part) -> str:
        """Return what is wrong with a downloaded file; empty if it is valid."""
        if self.size is not None and part.size != self.size:
            return f"wrong size: expected {self.size} bytes, found {part.size}"
        for name, expected, found in (("SHA-256", self.sha256, part.sha256), ("MD5", self.md5, part.md5)):
            if expected and expected.lower() != found:
                return f"wrong {name}: expected {expected.lower()}, found {found}"
        return ""


class _Failure(msgspec.Struct, frozen=True):
    """Why one mirror failed."""

    kind: FailureKind
    where: str
    why: str


def fetch(
    urls: Sequence[str],
    target: Path,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    size: int | None = None,
    progress: Progress,
) -> str:
    """Download a file from the first mirror that has it and return its SHA-256 in lower-case hex.

    `urls` are http, https or file addresses, tried in order. A partial `target`.part of an earlier attempt is resumed.
    `progress` gets bytes done and bytes in all (None if not known). Proxies and certificates are those of requests.

    Raises FetchError: no network, no mirror has it, wrong size or checksum. StoreError: disk full, no permission.
    """
    wanted = _Wanted(sha256 or None, md5 or None, size)
    failures: list[_Failure] = []
    with disk_errors(target), requests.Session() as session:
        target.parent.mkdir(parents=True, exist_ok=True)
        complete = target.exists()
        part = Part(target)
        part.take_up(size, progress)
        if (complete or wanted.promised) and not wanted.complaint(part):
            part.publish()
            return part.sha256
        for url in urls:
            failure = _from_mirror(session, url, part, wanted, progress)
            if failure is None:
                part.publish()
                return part.sha256
            failures.append(failure)
    raise _explained(target.name, failures)


def _from_mirror(
    session: requests.Session, url: str, part: Part, wanted: _Wanted, progress: Progress
) -> _Failure | None:
    """Download from one mirror until the part is complete, or return why it failed."""
    most, quiet, again = part.size, 0, True
    while True:
        taken_up = part.size > 0
        try:
            _transfer(session, url, part, wanted, progress)
        except Refused as refused:
            return _Failure(refused.kind, shown_url(url), refused.why)
        except Dropped as dropped:
            quiet = 0 if part.size > most else quiet + 1
            most = max(most, part.size)
            if quiet > len(PAUSES):
                return _Failure("network", shown_url(url), dropped.why)
            time.sleep(max(PAUSES[max(quiet - 1, 0)], dropped.pause))
            continue
        complaint = wanted.complaint(part)
        if not complaint:
            return None
        part.discard()
        if not (taken_up and again):
            return _Failure("content", shown_url(url), complaint)
        # The part may be from another source: the mirror gets one chance to send the whole file.
        again = False


def _transfer(session: requests.Session, url: str, part: Part, wanted: _Wanted, progress: Progress) -> None:
    """Complete the part. Raises Dropped or Refused."""
    opened = _file(url, part) if urlsplit(url).scheme == "file" else _http(session, url, part, wanted)
    with opened as (total, chunks):
        part.extend(chunks, total, progress)
    if total is not None and part.size < total:
        raise Dropped(f"the connection ended after {part.size} of {total} bytes")


@contextmanager
def _file(url: str, part: Part) -> Iterator[tuple[int, Iterator[bytes]]]:
    path = Path(url2pathname(urlsplit(url).path))
    try:
        source = path.open("rb")
    except OSError as error:
        raise Refused("address", error.strerror or str(error)) from None
    with source:
        total = path.stat().st_size
        _check_room(part, total)
        part.restart(Origin(url))
        yield total, iter(lambda: source.read(CHUNK), b"")


@contextmanager
def _http(
    session: requests.Session, url: str, part: Part, wanted: _Wanted
) -> Iterator[tuple[int | None, Iterator[bytes]]]:
    with answer(session, url, _resuming(url, part, wanted), TIMEOUT) as response:
        total = _begin(response, url, part, wanted)
        yield total, chunks(response) if part.size != total else iter(())


def _resuming(url: str, part: Part, wanted: _Wanted) -> dict[str, str]:
    """Return the headers that request the rest only, if a mismatch of the two pieces is impossible or would be
    detected."""
    if not part.size:
        return {}
    origin = part.origin
    if origin is not None and origin.url == url and origin.validator:
        return {"Range": f"bytes={part.size}-", "If-Range": origin.validator}
    return {"Range": f"bytes={part.size}-"} if wanted.promised else {}


def _begin(response: requests.Response, url: str, part: Part, wanted: _Wanted) -> int | None:
    """Parse the response headers, prepare the part for the body, and return the bytes of the whole file."""
    status = response.status_code
    start, total = _content_range(response)
    if status == requests.codes.partial_content and start == part.size:
        _check_total(total, part, wanted)
        return total
    if status == requests.codes.ok:
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else None
        _check_total(total, part, wanted)
        headers = response.headers
        part.restart(Origin(url, headers.get("ETag", ""), headers.get("Last-Modified", "")))
        return total
    if status == requests.codes.requested_range_not_satisfiable and total == part.size:
        return total
    if status in (requests.codes.partial_content, requests.codes.requested_range_not_satisfiable):
        part.discard()
        raise Dropped("the server returned another range than requested")
    raise refusal(response)


def _content_range(response: requests.Response) -> tuple[int | None, int | None]:
    """Return start and total of `bytes 100-199/200` or `bytes */200`; None if absent."""
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(?:(\d+)|\*)", response.headers.get("Content-Range", ""))
    if match is None:
        return None, None
    return (int(match[1]) if match[1] else None), (int(match[2]) if match[2] else None)


def _check_total(total: int | None, part: Part, wanted: _Wanted) -> None:
    """Raise Refused for another size before a valid part is discarded."""
    if total is not None and wanted.size is not None and total != wanted.size:
        raise Refused("content", f"wrong size: expected {wanted.size} bytes, found {total}")
    _check_room(part, total)


def _check_room(part: Part, total: int | None) -> None:
    needed = (total or 0) - part.size
    free = shutil.disk_usage(part.path.parent).free
    if needed > free:
        raise StoreError(
            f"{part.target.name} needs {needed / 1e9:.1f} GB, {part.path.parent} has {free / 1e9:.1f} GB free",
            "free some space or move the store: --home DIR",
        )


def _explained(name: str, failures: Sequence[_Failure]) -> InferdeckError:
    kinds = {failure.kind for failure in failures}
    remedy = _CONTENT if "content" in kinds else _NETWORK if "network" in kinds else _ADDRESS
    reasons = "; ".join(f"{failure.where}: {failure.why}" for failure in failures) or "no address is given"
    return FetchError(f"{name} could not be fetched: {reasons}", remedy)
