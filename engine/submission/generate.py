"""Build the submission tree from a results folder: one system at a time, completely or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from engine import codec
from engine.errors import DataError, StoreError, UsageError, nearest
from engine.harness.spec import REPORT
from engine.mlperf import ACCURACY_TEXT, LOADGEN_FILES, MLPERF_CONF, USER_CONF, VERIFY_ACCURACY, VERIFY_PERFORMANCE
from engine.profile.names import TREE, WHOLE_LOGS, folder_fault, refuse_system_name
from engine.profile.rounds import Round
from engine.store.files import disk_errors
from engine.submission import pack, provenance
from engine.submission.documents import calibration, calibration_overview, demonstration, readme
from engine.submission.provenance import Provenance
from engine.submission.tree import Tree, literal, tree_divisions
from engine.submission.verified import stale
from engine.text import to_bytes

IMPLEMENTATION = "inferdeck"

OVERRIDES = ("division", "submitter")
"""Fields of a description that can be overridden on the command line."""


@dataclass(frozen=True)
class Request:
    """What to build, and from what."""

    results: Path
    out: Path
    """The tree's root; other systems already in it are kept."""
    sut: str
    description: Mapping[str, Any]
    """The system description, by the field names of the rules."""
    infer: bool = False
    """Infer missing MultiStream and Offline results from the SingleStream run."""
    share_99: bool = False
    """Use a 99.9 result for the 99 folder too, if that was not run."""

    @property
    def inside(self) -> Tree:
        """The results folder, opened so that no link in it is followed."""
        return Tree(self.results)

    def place(self, path: Path) -> PurePosixPath:
        """Return the place of a path in the results folder."""
        return PurePosixPath(path.relative_to(self.results))

    def fitting(self, folder: Path, pattern: str) -> list[Path]:
        """Return what matches a pattern (see Tree.glob) in a folder of the results. Raises DataError for a link."""
        within = "".join(f"{literal(name)}/" for name in self.place(folder).parts)
        return [self.inside.at(place) for place in self.inside.glob(f"{within}{pattern}", links=True)]

    def has(self, path: Path) -> bool:
        """Return whether a file exists. Raises StoreError where that is unknown, DataError for a link on the way."""
        return self.inside.exists(self.place(path))

    def read(self, path: Path) -> bytes:
        """Return the content of a file in the results folder."""
        return self.inside.read(self.place(path))

    @property
    def division(self) -> str:
        """closed, open or network."""
        return str(self.description.get("division", ""))

    @property
    def submitter(self) -> str:
        """The submitter."""
        return str(self.description.get("submitter", ""))


@dataclass(frozen=True)
class MeasuredResult:
    """One measured scenario of one benchmark."""

    benchmark: str
    scenario: str
    """The scenario of its folder; its files may be of another, from which it is inferred."""
    folder: Path
    origin: Provenance
    tests: tuple[Path, ...] = ()
    """Folders of its compliance tests that were verified against exactly these runs."""


def generate(request: Request, rules: Round) -> list[MeasuredResult]:
    """Write the tree; returns what it contains.

    Raises UsageError or DataError, one for each problem: no such system, unfinished results, results of another round
    or system, a division that does not fit. Nothing unfinished is left: all is written to a temporary folder and
    renamed.
    """
    _refuse_misfits(request, rules)
    with disk_errors(request.results):
        results = list(_results(request, rules))
    if not results:
        raise DataError(f"{request.results / request.sut} holds no finished results", "run a benchmark first")
    marked = [found for found in results if pack.not_submittable_reason(found.origin)]
    with disk_errors(request.out):
        request.out.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{request.out.name[:100]}.part-", dir=request.out.parent))
        try:
            _write(request, rules, results, staging)
            _move_in(staging, request, rules)
            if marked:
                notices = sorted({pack.not_submittable_reason(found.origin) for found in marked})
                Tree(request.out).write(PurePosixPath(pack.MARK), to_bytes(demonstration(notices)))
        finally:
            shutil.rmtree(staging, ignore_errors=True)
            with suppress(OSError):
                request.out.rmdir()  # where nothing came into it
    return results


def systems_in(results: Path, rules: Round) -> list[str]:
    """Return the systems that a results folder holds runs of, finished or not; a tree generated into it does not
    count."""
    modes = {place for mode in ("performance", "accuracy") for place in results.glob(f"*/*/*/{mode}")}
    return [
        name
        for name in sorted({place.relative_to(results).parts[0] for place in modes})
        if not name.startswith(".")
        and name not in (TREE, WHOLE_LOGS, *rules.divisions)
        and not tree_divisions(results / name, rules.divisions)
    ]


