"""Check before a job starts that the frameworks to install have a wheel for a Python of this machine.

Otherwise the step would find out when others have already downloaded for minutes.
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
"""Step function of components that make an environment."""


def refuse_without(plan: Plan, seen: Survey, catalog: Catalog) -> None:
    """Raise CannotRunError where a requested version has no wheel for any Python of this machine.

    Where the index does not answer, nothing is raised: the step uses the store, or reports it.
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
