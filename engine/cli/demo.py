"""`inferdeck demo`: run the demonstration recipe of a benchmark that this machine supports."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from engine.cli import arguments as words
from engine.cli.prepare import prepare_words
from engine.cli.run import start
from engine.cli.screen import Screen
from engine.errors import UsageError, nearest
from engine.profile.benchmarks import default_name
from engine.survey.prepare import Prepared, workplace


def demo_command(asked: words.Words) -> int:
    """Run the demonstration on real samples, or with --offline on generated ones without any download.

    `--model` names the benchmark, or a family of them (`bert`). Where this machine lacks what the real samples need,
    generated ones are used.
    """
    if "recipe" in asked.values:
        return start(prepare_words(asked), asked)
    known = workplace(asked.values.get("home"), asked.profiles).catalog.benchmarks
    chosen = benchmark(asked.values.get("model", default_name(known)), known)
    file = known[chosen].file
    demo = file.demo
    if "offline" in asked.flags and not demo.offline:
        others = ", ".join(name for name, one in known.items() if one.file.demo.offline)
        raise UsageError(f"{chosen} has no model that needs no network", f"leave out --offline, or choose {others}")
    prepared = _prepared(asked, demo.offline if "offline" in asked.flags else demo.recipe)
    problems = prepared.seen.problems()
    if problems and "offline" not in asked.flags and demo.offline:
        _, lacking = problems[0]
        if not asked.flags & {"quiet", "json"}:
            Screen().line(f"{lacking.text}: using generated {file.samples} instead ({lacking.remedy})", "todo")
        prepared = _prepared(asked, demo.offline)
    return start(prepared, asked)


def benchmark(model: str, known: Collection[str]) -> str:
    """Return the benchmark of this name, or the first by name of a family: `bert` is bert-99.

    Raises UsageError where there is none.
    """
    found = [model] if model in known else sorted(one for one in known if model and one.startswith(f"{model}-"))
    if not found:
        raise UsageError(f"there is no demonstration of '{model}'", nearest(model, known))
    return found[0]


def _prepared(asked: words.Words, recipe: str) -> Prepared:
    return prepare_words(replace(asked, values={**asked.values, "recipe": recipe}))
