from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from engine.profile import recipe_files
from tests.tui.deck import SIZES, deck, grid, shows, text, until
from tui.app import InferdeckApp
from tui.screens.plan import PlanScreen
from tui.widgets.choice_list import ChoiceList
from tui.widgets.tree import PlanTree


def plan(app: InferdeckApp) -> PlanScreen:
    found = next(one for one in app.screen_stack if isinstance(one, PlanScreen))
    assert isinstance(found, PlanScreen)
    return found


def put_cursor(app: InferdeckApp, key: str) -> None:
    rows = plan(app).query_one(ChoiceList)
    rows.highlighted = rows.get_option_index(key)


@pytest.mark.parametrize("size", SIZES)
async def test_a_choice_changes_the_tree_and_the_command_line(tmp_path: Path, size: tuple[int, int]) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await pilot.press("2")
        await shows(pilot, "LoadGen")
        await shows(pilot, "same as: inferdeck run")
        put_cursor(app, "group model")
        await pilot.press("e")
        await shows(pilot, "patterns-net")
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: "_patterns-net" in "".join(text(app).split()), "the new command line")
        await shows(pilot, "Tiny classifier")
        await pilot.press("u")
        await until(pilot, lambda: "Tiny classifier" not in text(app), "the change taken back")


@pytest.mark.parametrize("size", [*SIZES, (200, 50)])
async def test_every_row_has_one_line_from_the_first_drawing_on(tmp_path: Path, size: tuple[int, int]) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: plan(app).query_one(PlanTree).option_count > 0, "the rows")
        for rows in (plan(app).query_one(PlanTree), plan(app).query_one(ChoiceList)):
            assert rows.virtual_size.height == rows.option_count
        await shows(pilot, "same as: inferdeck run")
        await pilot.resize_terminal(size[0] + 40, size[1])
        await until(pilot, lambda: any(len(line) > size[0] for line in grid(app)[-4:-1]), "the wider command")


async def test_what_cannot_be_had_is_shown_with_its_reason_before_it_is_chosen(tmp_path: Path) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("2")
        await shows(pilot, "LoadGen")
        put_cursor(app, "group backend")
        await pilot.press("enter")
        await shows(pilot, "not available: there is no TensorFlow Lite backend")
        await pilot.press("escape")
        put_cursor(app, "backend version")
        await pilot.press("e")
        await pilot.press(*"nonsense")
        await shows(pilot, "is not a version range")
        await pilot.press("enter")
        await shows(pilot, "is not a version range")


async def test_a_plan_that_cannot_run_says_why_and_what_to_do(tmp_path: Path) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("2")
        await shows(pilot, "LoadGen")
        put_cursor(app, "dataset group source")
        await pilot.press("e")
        await shows(pilot, "the whole validation set")
        await pilot.press("down", "enter")
        await shows(pilot, "can't run yet")
        await shows(pilot, "IMAGENET_PATH")
        await pilot.press("r")
        assert "it can't run yet" in app.messages[-1].text


