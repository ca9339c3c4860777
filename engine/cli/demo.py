"""`inferdeck demo`: run the demonstration recipe of a benchmark that this machine supports."""

from __future__ import annotations

from dataclasses import replace

from engine.cli import arguments as words
from engine.cli.prepare import prepare
from engine.cli.run import start
from engine.cli.screen import Screen
from engine.errors import UsageError, nearest
from engine.survey.prepare import Prepared, workplace

DEFAULT = "resnet50"


def demo_command(asked: words.Words) -> int:
    """Run the demonstration on photographs, or with --offline on generated images without any download.

    `--model` names the benchmark. Where this machine lacks what the photographs need, generated images are used.
    """
    if "recipe" in asked.values:
        return start(prepare(asked), asked)
    known = workplace(asked.values.get("home"), asked.profiles).catalog.benchmarks
    model = asked.values.get("model", DEFAULT)
    if model not in known:
        raise UsageError(f"there is no demonstration of '{model}'", nearest(model, known))
    demo = known[model].file.demo
    prepared = _prepared(asked, demo.offline if "offline" in asked.flags else demo.recipe)
    problems = prepared.seen.problems()
    if problems and "offline" not in asked.flags:
        _, lacking = problems[0]
        if not asked.flags & {"quiet", "json"}:
            Screen().line(f"{lacking.text}: using generated images instead ({lacking.remedy})", "todo")
        prepared = _prepared(asked, demo.offline)
    return start(prepared, asked)


def _prepared(asked: words.Words, recipe: str) -> Prepared:
    return prepare(replace(asked, values={**asked.values, "recipe": recipe}))
