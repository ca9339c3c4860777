"""Every argument is understood, or refused with what to write instead."""

from __future__ import annotations

import re
import shlex
import string
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cli.arguments import Words, parse
from engine.cli.command import Arguments, Command, CommandOption
from engine.cli.commands import COMMANDS
from engine.cli.main import find
from engine.errors import UsageError
from engine.profile.component import Override, Query

RUN = COMMANDS["run"]
CLOSED = [one for one in COMMANDS.values() if "options" not in one.selects]
PAIR = Command(
    "pair",
    "x:y",
    "takes all kinds of options",
    Arguments("A [B]", "one name or two", least=1, most=2),
    (
        CommandOption("out_dir", "a folder", "DIR"),
        CommandOption("dry-run", "a flag"),
        CommandOption("port", "a number", "N", numbers=(1, 99)),
        CommandOption("tags", "a list", "a,b", repeatable=True),
    ),
)


def refused(command: Command, *words: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        parse(command, words)
    return caught.value


@pytest.mark.parametrize("words", [["--out_dir=d", "--dry-run", "a"], ["a", "--out-dir", "d", "--dry_run=yes"]])
def test_an_option_may_be_written_in_several_ways(words: list[str]) -> None:
    found = parse(PAIR, words)
    assert found.positional == ("a",)
    assert found.flags == {"dry-run"}
    assert found.values == {"out_dir": "d"}


def test_what_was_read_can_not_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        parse(PAIR, ["a"]).flags = frozenset({"json"})  # type: ignore[misc]


def test_a_flag_can_be_said_no() -> None:
    assert parse(PAIR, ["a", "--dry-run=no"]).flags == frozenset()


def test_behind_two_dashes_nothing_is_an_option() -> None:
    assert parse(PAIR, ["--dry-run", "--", "--out_dir", "-h"]).positional == ("--out_dir", "-h")


def test_a_list_that_is_given_twice_adds_up() -> None:
    assert parse(PAIR, ["a", "--tags=b,_c", "--tags", "_d"]).tags == "b,_c,_d"


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        (["a", "--out_dri=b"], "unknown option '--out_dri'", "did you mean '--out_dir'?"),
        (["a", "--zzz"], "unknown option '--zzz'", "inferdeck pair --help"),
        (["a", "--offline"], "unknown option '--offline'", "is an option of demo"),
        (["a", "--dry-run=maybe"], "yes or no, not 'maybe'", "write --dry-run"),
        (["a", "--out_dir="], "'--out_dir' has no value", "write --out_dir=DIR"),
        (["a", "--out_dir"], "needs a value", "write --out_dir=DIR"),
        (["a", "--out_dir", "--dry-run"], "needs a value", "write --out_dir=DIR"),
        (["a", "--port=many"], "'many' is no number from 1 to 99", "--port=N"),
        (["a", "--port=100"], "'100' is no number", "--port=N"),
        (["a", "--port=\u0665"], "is no number", "--port=N"),
        (["a", "--port=nan"], "is no number", "--port=N"),
        (["a", "--env.X=1"], "unknown option '--env.X'", "--help"),
        ([], "pair takes one name or two, 0 given", "usage"),
        (["a", "b", "c"], "pair takes one name or two, 3 given", "usage"),
        (["a", "-"], "'-' names no option", "--NAME"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_write(words: list[str], what: str, remedy: str) -> None:
    error = refused(PAIR, *words)
    assert what in error.what
    assert remedy.replace("usage", "inferdeck pair A [B]") in error.remedy


@pytest.mark.parametrize(
    ("word", "what"),
    [
        (" --json", "begins with a blank"),
        ("\u00a0--json", "a special blank (no-break space)"),
        ("\u200b--json", "an invisible character (zero width space)"),
        ("\u2013json", "begins with \u2013 (en dash)"),
        ("\u2014json", "begins with \u2014 (em dash)"),
        ("-\u2013json", "begins with \u2013 (en dash)"),
        ("\u2212\u2212json", "minus sign"),
        ("\u201c--json\u201d", "begins with \u201c (left double quotation mark)"),
        ('"--json"', "quotation mark"),
    ],
)
@pytest.mark.parametrize("command", [RUN, COMMANDS["jobs"], COMMANDS["submission check"]])
def test_a_word_that_only_looks_like_an_option_is_told_apart(command: Command, word: str, what: str) -> None:
    error = refused(command, word)
    assert what in error.what
    assert error.remedy.rstrip('"') == "write --json"


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        (["--tags=app,mlperf,", "_resnet50"], "a blank after a comma", "--tags=app,mlperf,_resnet50"),
        (["--tags", "app,", "_resnet50"], "a blank after a comma", "--tags app,_resnet50"),
        (["--tags=app", ",_resnet50"], "a blank before a comma", "--tags=app,_resnet50"),
        (["--tags=app,", "-_cpu"], "a blank after a comma", "--tags=app,-_cpu"),
        (["--scenarios=Offline,", "Server"], "a blank after a comma", "--scenarios=Offline,Server"),
        (["--add_deps_tags.imagenet=", "_full"], "a blank next to the =", "--add_deps_tags.imagenet=_full"),
        (["--env.CM_SUT_NAME=", "box"], "a blank next to the =", "--env.CM_SUT_NAME=box"),
        (["--env.CM_SUT_NAME", "=", "box"], "a blank next to the =", "--env.CM_SUT_NAME=box"),
        (["--env.CM_SUT_NAME", "=box"], "a blank next to the =", "--env.CM_SUT_NAME=box"),
        (["--tags=app", "_test"], "'_test' is a variation", "--tags=...,_test"),
        (["app,mlperf,_test"], "unexpected word", "write --tags=app,mlperf,_test"),
        (["--tags=\u201capp,mlperf\u201d"], "left double quotation mark", "write --tags=app,mlperf"),
        (["--int8"], "needs a value", "_int8 into --tags"),
        (["-_int8"], "'-_int8' is a variation", "--tags"),
        (["--env.=x"], "ends with a dot", "--env.NAME"),
        (["--constant.X=1"], "unknown option '--constant.X'", "--"),
        (["--scenarios=Offline", "Server"], "unexpected word 'Server'", "--scenarios=Offline,Server"),
        (["--", "scrpt"], "unexpected word 'scrpt'", "did you mean 'script'?"),
        (["--", "--tags=x"], "unexpected word '--tags=x'", "--help"),
        (["results"], "unexpected word 'results'", "the command comes first"),
    ],
)
def test_words_of_a_selection_that_went_astray(words: list[str], what: str, remedy: str) -> None:
    error = refused(RUN, *words)
    assert what in error.what
    assert remedy in error.remedy


