"""Download one file of the npm registry with the machine's own npm; nothing is installed or executed.

The user's npm is configured with the mirror, the proxy, the certificates and the credentials of this machine.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from engine.errors import FetchError, UsageError
from engine.fetch import pip
from engine.fetch.package_index import PackageFile, checked, without_credentials
from engine.fetch.part import Progress

INSTALL = "install Node.js, which brings npm"

_NAME = re.compile(r"(@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*")
_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
"""An exact version, not a range or a tag. Other specifiers of npm (folders, addresses, git) could run scripts."""

_CODE = re.compile(r"^npm (?:error|ERR!) code (\S+)", re.MULTILINE)
_NO_SUCH = ("E404", "ETARGET")
_NETWORK = re.compile(
    r"ECONN\w+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|E\w*UNREACH|ERR_SOCKET\w*|FETCH_ERROR|ENOTCACHED|\w*CERT\w*|UNABLE_TO\w+"
)
_CONFIG = "check the network, the proxy and the registry that npm uses: npm config list"


def download(wanted: PackageFile, folder: Path, progress: Progress) -> Path:
    """Download the package with npm into `folder`, which must be empty, and return its path, without dependencies.

    `progress` is called with the size at the end: npm reports nothing before. Raises FetchError: there is no npm, no
    network, the registry has no such package, its SHA-256 differs. UsageError: not a name and version of the registry.
    """
    if _NAME.fullmatch(wanted.package) is None or _VERSION.fullmatch(wanted.version) is None:
        what = f"'{wanted.package}@{wanted.version}' is no package of the npm index"
        raise UsageError(what, "give its name, and its version in full")
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError(f"{wanted} could not be fetched: there is no npm on this machine", INSTALL)
    words = [
        *(npm, "pack", f"{wanted.package}@{wanted.version}"),
        *("--pack-destination=.", "--ignore-scripts", "--prefer-offline", "--loglevel=error", "--no-update-notifier"),
        # npm's default pauses make it take over a minute to report that there is no network
        *("--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-factor=3"),
    ]
    lines, status = pip.run(words, progress, folder)
    found = list(folder.iterdir())
    if status != 0 or len(found) != 1:
        raise _explained(wanted, "\n".join(lines))
    path = checked(wanted, found[0])
    progress(path.stat().st_size, path.stat().st_size)
    return path


def _explained(wanted: PackageFile, output: str) -> FetchError:
    """Return the error that npm's output describes."""
    match = _CODE.search(output)
    code = match[1] if match else ""
    if code in _NO_SUCH:
        return FetchError(
            f"{wanted} could not be fetched: the npm index has no such package or version",
            "check name, version and the registry that npm uses: npm config list",
        )
    if code == "EINTEGRITY":
        return FetchError(f"{wanted}: npm got another file than its index lists", "npm cache verify, and try again")
    if _NETWORK.fullmatch(code):
        return FetchError(f"{wanted} could not be fetched: the npm index does not answer ({code})", _CONFIG)
    errors = [line for line in output.splitlines() if line.startswith("npm e") and " code " not in line]
    errors = errors or output.splitlines()[-1:] or ["it printed nothing"]
    return FetchError(
        f"{wanted} could not be fetched: npm failed: {without_credentials(errors[0])}",
        f"npm pack {wanted.package}@{wanted.version}",
    )
