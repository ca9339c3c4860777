"""Run the benchmarks: `python -m tests.benchmarks [NAME [options]]`; without a name those that need nothing."""

from __future__ import annotations

import importlib
import sys

ALONE = ("start", "plan", "checker", "harness", "preprocessing", "tui", "detection", "criteo", "explore", "pool")
"""Those that need neither a model file nor a further package."""

NAMES = (
    *ALONE,
    "offline",
    "tensorflow",
    "side-by-side",
    "bert",
    "dlrm",
    "3d-unet",
    "rnnt",
    "shares",
    "explore",
    "explore-table",
)

MODULES = {"side-by-side": "side_by_side", "3d-unet": "unet", "explore-table": "explore_table"}
"""Where a name is no module's."""


def main(arguments: list[str]) -> None:
    """Run one benchmark with its options, or all."""
    if arguments and arguments[0] not in NAMES:
        sys.exit(f"there is no benchmark '{arguments[0]}'; there are {', '.join(NAMES)}")
    for name in arguments[:1] or ALONE:
        print(f"== {name}")
        importlib.import_module(f"tests.benchmarks.{MODULES.get(name, name)}").main(arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
