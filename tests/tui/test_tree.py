from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from textual.app import App, ComposeResult

from engine.plan.selection_syntax import selection_of
from engine.profile.catalog import load
from engine.survey.prepare import Prepared, Workplace, prepare, workplace
from tests.engine.jobs import profile
from tests.helpers import folders_in
from tests.tui.deck import same_grid
from tui.theme import THEMES
from tui.widgets.tree import PlanTree, TreeRow, rows


def prepared(home: Path) -> Prepared:
    catalog = load([profile.write(home / "profile")])
    place = Workplace(folders_in(home / "home"), catalog)
    return prepare(place, selection_of(["--tags=app", f"--diary={home}/diary"])[0])


class TreeApp(App[None]):
    """The tree alone."""

    CSS_PATH = Path(profile.__file__).parents[3] / "tui" / "inferdeck.tcss"

    def __init__(self) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "inferdeck-dark"

    def compose(self) -> ComposeResult:
        yield PlanTree(id="tree")


def ids(found: Iterable[TreeRow]) -> list[str]:
    return [row.node.id if row.node is not None else "" for row in found]


def drawn(app: App[None]) -> list[str]:
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips(app.size)]


@pytest.mark.parametrize("size", [(76, 12), (100, 12)])
async def test_the_tree_as_it_is_drawn(tmp_path: Path, size: tuple[int, int]) -> None:
    app = TreeApp()
    async with app.run_test(size=size) as pilot:
        tree = app.query_one(PlanTree)
        tree.show(prepared(tmp_path))
        await pilot.pause()
        same_grid(f"tree-{size[0]}", drawn(app))


def test_a_folded_branch_hides_what_is_below_it_and_a_filter_finds_it_all_the_same(tmp_path: Path) -> None:
    plan = prepared(tmp_path)
    whole = ids(rows(plan, frozenset(), ""))
    root = plan.plan.root
    assert ids(rows(plan, frozenset({root}), "")) == [root]
    found = ids(rows(plan, frozenset({root}), "measure"))
    assert found == [name for name in whole if name.startswith("measure")]
    assert not list(rows(plan, frozenset(), "measure nonsense"))


def test_every_place_in_the_tree_has_a_key_of_its_own(tmp_path: Path) -> None:
    keys = [row.key for row in rows(prepared(tmp_path), frozenset(), "")]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("tags", "headings"),
    [("_all-modes", []), ("_all-scenarios,_all-modes", ["SingleStream", "MultiStream", "Offline"])],
)
def test_steps_of_several_scenarios_are_below_headings_with_their_times(
    tmp_path: Path, tags: str, headings: list[str]
) -> None:
    words = [f"--tags=app,mlperf,inference,_resnet50,_patterns-net,_valid,{tags}"]
    plan = prepare(workplace(str(tmp_path)), selection_of(words)[0])
    found = list(rows(plan, frozenset(), ""))
    groups = [row for row in found if row.node is None]
    assert [row.title for row in groups] == headings
    assert all(row.seconds and row.seconds >= 600 for row in groups)
    assert sorted(ids(found)) == sorted([*(node.id for node, _, _ in plan.plan.walk()), *[""] * len(headings)])
    folded = [row.title for row in rows(plan, frozenset(headings[:1]), "")]
    assert len(folded) == len(found) - 3 * bool(headings)
