"""A guide brought to any of its steps without measuring: the files that users and jobs leave."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from engine.guide import actions, presets, state
from engine.guide.overview import Overview, OverviewReader
from engine.guide.state import Guide
from engine.guide.steps import GuideStep, steps
from engine.mlperf import Scenario
from engine.submission import provenance
from engine.survey.prepare import workplace
from tests.engine.submission import base_tree
from tests.engine.submission import loadgen_logs as logs
from tests.engine.submission.results_folder import origin

EDGE: tuple[Scenario, ...] = ("SingleStream", "MultiStream", "Offline")
SYSTEM = "box"


class GuideDriver:
    """One user's guide in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.reader = OverviewReader(workplace(str(home)))

    @property
    def guide(self) -> Guide:
        """The guide as it is on the disk."""
        return state.load(self.reader.place.folders, state.FIRST)

    def overview(self) -> Overview:
        """Return the current state."""
        return self.reader.read(self.guide)

    def elsewhere(self) -> GuideDriver:
        """Return the same guide as another terminal sees it, without caches."""
        return GuideDriver(self.home)

    def steps(self) -> dict[str, GuideStep]:
        """Return the steps by name."""
        return {step.name: step for step in steps(self.overview())}

    def choose(self, offer: str = presets.PRACTICE, **more: str) -> None:
        """Do step 1."""
        for name, value in {"round": "v2.1", "offer": offer, "system": SYSTEM, **more}.items():
            actions.choose(self.reader, self.guide, name, value)

    def describe(self, **fields: str) -> None:
        """Do step 2."""
        actions.describe(self.reader, self.guide, {"submitter": "Acme", **fields})

    def measure(self, scenarios: Iterable[Scenario] = EDGE, *, style: str = "test", samples: int = 1024) -> None:
        """Write what the runs of step 6 leave."""
        overview = self.overview()
        benchmark = base_tree.RULES.benchmarks["resnet50"]
        for scenario in scenarios:
            place = overview.results / SYSTEM / "resnet50" / scenario
            base_tree.write_run(place / "performance", logs.performance_values(base_tree.RULES, benchmark, scenario))
            base_tree.write_accuracy(place / "accuracy", benchmark, scenario)
            (place / "accuracy" / "mlperf_log_accuracy.json").write_bytes(logs.accuracy_log())
            (place / "accuracy" / "accuracy.txt").write_text(base_tree.accuracy_text(benchmark))
            for mode in ("performance", "accuracy"):
                found = origin(SYSTEM, "resnet50", scenario, mode)
                found = msgspec.structs.replace(found, style=style, notice="DEMONSTRATION", samples=samples)
                for name in ("mlperf.conf", "user.conf", "lock.json"):
                    (place / mode / name).write_text("x")
                (place / mode / provenance.FILE).write_bytes(msgspec.json.encode(found))
                (place / mode / "run.json").write_text("{}")

    def build(self) -> None:
        """Build, check and pack the tree, as the job of step 6 does at its end."""
        actions.build(self.overview())


def states(driver: GuideDriver) -> str:
    """Return the state of every step by its first letter: d n r . b -."""
    letters = {"done": "d", "now": "n", "running": "r", "next": ".", "blocked": "b", "skipped": "-"}
    return "".join(letters[step.state] for step in driver.steps().values())
