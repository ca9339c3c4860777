"""The store: keys, publishing, damage, reasons for a miss."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import StoreError, UsageError
from engine.store.recipe import (
    CodeChanged,
    Damaged,
    InputChanged,
    NothingStored,
    OptionChanged,
    Recipe,
    VersionChanged,
    differences,
)
from engine.store.store import Store


def recipe(**changes: object) -> Recipe:
    """Return a recipe that differs from the usual one in `changes`."""
    plain: dict[str, object] = {"component": "data", "definition": "m:f", "code": "c1", "options": {"n": 1}}
    return Recipe(**{**plain, "inputs": {"raw": ("k1",)}, **changes})  # type: ignore[arg-type]


def make(store: Store, one: Recipe, text: str = "hello") -> None:
    """Publish an artifact with two files."""
    with store.making(one) as making:
        (making.content / "a.txt").write_text(text)
        (making.content / "deep").mkdir()
        (making.content / "deep" / "b.bin").write_bytes(b"\0" * 100)
        store.publish(one, {"count": 2}, 0.5)


def test_a_published_artifact_is_hit_with_its_facts(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.hit(recipe()) is None
    assert store.causes(recipe()) == (NothingStored(),)
    make(store, recipe())
    found = store.hit(recipe())
    assert found is not None
    assert found.facts == {"count": 2}
    assert found.bytes == 105
    assert (store.content(recipe().entry()) / "a.txt").read_text() == "hello"
    assert not list((tmp_path / "work").iterdir())


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"options": {"n": 2}}, OptionChanged("n", 1, 2)),
        ({"inputs": {"raw": ("k2",)}}, InputChanged("raw")),
        ({"code": "c2"}, CodeChanged()),
        ({"version": "2"}, VersionChanged("", "2")),
    ],
)
def test_a_miss_says_what_differs(tmp_path: Path, changes: dict[str, object], cause: object) -> None:
    store = Store(tmp_path)
    make(store, recipe())
    assert store.hit(recipe(**changes)) is None
    assert store.causes(recipe(**changes)) == (cause,)


def test_the_nearest_artifact_explains_the_miss(tmp_path: Path) -> None:
    store = Store(tmp_path)
    make(store, recipe(options={"n": 5, "m": 5}))
    make(store, recipe(options={"n": 2}))
    assert store.causes(recipe()) == (OptionChanged("n", 2, 1),)


@pytest.mark.parametrize("damage", ["size", "time", "inode", "gone"])
def test_damage_is_seen_at_use(tmp_path: Path, damage: str) -> None:
    store = Store(tmp_path)
    make(store, recipe())
    file = store.content(recipe().entry()) / "a.txt"
    if damage == "size":
        file.write_text("hello!")
    elif damage == "time":
        os.utime(file, ns=(1, 1))
    elif damage == "inode":
        times = file.stat()
        other = file.with_name("c.txt")
        other.write_text("hello")
        os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
        other.replace(file)
    else:
        file.unlink()
    assert store.hit(recipe()) is None
    assert store.causes(recipe()) == (Damaged("a.txt"),)
    make(store, recipe())
    assert store.hit(recipe()) is not None


def test_verify_sees_what_a_look_does_not(tmp_path: Path) -> None:
    store = Store(tmp_path)
    make(store, recipe())
    file = store.content(recipe().entry()) / "a.txt"
    times = file.stat()
    with file.open("r+b") as handle:
        handle.write(b"J")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    manifest = store.hit(recipe())
    assert manifest is not None
    assert store.damage(recipe().entry(), manifest, deep=True) == "a.txt"


def test_an_interrupted_attempt_is_emptied_unless_it_can_go_on(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.making(recipe()) as making:
        (making.content / "half").write_text("x")
    with store.making(recipe(), resumable=True) as making:
        assert (making.content / "half").exists()
    with store.making(recipe()) as making:
        assert not (making.content / "half").exists()
    assert store.names() == []


def test_a_link_is_not_an_artifact(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.making(recipe()) as making:
        (making.content / "link").symlink_to("/etc/hostname")
        with pytest.raises(StoreError, match="is a link"):
            store.publish(recipe(), {}, 0)


def test_entries_are_found_by_the_beginning_of_name_or_key(tmp_path: Path) -> None:
    store = Store(tmp_path)
    make(store, recipe())
    make(store, recipe(options={"n": 2}))
    entry = recipe().entry()
    assert store.named(entry) == entry
    assert store.named(recipe().key()[:8]) == entry
    with pytest.raises(UsageError, match="fits 2"):
        store.named("data")
    with pytest.raises(UsageError, match="no entry"):
        store.named("x")
    store.remove(entry)
    assert store.hit(recipe()) is None


def test_no_permission_is_two_lines(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the store should be")
    with pytest.raises(StoreError) as caught, Store(tmp_path / "store").making(recipe()):
        pass
    assert caught.value.remedy


def _make_many(folder: Path, number: int) -> None:
    store = Store(folder)
    for turn in range(10):
        one = recipe(options={"n": turn})
        with store.making(one) as making:
            if store.hit(one) is None:
                (making.content / "who").write_text(str(number))
                time.sleep(0.001)
                store.publish(one, {"who": number}, 0)


def test_concurrent_makers_make_each_artifact_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    makers = [context.Process(target=_make_many, args=(tmp_path, number)) for number in range(4)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
        assert maker.exitcode == 0
    store = Store(tmp_path)
    assert len(store.names()) == 10
    for turn in range(10):
        found = store.hit(recipe(options={"n": turn}))
        assert found is not None
        assert (store.content(recipe(options={"n": turn}).entry()) / "who").read_text() == str(found.facts["who"])


plain = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=5))
recipes = st.builds(
    Recipe,
    component=st.just("x"),
    definition=st.sampled_from(["a", "b"]),
    version=st.sampled_from(["", "1"]),
    code=st.sampled_from(["", "1"]),
    options=st.dictionaries(st.sampled_from("pqr"), plain),
    inputs=st.dictionaries(st.sampled_from("uv"), st.tuples(st.text(max_size=3))),
)


@given(recipes, recipes)
def test_keys_are_equal_exactly_when_nothing_differs(one: Recipe, other: Recipe) -> None:
    assert one.key() == one.key()
    causes = differences(one, other)
    if causes:
        assert one.key() != other.key()
    elif repr(one) == repr(other):
        assert one.key() == other.key()
