"""Rules of a round for a submission's tree: divisions, system descriptions, folders and files."""

from typing import Literal

import msgspec

from engine.mlperf import Scenario
from engine.profile.benchmark_rules import Category
from engine.profile.scenario_rules import Count

Division = Literal["closed", "open", "network"]
Severity = Literal["error", "warning", "note"]
"""Severity of a finding: `error`: the official checker rejects the result; `warning`: it accepts the result with a
warning; `note`: information."""


class DivisionRule(msgspec.Struct, frozen=True, kw_only=True):
    """Requirements of a division."""

    accuracy_target: bool
    all_scenarios: bool
    compliance: bool
    network: bool | None
    """Required value of the system description's `is_network`; None accepts both."""


class SystemRule(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of a system description."""

    required: tuple[str, ...]
    network: tuple[str, ...]
    """Also required for a network system."""
    network_if_named: bool = False
    """Those are required wherever is_network is not empty, even if it says false."""
    optional: tuple[str, ...]
    status: tuple[str, ...]
    types: dict[str, tuple[Category, ...]]
    """`system_type`, spelled exactly → its categories."""
    texts: tuple[str, ...]
    """Fields that must be strings if present: the checker crashes on a number in them."""
    meaningful: tuple[str, ...] = ()
    """Required fields that must not be empty, nor a number 0 outside quotes."""
    other_rounds: tuple[str, ...] = ()
    """Fields that only other rounds know: they are left out of what is written for this one."""
    numbers: tuple[str, ...] = ()
    """Fields that must be whole numbers: the checker multiplies them."""


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Files of a submission's folders: exactly these, and the tolerated ones."""

    performance: tuple[str, ...]
    accuracy: tuple[str, ...]
    measurements: tuple[str, ...]
    measurement_fields: tuple[str, ...]
    calibration: tuple[str, ...]
    """One of these is required in a submitter's folder, outside the open division."""
    calibration_process: str
    """Required in the measurements of every result."""
    compliance_performance: tuple[str, ...]
    compliance_accuracy: tuple[str, ...]
    compliance_baseline: tuple[str, ...]
    """In addition to those, where the responses of TEST01 differ and two accuracies are compared instead."""
    power_logs: tuple[str, ...]
    power_performance: tuple[str, ...]
    """In addition to the performance files, for a run with power."""
    power_measurements: tuple[str, ...] = ()
    """Beginnings of the files that a run with power needs in its measurements, or in a folder above within them."""
    tolerated: tuple[str, ...]
    tolerated_performance: tuple[str, ...]
    tolerated_names: tuple[str, ...] = ()
    """Names that may begin with a dot."""
    accuracy_log_max_bytes: Count
    """Size limit of a submitted log; a larger one has to be truncated."""
    accuracy_log_kept_bytes: Count
    """How many bytes truncation keeps at each end."""
    max_bytes: Count
    """Size limit of a submission's files."""
    beside_divisions: tuple[str, ...]
    """Folders that are allowed next to those of the divisions."""
    beside_divisions_endings: tuple[str, ...] = (".md", ".pdf")
    """Endings of the files that are allowed there."""
    model_mapping: str = ""
    """A JSON file in a submitter's folder of the open division: model folder → the checker's class."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Path templates, from a submitter's folder; {system}, {benchmark}, {scenario}, {implementation} are replaced."""

    results: str
    measurements: str
    measurements_file: str
    """The JSON file that describes the measured model, in the measurements; with {system} any file that begins with
    the system's name is accepted."""
    compliance: str
    system: str
    code: str

    def kinds(self) -> tuple[str, ...]:
        """Return the folders of a submitter that have a folder for each system beside results."""
        heads = dict.fromkeys(place.partition("/")[0] for place in (self.measurements, self.compliance))
        return tuple(head for head in heads if head != self.results.partition("/")[0])


class TestModes(msgspec.Struct, frozen=True, kw_only=True):
    """LoadGen's test modes that a log may be of."""

    __test__ = False
    performance: tuple[str, ...]
    accuracy: tuple[str, ...]


class NameGuess(msgspec.Struct, frozen=True, kw_only=True):
    """A heuristic by which the checker interprets a model folder's name."""

    contains: tuple[str, ...]
    checker_class: str


class PowerRule(msgspec.Struct, frozen=True, kw_only=True):
    """How power is computed from the samples of the power meter."""

    units: dict[Scenario, str]
    per_joule: Count
    """Energy is given in 1/per_joule of a joule: 1000 for mJ."""
    positive_only: bool
    """Samples of 0 W or less do not count."""
    other_lines: bool
    """Lines that do not begin with `Time` are skipped; else they are errors."""


class EqualIssue(msgspec.Struct, frozen=True, kw_only=True):
    """Where the checker looks whether every sample was issued equally often."""

    source: Literal["detail_log", "configuration"]
    """`configuration`: mlperf.conf and user.conf of the measurements."""
    divisions: tuple[Division, ...]


class Judging(msgspec.Struct, frozen=True, kw_only=True):
    """How the official checker draws conclusions; they differ from round to round."""

    every_value: bool
    """Every line with a metric must reach its target; else the last one before the hash counts."""
    all_metrics: bool
    """A result shows all its metrics with their names; else the value of the first."""
    measurements_count: bool
    """A result without measurements is refused; else only the tree is."""
    missing_scenario_counts: bool
    """A missing or unknown scenario refuses all results of the benchmark; else only the tree, and the unknown one."""
    token_limits_of_log: bool
    """Token latencies are compared with the limits of the log's scenario; else with those of the folder's."""
    foreign_links_only: bool
    """A link is a fault only where its text names nothing, seen from the tree's root."""
    refuses_submitter: tuple[str, ...]
    """Rules of the checker: where one is broken, a submitter's results are not looked at."""
    refuses_division: tuple[str, ...]
    refuses_tree: tuple[str, ...]


class LoadGen(msgspec.Struct, frozen=True, kw_only=True):
    """The LoadGen of a round."""

    approved: tuple[str, ...]
    """Beginnings of the approved versions."""
    package: str
    """The newest approved version of mlcommons-loadgen on PyPI that has wheels; empty where there is none."""