def _refuse_misfits(request: Request, rules: Round) -> None:
    refuse_system_name(request.sut)
    known = systems_in(request.results, rules)
    folder = request.results / request.sut
    if request.sut not in known and (not folder.is_dir() or tree_divisions(folder, rules.divisions)):
        raise UsageError(f"{request.results} has no results of the system '{request.sut}'", nearest(request.sut, known))
    if request.division not in rules.divisions:
        raise DataError(
            f"the division of {request.sut} is '{request.division}'",
            nearest(request.division.lower(), rules.divisions),
        )
    if not request.submitter:
        raise DataError(f"the description of {request.sut} has no submitter", "fill in its field 'submitter'")
    fault = folder_fault(request.submitter)
    if fault is not None:
        raise DataError(f"the submitter of {request.sut}: {fault[0]}", fault[1])
    _refuse_places(request, known)


def _refuse_places(request: Request, known: list[str]) -> None:
    """Raise UsageError for a tree within or around the results, and for a submitter present in different
    capitalisation."""
    out, results = request.out.resolve(), request.results.resolve()
    if results.is_relative_to(out) or any(out.is_relative_to(results / sut) for sut in known):
        raise UsageError(f"{request.out} is where the results are", f"name another place: --out={results / TREE}")
    division = request.out / request.division
    for owner in division.iterdir() if division.is_dir() else ():
        if owner.name != request.submitter and owner.name.lower() == request.submitter.lower():
            raise UsageError(
                f"{request.out} has a submitter {owner.name} already, and this one is {request.submitter}",
                f"spell it the same: --submitter={owner.name}",
            )


def _results(request: Request, rules: Round) -> Iterator[MeasuredResult]:
    benchmarks = request.fitting(request.results / request.sut, "*/")
    for benchmark in benchmarks:
        found: dict[str, MeasuredResult] = {}
        for scenario in request.fitting(benchmark, "*/"):
            found[scenario.name] = _result(request, rules, benchmark.name, scenario)
        yield from found.values()
        if request.infer and "SingleStream" in found:
            allowed = _inferable(rules, benchmark.name, str(request.description.get("system_type")))
            yield from (replace(found["SingleStream"], scenario=name) for name in allowed if name not in found)
        base = benchmark.name.removesuffix(".9")
        if request.share_99 and benchmark.name.endswith("-99.9") and benchmark.with_name(base) not in benchmarks:
            yield from (replace(one, benchmark=base) for one in found.values())


def _inferable(rules: Round, benchmark: str, system_type: str) -> list[str]:
    """Return the scenarios whose results such a system may infer from its SingleStream run."""
    if not set(rules.categories(system_type)) & set(rules.inferring_categories):
        return []
    allowed = rules.allowed(benchmark, system_type)
    return [name for name in allowed if rules.infers("SingleStream", name)]


def _result(request: Request, rules: Round, benchmark: str, scenario: Path) -> MeasuredResult:
    for mode in ("performance", "accuracy"):
        if not request.has(scenario / mode / REPORT):
            raise DataError(f"{scenario} has no finished {mode} run", "the same command resumes the job")
    if not request.has(scenario / "accuracy" / ACCURACY_TEXT):
        raise DataError(f"{scenario / 'accuracy'} was not scored", "the same command resumes the job")
    origins = [_origin(request, scenario / mode) for mode in ("performance", "accuracy")]
    for origin in origins:
        if origin.round != rules.name:
            raise DataError(f"{scenario} was measured by round {origin.round}, not {rules.name}", "measure it again")
        if (origin.sut, origin.benchmark) != (request.sut, benchmark):
            raise DataError(
                f"{scenario} is a result of {origin.benchmark} on {origin.sut}",
                "one folder holds one system: sort them",
            )
    if origins[0].model_sha256 != origins[1].model_sha256:
        raise DataError(
            f"{scenario}: performance and accuracy are of different models", "run both modes with one model"
        )
    wanted = any(name == request.division and rule.compliance for name, rule in rules.divisions.items())
    tests = tuple(_tests(request, scenario, wanted=wanted))
    origin = msgspec.structs.replace(origins[0], disturbed=provenance.disturbed(scenario / "performance"))
    return MeasuredResult(benchmark, scenario.name, scenario, origin, tests)


def _tests(request: Request, scenario: Path, *, wanted: bool) -> Iterator[Path]:
    """Yield the compliance tests of a result. Tests of other runs raise where tests are required, else they are
    skipped."""
    for test in request.fitting(scenario, "TEST*/"):
        why = stale(test, scenario / "performance", scenario / "accuracy")
        if why and wanted:
            raise DataError(f"{test} {why}", "run the compliance tests again (_compliance), or move the folder away")
        if not why:
            yield test


