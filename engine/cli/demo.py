"""`inferdeck demo`: one of the demonstrations, by benchmark and by what this machine can have."""

from __future__ import annotations

from dataclasses import replace

from engine.cli import words
from engine.cli.run import prepare, start
from engine.cli.screen import Screen
from engine.errors import UsageError, nearest
from engine.job.prepare import Prepared

RECIPES = {"resnet50": "demo", "retinanet": "demo-retinanet"}
"""By benchmark; with `-offline` behind it the one that fetches nothing."""
OFFLINE = "-offline"


def demo_command(asked: words.Words) -> int:
    """Run the demonstration: a real model on photographs, or with --offline generated pictures and nothing fetched.

    `--model` names the benchmark. Where this machine lacks what the photographs need, the other one is taken.
    """
    model = asked.values.get("model", "resnet50")
    if model not in RECIPES:
        raise UsageError(f"there is no demonstration of '{model}'", nearest(model, RECIPES))
    if "recipe" in asked.values:
        return start(prepare(asked), asked)
    recipe = RECIPES[model] + (OFFLINE if "offline" in asked.flags else "")
    prepared = _prepared(asked, recipe)
    problems = prepared.seen.problems()
    if problems and not recipe.endswith(OFFLINE):
        _, lacking = problems[0]
        if not asked.flags & {"quiet", "json"}:
            Screen().line(f"{lacking.text}: generated pictures are taken instead ({lacking.remedy})", "todo")
        prepared = _prepared(asked, recipe + OFFLINE)
    return start(prepared, asked)


def _prepared(asked: words.Words, recipe: str) -> Prepared:
    return prepare(replace(asked, values={**asked.values, "recipe": recipe}))
