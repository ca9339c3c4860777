"""Look up the run configuration of the system under test for a plan, and write measured figures to it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from engine.errors import InferdeckError
from engine.profile import systems
from engine.step import Artifact, Options, Step, SurveyContext, SurveyResult
from engine.store.files import digest, locked, write_atomic


class SutOptions(Options, frozen=True, kw_only=True):
    """Whose run configuration it is, and for what."""

    sut: str
    benchmark: str
    backend: str


class TunedOptions(Options, frozen=True, kw_only=True):
    """Whose workers are looked up, and for what."""

    sut: str | None = None
    benchmark: str
    backend: str
    tuning: str = ""


class ConfigurationOptions(Options, frozen=True, kw_only=True):
    """Whose file is written."""

    sut: str
    backend: str


def survey(context: SurveyContext) -> SurveyResult:
    """Find the configuration. Options: `sut`, `benchmark`, `backend`; facts: those of `Configuration`."""
    options = context.read_options(SutOptions)
    found = systems.configuration(context.profiles, options.sut, options.benchmark, options.backend)
    facts = msgspec.to_builtins(found)
    figures = ", ".join(f"{scenario} {figure:g}" for scenario, figure in found.figures.items())
    return SurveyResult(
        "found", Artifact("", facts), identity=digest(str(facts)), text=figures or "targets are measured at start"
    )


def survey_tuned(context: SurveyContext) -> SurveyResult:
    """Survey a quick choice of workers: the SUT's run configuration is part of its identity, because tuned workers are
    used.

    Otherwise a choice stored before a tuning would take precedence over it. Options as in `survey`, and `tuning`. It is
    not in the step's module, because a plan imports nothing that measures.
    """
    options = context.read_options(TunedOptions)
    if options.tuning == "thorough" or not options.sut:
        return SurveyResult("run")
    try:
        found = systems.configuration(context.profiles, options.sut, options.benchmark, options.backend).tuned
    except InferdeckError:
        return SurveyResult("run")  # the SUT's own step says what is wrong
    return SurveyResult("run", identity=digest(str(msgspec.to_builtins(found))) if found is not None else "")


def write(step: Step, change: Callable[[str, str], str], what: str) -> str:
    """Change the user's file of the SUT; returns the file, or "" with a warning where it can't be written.

    `change` gets the text of the file and the name of the backend. A write error does not fail the step, whose
    measurement took minutes: the runs of this plan use it anyway. Options: `sut` and `backend`.
    """
    options = step.read_options(ConfigurationOptions)
    path, backend = systems.find(step.profiles, options.sut, options.backend)
    file = systems.file_to_write(path, step.own_profiles).resolve()
    try:
        with locked(file.with_name(f".{file.name}.lock")):
            # Another step may have made the user's copy meanwhile.
            text = (file if file.is_file() else path).read_text(encoding="utf-8")
            write_atomic(file, change(text, backend).encode())
    except (InferdeckError, OSError) as error:
        step.warn(f"the {what} could not be written: {error}", remedy=f"add it to {file}")
        return ""
    return str(file)
