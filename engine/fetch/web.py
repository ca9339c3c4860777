"""Request a file from a web server, and classify failures as retryable or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Literal
from urllib.parse import urlsplit

import requests
import urllib3

from engine.fetch.part import CHUNK

LONGEST_PAUSE = 30.0
"""Maximum seconds that a server's Retry-After is respected for."""

FailureKind = Literal["network", "address", "content"]


class Dropped(Exception):  # noqa: N818  (not an error yet: it is tried again)
    """The attempt failed; another may succeed."""

    def __init__(self, why: str, pause: float = 0.0, kind: FailureKind = "network") -> None:
        super().__init__(why)
        self.why = why
        self.pause = pause
        """Seconds of Retry-After."""
        self.kind: FailureKind = kind


class Refused(Exception):  # noqa: N818  (another server may have it)
    """This server will not send the file, however often it is asked."""

    def __init__(self, kind: FailureKind, why: str) -> None:
        super().__init__(why)
        self.kind: FailureKind = kind
        self.why = why


@contextmanager
def answer(
    session: requests.Session, url: str, headers: Mapping[str, str], timeout: tuple[float, float]
) -> Iterator[requests.Response]:
    """Yield the response with the body unread, of any status. Proxies and certificates are those of requests.

    `timeout`: seconds to wait for a connection, and for the next bytes. Raises Dropped or Refused if there is none.
    """
    try:
        # Identity encoding: checksums and ranges refer to the stored bytes.
        asked = {"Accept-Encoding": "identity", **headers}
        response = session.get(url, headers=asked, stream=True, timeout=timeout)
    except requests.exceptions.SSLError as error:
        raise Refused("address", "its certificate is not trusted (REQUESTS_CA_BUNDLE names others)") from error
    except (requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema, ValueError) as error:
        raise Refused("address", "not an address that can be fetched") from error
    except requests.ConnectTimeout as error:
        # Packets are dropped silently: another attempt would wait as long again.
        raise Refused("network", "no answer in time") from error
    except requests.RequestException as error:
        raise Dropped(_reason(error)) from error
    except OSError as error:
        raise Refused("network", str(error)) from error
    with closing(response):
        yield response


def refusal(response: requests.Response) -> Dropped | Refused:
    """Return the error of a response without the file: 5xx, 408 and 429 are retryable."""
    status = response.status_code
    words = f"{status} {response.reason}".strip()
    if status >= 500 or status in (requests.codes.request_timeout, requests.codes.too_many_requests):
        pause = response.headers.get("Retry-After", "")
        return Dropped(words, min(float(pause), LONGEST_PAUSE) if pause.isdigit() else 0.0)
    return Refused("address", words)


def chunks(response: requests.Response) -> Iterator[bytes]:
    """Yield the body as it arrives. Raises Dropped if it ends before the announced length."""
    try:
        yield from response.raw.stream(CHUNK, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Dropped("the connection ended early") from error


def shown_url(url: str) -> str:
    """Return an address without user, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _reason(error: requests.RequestException) -> str:
    inner = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy refuses it"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(inner, urllib3.exceptions.NameResolutionError):
        return "its name cannot be resolved"
    return "no connection"
