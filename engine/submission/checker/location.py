"""Context of a check: where in a tree it is made, and by which rules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import msgspec

from engine.mlperf import DETAIL_LOG, Scenario
from engine.mlperf_logs.detail import MARKER
from engine.mlperf_logs.kinds import EMPTY, kind_of
from engine.profile.benchmark_rules import Benchmark, Category
from engine.profile.rounds import Round
from engine.profile.run_rules import RunRules, resolve_rules
from engine.profile.tree_rules import Division, Severity
from engine.submission.checker.file_system import Disk, Folder
from engine.submission.checker.findings import FindingCollector
from engine.submission.checker.log import LONGEST, SMALL, Log, Reader, slow

KIND = 4096
"""Bytes that are examined to identify a log without messages."""


@dataclass(frozen=True)
class CheckContext:
    """Context of one unit of work: a submitter in a division of a tree."""

    disk: Disk
    reader: Reader
    rules: Round
    collector: FindingCollector
    division: Division
    submitter: str

    @cached_property
    def own_names(self) -> dict[str, str]:
        """Names of model folders by a submitter's own mapping, in the open division."""
        name = self.rules.files.model_mapping
        path = f"{self.home}/{name}"
        if not name or self.division != "open" or not self.disk.is_file(path):
            return {}
        data = self.disk.read(path, self.disk.size(path), self.collector) or b""
        try:
            return msgspec.json.decode(data, type=dict[str, str])
        except msgspec.DecodeError as error:
            self.collector.add("model.mapping", path, kind_of(data) or str(error), "a JSON object of names")
            return {}

    @cached_property
    def spellings(self) -> dict[str, Scenario]:
        """Valid spellings of scenario folders."""
        return {name: one for one in self.rules.scenarios for name in (one, one.lower())}

    @property
    def home(self) -> str:
        """The submitter's folder, from the tree's root."""
        return f"{self.division}/{self.submitter}"

    def read(self, folder: Folder, name: str) -> bytes | None:
        """Return a file's bytes; None, with a finding, where it does not exist or can't be read."""
        size = folder.files.get(name)
        return None if size is None else self.disk.read(f"{folder.path}/{name}", size, self.collector)

    def log(self, folder: Folder, rule: str) -> Log | None:
        """Return a folder's detail log; None where it does not exist, can't be read or holds no message.

        `rule` is the one that a log without messages breaks.
        """
        log = self._log(folder)
        if log is not None and log.is_empty:
            data = self.disk.read(f"{folder.path}/{DETAIL_LOG}", KIND, self.collector) or b""
            kind = kind_of(data)
            found = f"no message of LoadGen's: {kind or 'no line as LoadGen 1.0 and later write it'}"
            expected = f"lines that begin with {MARKER.decode()}"
            unreadable: Severity | None = "error" if kind not in ("", EMPTY) else None
            self.collector.add(rule, f"{folder.path}/{DETAIL_LOG}", found, expected, severity=unreadable)
            return None
        return log

    def _log(self, folder: Folder) -> Log | None:
        size = folder.files.get(DETAIL_LOG, 0)
        if size <= SMALL:
            data = self.read(folder, DETAIL_LOG)
            return None if data is None else self.reader.parse(data)
        path = f"{folder.path}/{DETAIL_LOG}"
        try:
            return slow(self.disk.lines(path, LONGEST))
        except OSError as error:
            self.collector.add("layout.unreadable", path, str(error.strerror), "a file that can be read")
            return None


@dataclass(frozen=True)
class DescribedSystem:
    """What a system description implies for the system's results."""

    valid: bool
    network: bool
    categories: tuple[Category, ...]
    """Empty where the system type is unknown."""


@dataclass(frozen=True)
class Location:
    """One scenario folder."""

    context: CheckContext
    system: str
    model: str
    spelling: str
    """The scenario folder's name."""
    scenario: Scenario
    benchmark: Benchmark
    described: DescribedSystem
    folder: Folder
    measurements: Folder | None
    compliance: Folder | None

    @cached_property
    def run_rules(self) -> RunRules:
        """The rules for the result's runs, regardless of the scenario in their logs."""
        return resolve_rules(self.context.rules, self.benchmark, self.scenario)

    def place(self, template: str, implementation: str = "") -> str:
        """Return the path of a template of the round's layout for this result."""
        inside = template.format(
            system=self.system, benchmark=self.model, scenario=self.spelling, implementation=implementation
        )
        return f"{self.context.home}/{inside}"
