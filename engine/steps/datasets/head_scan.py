"""A real scan of a head with the mask of its brain, which a package carries, laid out as a case of KiTS19."""

import shutil
from pathlib import Path
from typing import Any

from engine.errors import DataError
from engine.facts import PackageFacts
from engine.step import Options, Step
from engine.store.files import disk_errors
from engine.tasks.kits_files import IMAGE, TRUTH

CASE = "case_00000"


class HeadOptions(Options, frozen=True, kw_only=True):
    """Names of the two files in the package."""

    image: str
    mask: str


def head_scan(step: Step) -> dict[str, Any]:
    """Copy scan and mask from the need `package` into one case. Options: `image`, `mask`.

    Facts: `images` (the artifact's own folder), `count`, `cases`, `nifti`. Raises DataError where one is not there.
    """
    package, options = step.inputs["package"], step.read_options(HeadOptions)
    files = {Path(name).name: package.folder / name for name in package.read(PackageFacts).files}
    with disk_errors(step.output):
        (step.output / CASE).mkdir(exist_ok=True)
        for source, target in ((options.image, IMAGE), (options.mask, TRUTH)):
            if source not in files:
                raise DataError(f"{package.path}: it holds no {source}", "name a package, version and members with it")
            shutil.copyfile(files[source], step.output / CASE / target)
    return {"images": "", "count": 1, "cases": [CASE], "nifti": True}