def _origin(request: Request, folder: Path) -> Provenance:
    try:
        return codec.decode(request.read(folder / provenance.FILE), type=Provenance)
    except (StoreError, msgspec.DecodeError):
        raise DataError(f"{folder} has no provenance", f"it needs the {provenance.FILE} of its run") from None


def _write(request: Request, rules: Round, results: list[MeasuredResult], root: Path) -> None:
    owner, layout = root / request.division / request.submitter, rules.layout
    description = owner / layout.system.format(system=request.sut)
    description.parent.mkdir(parents=True)
    description.write_bytes(_json(dict(request.description)))
    if request.division != "open":
        (owner / rules.files.calibration[0]).write_bytes(
            to_bytes(calibration_overview(rules.files.calibration_process))
        )
    for result in results:
        names = {
            "system": request.sut,
            "benchmark": result.benchmark,
            "scenario": result.scenario,
            "implementation": IMPLEMENTATION,
        }
        _copy_runs(request, result, owner / layout.results.format(**names))
        _copy_compliance(request, result, owner / layout.compliance.format(**names))
        _write_measurements(request, rules, result, owner / layout.measurements.format(**names), names)
        code = owner / layout.code.format(**names)
        if not layout.code.endswith("{implementation}"):
            code = code / result.benchmark / IMPLEMENTATION
        code.mkdir(parents=True, exist_ok=True)
        (code / "README.md").write_bytes(to_bytes(readme(result.origin)))


def _copy_runs(request: Request, result: MeasuredResult, place: Path) -> None:
    _copy(request, result.folder / "performance", place / "performance" / "run_1", LOADGEN_FILES)
    _copy(request, result.folder / "accuracy", place / "accuracy", (ACCURACY_TEXT, *LOADGEN_FILES))


def _copy_compliance(request: Request, result: MeasuredResult, place: Path) -> None:
    for test in result.tests:
        _copy(request, test / "performance", place / test.name / "performance" / "run_1", LOADGEN_FILES)
        _copy(request, test, place / test.name, (VERIFY_PERFORMANCE, VERIFY_ACCURACY))
        names = [path.name for path in request.fitting(test, "accuracy/*")]
        if names:
            _copy(request, test / "accuracy", place / test.name / "accuracy", names)


def _copy(request: Request, source: Path, target: Path, names: Sequence[str]) -> None:
    """Copy those of these files that exist. Raises DataError for a link on the way to one."""
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        place = request.place(source / name)
        if request.inside.exists(place):
            with request.inside.open(place) as file, (target / name).open("wb") as out:
                shutil.copyfileobj(file, out, 1 << 20)


def _write_measurements(
    request: Request, rules: Round, result: MeasuredResult, place: Path, names: Mapping[str, str]
) -> None:
    place.mkdir(parents=True, exist_ok=True)
    origin = result.origin
    fields = {**origin.model, "inferdeck": msgspec.to_builtins(origin)}
    (place / rules.layout.measurements_file.format(**names)).write_bytes(_json(fields))
    confs = [name for name in (MLPERF_CONF, USER_CONF) if name in rules.files.measurements]
    _copy(request, result.folder / "performance", place, (*confs, "lock.json"))
    (place / "README.md").write_bytes(to_bytes(readme(origin)))
    (place / rules.files.calibration_process).write_bytes(to_bytes(calibration(origin)))


def _move_in(staging: Path, request: Request, rules: Round) -> None:
    """Move the new system into the tree, replacing an existing one. Raises DataError for a link."""
    tree, owner = Tree(request.out), PurePosixPath(request.division, request.submitter)
    pieces = [owner / kind / request.sut for kind in (*rules.layout.kinds(), "results")]
    pieces += [owner / rules.layout.system.format(system=request.sut)]
    code = sorted((staging / owner / rules.layout.code.partition("/")[0]).glob("*/*"))
    pieces += [PurePosixPath(path.relative_to(staging)) for path in code]
    if not any(tree.exists(owner / name) for name in rules.files.calibration):
        pieces.append(owner / rules.files.calibration[0])
    old = staging / "old"
    old.mkdir()
    for number, piece in enumerate(pieces):
        if tree.exists(piece):
            tree.move_out(piece, old / str(number))
        if (staging / piece).exists():
            tree.move_in(staging / piece, piece)


def _json(value: object) -> bytes:
    return codec.encode(value, indent=2) + b"\n"
