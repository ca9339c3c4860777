"""Ask before a job starts whether the frameworks that get an environment of their own can be had for a Python here.

A version without wheels would otherwise be found by its step, when others have already fetched for minutes.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from engine.errors import CannotRunError, FetchError
from engine.plan.plan import Plan
from engine.profile.catalog import Catalog
from engine.steps.machine.environment import asked_for, refuse_without_wheels
from engine.survey.survey import Survey

STEP: Final = "engine.steps.machine.environment:make"
"""By this step a component makes an environment."""


def refuse_without(plan: Plan, seen: Survey, catalog: Catalog) -> None:
    """Raise CannotRunError where a version that is asked for has no wheel for any Python of this machine.

    Where the index does not answer nothing is known: the step takes what the store has, or says so.
    """
    for id_, one in seen.seen.items():
        node = plan.nodes[id_]
        if (
            one.state not in ("fetch", "build")
            or catalog.components[node.component].step != STEP
            or not node.version_range
        ):
            continue
        with suppress(FetchError):
            try:
                refuse_without_wheels(asked_for(node.values(), node.version_range))
            except CannotRunError as error:
                raise CannotRunError(f"{id_}: {error.what}", error.remedy) from None