@pytest.mark.parametrize("size", SIZES)
async def test_the_runs_are_shown_with_what_they_need_and_the_measurement_is_offered(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await pilot.press("2")
        await shows(pilot, "LoadGen")
        await pilot.press("p")
        await shows(pilot, "Offline performance")
        await shows(pilot, "is not measured yet")
        await shows(pilot, "measure this machine's speed")
        await pilot.press("escape")


@pytest.mark.parametrize("size", SIZES)
async def test_why_tells_the_whole_chain_of_a_node(tmp_path: Path, size: tuple[int, int]) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await pilot.press("2")
        await shows(pilot, "LoadGen")
        await pilot.press("tab", "down", "down", "down")
        assert plan(app).query_one(PlanTree).node == "loadgen"
        await pilot.press("w")
        await shows(pilot, "needed by app-mlperf-inference")
        await shows(pilot, "loadgen.yaml")


@pytest.mark.parametrize("size", SIZES)
async def test_a_component_in_the_tree_is_changed_there(tmp_path: Path, size: tuple[int, int]) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await pilot.press("2")
        await shows(pilot, "LoadGen")
        tree = plan(app).query_one(PlanTree)
        tree.focus()
        tree.go_to("choose-workers")
        await pilot.press("e")
        await shows(pilot, "server percentile")
        await pilot.press("enter")
        await pilot.press("backspace", "backspace", *"35", "enter")
        await until(pilot, lambda: "--adr.workers.seconds=35" in "".join(text(app).split()), "the change")
        tree.go_to("detect-system")
        await pilot.press("e")
        await until(pilot, lambda: "nothing can be chosen" in app.messages[-1].text, "the reason")


async def test_a_folder_is_completed_and_looked_into_while_it_is_typed(tmp_path: Path) -> None:
    app = deck(tmp_path)
    (tmp_path / "pictures-of-cats").mkdir()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("2")
        await shows(pilot, "LoadGen")
        put_cursor(app, "dataset group source")
        await pilot.press("e", "down", "enter")
        await shows(pilot, "imagenet path")
        put_cursor(app, "input IMAGENET_PATH")
        await pilot.press("e")
        app.screen.query_one(Input).value = f"{tmp_path}/pict"
        await shows(pilot, "there is no folder")
        await pilot.press("tab")
        await until(pilot, lambda: "pictures-of-cats/" in app.screen.query_one(Input).value, "the completed path")
        await until(pilot, lambda: "there is no folder" not in text(app) and "JPEG" in text(app), "what is there")
        await pilot.press("enter")
        await until(pilot, lambda: "--env.IMAGENET_PATH=" in "".join(text(app).split()), "the new command line")


async def test_what_this_machine_lacks_for_a_value_is_marked_before_it_is_taken(tmp_path: Path) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("2")
        await shows(pilot, "LoadGen")
        put_cursor(app, "dataset group source")
        await pilot.press("e")
        await shows(pilot, "ImageNet can't be downloaded freely")


async def test_a_preflight_row_leads_to_its_choice(tmp_path: Path) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("2")
        await shows(pilot, "LoadGen")
        await pilot.press("f")
        await shows(pilot, "a result needs accuracy runs")
        await pilot.press("down", "enter")
        rows = plan(app).query_one(ChoiceList)
        await until(pilot, lambda: rows.choice is not None and rows.choice.key == "option modes", "the choice")


async def test_the_tree_folds_and_filters(tmp_path: Path) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("2")
        await shows(pilot, "The first 500 images")
        tree = plan(app).query_one(PlanTree)
        whole = tree.option_count
        tree.focus()
        tree.highlighted = next(n for n in range(whole) if str(tree.get_option_at_index(n).id).startswith("imagenet\n"))
        await pilot.press("space")
        await until(pilot, lambda: tree.option_count == whole - 1, "a closed branch")
        await pilot.press("space", "slash")
        await pilot.press(*"to fetch imagenet")
        await until(pilot, lambda: tree.option_count == 0 or tree.option_count < whole, "fewer rows")
        await pilot.press("escape")
        await until(pilot, lambda: tree.option_count == whole, "all rows again")


async def test_a_recipe_is_saved_and_opened(tmp_path: Path) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await shows(pilot, "LoadGen")
        put_cursor(app, "option scenarios")
        await pilot.press("e")
        await shows(pilot, "[x] Offline")
        await pilot.press("space", "enter")
        await until(pilot, lambda: "SingleStream,Offline" in text(app), "two scenarios")
        await pilot.press("s")
        await pilot.press(*"two", "enter")
        path = tmp_path / "config" / "profiles" / "recipes" / "two.yaml"
        await until(pilot, path.exists, "the recipe's file")
        assert recipe_files.read(path).options["scenarios"] == "SingleStream,Offline"
        await pilot.press("1", "o")
        await shows(pilot, "two ")
        await pilot.press("home", "enter")
        await shows(pilot, "SingleStream,Offline")


async def test_text_from_a_profile_is_never_markup_or_an_escape(tmp_path: Path) -> None:
    own = tmp_path / "config" / "profiles" / "recipes"
    own.mkdir(parents=True)
    (own / "odd.yaml").write_text(
        'title: "[red]x[/] \\e[31m"\ntags: "app,mlperf,inference,reference,python,_resnet50"\n'
    )
    app = deck(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "recipe demo")
        await pilot.press("o")
        await shows(pilot, "[red]x[/]")
        assert "\x1b" not in text(app)


@pytest.mark.parametrize("size", SIZES)
async def test_each_round_says_what_it_changes_and_why_it_is_not_available(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=size) as pilot:
        await pilot.press("2")
        await shows(pilot, "LoadGen")
        put_cursor(app, "option round")
        await pilot.press("e")
        await shows(pilot, "no TEST05 · LoadGen 5.1")
        await pilot.press("end", "enter")
        await until(pilot, lambda: "--round=v6.1" in "".join(text(app).split()), "the new command line")
        put_cursor(app, "group benchmark")
        await pilot.press("e")
        await shows(pilot, "(it left with v6.1:")
