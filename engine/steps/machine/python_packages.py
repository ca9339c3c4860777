"""Survey packages of the running Python environment, and package files to download."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib import metadata
from typing import Literal

from packaging.specifiers import SpecifierSet

from engine.profile.values import parse_size
from engine.step import Artifact, Options, SurveyContext, SurveyResult


class PackageOptions(Options, frozen=True, kw_only=True):
    """A package that must be installed."""

    package: str


class PackageDataOptions(Options, frozen=True, kw_only=True):
    """A file of a package index that is to be downloaded."""

    package: str
    index: Literal["pypi", "npm"] = "pypi"
    bytes: str | None
    """Its size as text: `17.4 MB`."""


def survey_package(context: SurveyContext) -> SurveyResult:
    """Look for the installed package of the option `package` in the requested version range."""
    wanted = context.read_options(PackageOptions).package
    here = installed((wanted,))
    if here is None:
        return SurveyResult("missing", text=f"{wanted} is not installed", remedy=f"pip install '{wanted}'")
    package, version = here
    if context.version and not SpecifierSet(context.version).contains(version, prereleases=True):
        return SurveyResult(
            "conflict",
            text=f"{package} {version} is installed, {context.version} is required",
            remedy=f"pip install '{package}{context.version}', or ask for a range that holds {version}",
        )
    return SurveyResult(
        "found", Artifact("", {"package": package, "version": version}), identity=f"{package}=={version}", text=version
    )


def installed(packages: Sequence[str]) -> tuple[str, str] | None:
    """Return the first of these packages that is installed, with its version."""
    for package in packages:
        try:
            return package, metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return None


def survey_package_data(context: SurveyContext) -> SurveyResult:
    """Return what a package file costs to download. Its name and checksum are options, so nothing has to be looked
    up."""
    options = context.read_options(PackageDataOptions)
    package = options.package
    if options.index == "npm" and shutil.which("npm") is None:
        return SurveyResult(
            "missing",
            text=f"{package} comes from the npm index, and there is no npm on this machine",
            remedy="install Node.js, which brings npm, or choose a model that pip can fetch",
        )
    return SurveyResult("run", fetch_bytes=parse_size(options.bytes or ""))