def test_of_an_option_with_one_value_the_last_one_holds() -> None:
    found = parse(PAIR, ["a", "--out_dir=b", "--out-dir=c", "--dry-run", "--dry_run=no"])
    assert found.values == {"out_dir": "c"}
    assert not found.flags
    assert parse(RUN, ["--min_query_count=24", "--min_query_count=70"]).changes.options == {"min_query_count": "70"}


def test_tags_and_versions_of_a_dependency_add_up() -> None:
    found = parse(RUN, ["--adr.x.tags=_a", "--add_deps_tags.x=_b", "--adr.x.version_min=1", "--adr.x.version_max=2"])
    assert found.changes.overrides == {"x": Override(add=Query(variations=("a", "b")), version=">=1,<=2")}


NAMES = st.text(string.ascii_lowercase + "_-", min_size=1, max_size=12).filter(lambda name: name.strip("-"))


@pytest.mark.parametrize("command", CLOSED, ids=lambda one: one.name)
@given(name=NAMES, value=st.sampled_from(["", "=x"]))
def test_no_command_swallows_an_unknown_option(command: Command, name: str, value: str) -> None:
    if command.option(name.lstrip("-")) is None:
        words = [f"--{name}{value}", *["x"] * command.arguments.least]
        assert "--help" in refused(command, *words).remedy or "'--" in refused(command, *words).remedy


def read(command: Command, words: list[str]) -> Words | UsageError:
    try:
        return parse(command, words)
    except UsageError as error:
        return error


@given(st.lists(st.text(max_size=8), max_size=4))
def test_whatever_is_refused_is_refused_with_a_remedy(words: list[str]) -> None:
    for command in (RUN, PAIR):
        found = read(command, words)
        assert isinstance(found, Words) or (found.what and found.remedy)


def _name(word: str) -> str:
    return word.strip("-").partition("=")[0].replace("-", "_")


@given(st.lists(st.text("ab=_-,.", max_size=8), max_size=4, unique_by=_name))
def test_whatever_is_read_is_somewhere_in_the_result(words: list[str]) -> None:
    for command in (RUN, PAIR):
        found = read(command, ["name", *words] if command is PAIR else words)
        if isinstance(found, Words):
            shown = repr((found.positional, found.flags, found.values, found.lists, found.changes))
            assert all(part in shown for word in words for part in re.split(r"[-=,._]+", word))


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda one: one.name)
def test_the_options_of_a_command_are_understood(command: Command) -> None:
    values = {one.name: str(one.numbers[0]) if one.numbers else "x" for one in command.options if one.value}
    flags = {one.name for one in command.options if not one.value}
    takes = command.arguments
    names = list(takes.allowed[: takes.most]) or ["x"] * takes.least
    words = [f"--{name}={value}" for name, value in values.items()] + [f"--{name}" for name in flags]
    found = parse(command, [*words, *names])
    assert {**found.values, **{name: ",".join(several) for name, several in found.lists.items()}} == values
    assert found.flags == flags


def readme_commands() -> list[str]:
    """Return every command line of the README, with continuation lines joined."""
    text = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    shown = re.findall(r"^ {4}(inferdeck [a-z].*)$", text, re.MULTILINE) + re.findall(r"`(inferdeck [a-z][^`]*)`", text)
    return [line.partition("  #")[0] for line in shown if "TREE" not in line and "serve" not in line]


@pytest.mark.parametrize("line", readme_commands())
def test_the_commands_of_the_readme_are_understood(line: str) -> None:
    command, rest = find(shlex.split(line)[1:], COMMANDS)
    if rest or not command.arguments.least:
        parse(command, rest)


@pytest.mark.parametrize(
    ("words", "name", "rest"),
    [
        (["results"], "results list", []),
        (["results", "--json"], "results list", ["--json"]),
        (["results", "--json", "show", "r-1"], "results show", ["--json", "r-1"]),
        (["store", "--home", "h", "verify"], "store verify", ["--home", "h"]),
        (["tune", "--tags=x"], "tune", ["--tags=x"]),
        (["tune", "show", "box"], "tune show", ["box"]),
    ],
)
def test_a_command_is_found_among_its_words(words: list[str], name: str, rest: list[str]) -> None:
    command, left = find(words, COMMANDS)
    assert (command.name, left) == (name, rest)
