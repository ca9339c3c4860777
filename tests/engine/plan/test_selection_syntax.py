from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import UsageError
from engine.plan.selection import Selection
from engine.plan.selection_syntax import Changes, as_recipe, of_recipe, selection_of
from engine.profile import recipe_files
from engine.profile.component import Override, Query

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
VALUES = (
    st.text(st.characters(categories=("L", "N"), include_characters=" ./:=-_\u00e9"), min_size=1)
    .map(str.strip)
    .filter(bool)
)
OVERRIDES = st.builds(
    Override,
    add=st.lists(NAMES, max_size=2, unique=True).map(lambda names: Query(variations=tuple(names))),
    version=st.sampled_from(["", ">=1.2,<2", "==1.24.1"]),
    set=st.dictionaries(
        NAMES.filter(lambda name: name not in ("tags", "version", "version_min", "version_max")), VALUES
    ),
).filter(lambda one: one != Override())
SELECTIONS = st.builds(
    Selection,
    query=st.lists(NAMES, min_size=1, max_size=3, unique=True).map(lambda tags: Query(tuple(tags), ("resnet50",), ())),
    options=st.dictionaries(NAMES.filter(lambda name: name not in ("tags", "output_dir")), VALUES, max_size=3),
    env=st.dictionaries(NAMES.map(str.upper), VALUES, max_size=2),
    overrides=st.dictionaries(NAMES, OVERRIDES, max_size=2),
)


@given(SELECTIONS)
def test_the_words_of_a_selection_select_it_again(chosen: Selection) -> None:
    assert selection_of([*chosen.words(), "--output_dir=/somewhere"]) == (chosen, "/somewhere")


@given(chosen=SELECTIONS, title=VALUES)
def test_a_recipe_reads_back_equal(tmp_path_factory: pytest.TempPathFactory, chosen: Selection, title: str) -> None:
    path = tmp_path_factory.mktemp("recipes") / "one.yaml"
    path.write_text(recipe_files.text(as_recipe(chosen, title)), encoding="utf-8")
    again = recipe_files.read(path)
    assert of_recipe(again).words() == chosen.words()
    assert again.title == title


def test_a_word_without_meaning_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--evn\.X"):
        Changes().keep("evn.X", "1")


def test_changes_of_one_dependency_add_up() -> None:
    changes = Changes()
    changes.keep("add_deps_tags.imagenet", "_full")
    changes.keep("adr.imagenet.version", "1.2")
    changes.keep("adr.imagenet.count", "5")
    assert changes.overrides["imagenet"] == Override(
        add=Query(variations=("full",)), version="==1.2", set={"count": "5"}
    )


def test_the_shipped_recipes_survive_being_saved(tmp_path: Path) -> None:
    import profiles

    for path in sorted((profiles.FOLDER / "recipes").glob("*.yaml")):
        recipe = recipe_files.read(path)
        chosen = of_recipe(recipe)
        again = tmp_path / path.name
        again.write_text(recipe_files.text(as_recipe(chosen, recipe.title)))
        assert of_recipe(recipe_files.read(again)).words() == chosen.words()
