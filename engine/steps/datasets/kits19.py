"""Fetch the KiTS19 cases that the rules name: an image and a segmentation each, without published checksums."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from engine.errors import FetchError
from engine.step import Options, Step
from engine.tasks.kits_files import COPIES, IMAGE, TRUTH, listed

IMAGE_BYTES = 110_000_000
"""Of one image on average; for the progress. An estimate."""
REPORT_SECONDS = 0.25
"""Interval between two progress reports in seconds."""


class CasesOptions(Options, frozen=True, kw_only=True):
    """Which cases are fetched, and from where."""

    cases: str
    """`inference` or `calibration`: the rules' list."""
    images: tuple[str, ...]
    segmentations: tuple[str, ...]
    """URL patterns with `{number}`, tried in order."""


def fetch_cases(step: Step) -> dict[str, Any]:
    """Download the cases of a list, each into a folder of its name; what an interrupted attempt has is kept.

    Facts: `images`, `count`, `cases`, `nifti`. Raises FetchError for a wrong pattern and where no address has a file.
    """
    from engine.fetch.one import fetch  # noqa: PLC0415  (it imports requests: a plan must be instant)

    options = step.read_options(CasesOptions)
    names = listed(options.cases)
    sources = {IMAGE: options.images, TRUTH: options.segmentations}
    for pattern in (one for patterns in sources.values() for one in patterns):
        if "{number}" not in pattern:
            raise FetchError(f"the address '{pattern}' has no {{number}}", "write it: http://HOST/case_{number}.nii.gz")
    distinct = [name for name in names if name not in COPIES]
    step.phase("fetching")
    for done, name in enumerate(distinct):
        step.progress(done, len(distinct), "cases")
        number = name.removeprefix("case_")
        for file, patterns in sources.items():
            urls = [pattern.replace("{number}", number) for pattern in patterns]
            fetch(urls, step.output / name / file, progress=_within(step, done, len(distinct)))
    step.progress(len(distinct), len(distinct), "cases")
    return {"images": "", "count": len(names), "cases": list(names), "nifti": True}


def _within(step: Step, done: int, of: int) -> Callable[[int, int | None], None]:
    """Return a function that reports the bytes of a file as a part of its case, a few times a second."""
    last = 0.0

    def report(now: int, _: int | None) -> None:
        nonlocal last
        if time.monotonic() - last >= REPORT_SECONDS:
            last = time.monotonic()
            step.progress(round(done + min(now / IMAGE_BYTES, 1.0), 2), of, "cases")

    return report
