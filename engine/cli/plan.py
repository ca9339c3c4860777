"""`inferdeck plan`: show the tree of steps that a selection would run, write a lock file, or compare two."""

from __future__ import annotations

from collections.abc import Sequence

from engine.cli import arguments as words
from engine.cli import output, plan_tree
from engine.cli.prepare import prepare_words, refuse_selection
from engine.cli.screen import Screen
from engine.survey import lock as locks
from engine.survey.prepare import Prepared
from engine.text import whole_path


def plan_command(asked: words.Words) -> int:
    """Show the tree; exit status 0 if it can run, 2 if something is missing or in conflict.

    With `--probe` this machine's speed is measured first, and the runs are shown with what they need.
    """
    if "diff" in asked.flags:
        refuse_selection(asked, "two lock files are compared as they are", "inferdeck plan --diff A B")
        return _diff(asked.positional)
    prepared = prepare_words(asked)
    if "probe" in asked.flags:
        from engine.cli.probe import probed  # noqa: PLC0415  (start-up: only this starts a job)

        prepared = probed(prepared, asked)
    if "lock" in asked.values:
        locks.write(whole_path(asked.values["lock"]), prepared.lock())
    if "json" in asked.flags:
        _plan_as_json(prepared, with_feasibility=_asks_feasibility(prepared, asked))
    elif "quiet" not in asked.flags:
        _draw_plan(Screen(), prepared, with_feasibility=_asks_feasibility(prepared, asked))
    return 2 if prepared.seen.problems() else 0


def _asks_feasibility(prepared: Prepared, asked: words.Words) -> bool:
    from engine.survey.feasibility import is_valid_style  # noqa: PLC0415  (start-up: it reads what tuning measured)

    return "probe" in asked.flags or is_valid_style(prepared)


def _plan_as_json(prepared: Prepared, *, with_feasibility: bool) -> None:
    plain = plan_tree.as_json(prepared.plan, prepared.seen)
    if with_feasibility:
        from engine.cli import feasibility  # noqa: PLC0415
        from engine.survey.feasibility import feasibility as predicted  # noqa: PLC0415

        plain["feasibility"] = feasibility.as_json(predicted(prepared))
    if prepared.makes_submission:
        from engine.cli import preflight  # noqa: PLC0415  (start-up: few plans make a submission)
        from engine.survey.plan_preflight import expected  # noqa: PLC0415

        plain["preflight"] = preflight.as_json(expected(prepared))
    output.write_json(plain)


def _draw_plan(screen: Screen, prepared: Prepared, *, with_feasibility: bool) -> None:
    for notice in (prepared.notice, prepared.start_notice):
        if notice:
            screen.line(notice, "todo")
    plan_tree.draw(screen, prepared.plan, prepared.seen)
    if with_feasibility:
        from engine.cli import feasibility  # noqa: PLC0415
        from engine.survey.feasibility import feasibility as predicted  # noqa: PLC0415

        if (found := predicted(prepared)).runs:
            screen.line()
            feasibility.show(screen, found)
    if prepared.makes_submission:
        from engine.cli import preflight  # noqa: PLC0415
        from engine.survey.plan_preflight import by_the_rules  # noqa: PLC0415

        screen.line()
        preflight.show_expected(screen, by_the_rules(prepared))


def _diff(files: Sequence[str]) -> int:
    before, after = (locks.read(whole_path(one)) for one in files)
    found = locks.differences(before, after)
    screen = Screen()
    for line in found or ["the two plans are the same"]:
        screen.line(line)
    return 0
