"""A store that was copied, contains foreign files, or has unfinished attempts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from engine.cli.main import main
from engine.errors import StoreError
from engine.store.files import locked
from engine.store.recipe import Recipe
from engine.store.store import Store
from engine.store.upkeep import accept, remove_attempt, unfinished


def recipe(number: int = 1) -> Recipe:
    return Recipe(component="thing", definition="steps:make", options={"n": number})


def make(store: Store, one: Recipe) -> None:
    with store.making(one) as making:
        (making.content / "a.txt").write_text("hello")
        store.publish(one, {}, 0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A home's store with one entry."""
    found = Store(tmp_path / "home" / "store")
    make(found, recipe())
    return found


def copied(store: Store, where: Path) -> Store:
    """Copy a store as `cp -a` does, with another time to be sure."""
    shutil.copytree(store.folder, where / "store")
    there = Store(where / "store")
    os.utime(there.content(recipe().entry()) / "a.txt", ns=(1, 1))
    return there


def test_the_digest_decides_of_what_was_copied_and_it_can_be_accepted(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = copied(store, tmp_path / "new")
    home = f"--home={tmp_path / 'new'}"
    assert moved.hit(recipe()) is None
    assert main(["store", "verify", home]) == 1
    assert "store accept" in capsys.readouterr().out
    assert main(["store", "accept", home]) == 0
    assert moved.hit(recipe()) is not None
    assert main(["store", "verify", home]) == 0
    assert "accept" not in capsys.readouterr().out.splitlines()[-1]


def test_damage_is_never_accepted(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moved = copied(store, tmp_path / "new")
    (moved.content(recipe().entry()) / "a.txt").write_text("jello")
    with pytest.raises(StoreError, match=r"a\.txt"):
        accept(moved, recipe().entry())
    assert main(["store", "accept", f"--home={tmp_path / 'new'}"]) == 1
    assert "store remove" in capsys.readouterr().out
    assert moved.hit(recipe()) is None


@pytest.mark.parametrize("make_file", [Path.mkdir, os.mkfifo, lambda path: path.write_text('{"recipe":' * 100_000)])
def test_one_damaged_entry_hides_no_other(
    store: Store, tmp_path: Path, make_file: Callable[[Path], object], capsys: pytest.CaptureFixture[str]
) -> None:
    make(store, recipe(2))
    manifest = store.entries / recipe(2).entry() / "manifest.json"
    manifest.unlink()
    make_file(manifest)
    (store.entries / "stray").write_text("")
    home = f"--home={tmp_path / 'home'}"
    for command in ("list", "verify"):
        assert main(["store", command, home]) == (1 if command == "verify" else 0)
        out = capsys.readouterr().out
        assert recipe().entry() in out
        assert f"inferdeck store remove {recipe(2).entry()}" in out
    assert store.causes(recipe(3)), "the damaged one is no reason"
    for name in (recipe(2).entry(), "stray"):
        assert main(["store", "remove", name, home]) == 0
    assert store.names() == [recipe().entry()]


def fail(store: Store, size: int, *, resumable: bool) -> None:
    """Make half of an entry and fail."""
    with suppress(ZeroDivisionError), store.making(recipe(2), resumable=resumable) as making:
        (making.content / "half").write_bytes(bytes(size))
        raise ZeroDivisionError


class TestUnfinished:
    def test_what_a_failed_attempt_made_is_gone_unless_it_can_go_on(self, store: Store) -> None:
        for resumable in (False, True):
            fail(store, 5, resumable=resumable)
            assert [one.bytes for one in unfinished(store)] == ([5] if resumable else [])

    def test_who_only_waited_leaves_nothing(self, store: Store) -> None:
        with store.making(recipe()):
            assert store.hit(recipe()) is not None
        assert unfinished(store) == []

    def test_is_listed_with_its_size_and_deleted(
        self, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fail(store, 2_000_000, resumable=True)
        home = f"--home={tmp_path / 'home'}"
        main(["store", "list", home])
        assert "1 unfinished, 2.0 MB" in capsys.readouterr().out
        assert main(["store", "clean", home]) == 0
        assert unfinished(store) == []
        assert store.hit(recipe()) is not None

    def test_what_is_being_made_is_left_alone(self, store: Store) -> None:
        with store.making(recipe(2)) as making:
            (making.content / "half").write_text("x")
            assert [one.in_use for one in unfinished(store)] == [True]
            assert not remove_attempt(store, recipe(2).entry())
            assert (making.content / "half").exists()


def test_the_store_is_for_its_owner_alone(store: Store) -> None:
    assert store.folder.stat().st_mode & 0o77 == 0


def test_an_entry_that_is_being_made_can_not_be_accepted(store: Store) -> None:
    with locked(store.folder / "locks" / f"{recipe().entry()}.lock"), pytest.raises(StoreError, match="being built"):
        accept(store, recipe().entry())
