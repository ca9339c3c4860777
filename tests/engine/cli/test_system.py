"""`inferdeck system new | list | show` on the command line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from engine.cli.main import main
from engine.submission import user_systems

GIVEN = ("--submitter=Acme", "--division=open", "--system_type=edge", "--quiet")


@pytest.fixture(autouse=True)
def systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's own systems."""
    monkeypatch.setenv("INFERDECK_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "config" / "profiles" / "systems"
    main(["system", "new", "box", *GIVEN])
    (found,) = (tmp_path / "home").rglob("box.yaml")
    assert folder.name == found.parent.name
    return found.parent


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    status = main(["system", *words])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("LENOVO IDEAPAD", "has a blank"),
        (" ", "has a blank"),
        ("submission", "a folder that a submission is made of"),
        ("Submission-whole-logs", "a folder that a submission is made of"),
        ("open", "a folder that a submission is made of"),
        ("default", "comes with inferdeck"),
        ("demo-offline", "comes with inferdeck"),
        ("Box", "only in capital letters"),
        ("Default", "only in capital letters"),
        ("a*b", "stand for other letters"),
        ("a\nb", "can't be the name of a folder"),
        ("../x", "can't be the name of a folder"),
        ("x" * 300, "too long"),
    ],
)
def test_a_name_is_decided_at_once(name: str, what: str, systems: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = said(capsys, "new", name, *GIVEN)
    assert status == 2
    assert what in err
    assert [path.name for path in systems.iterdir()] == ["box.yaml"]


@pytest.mark.parametrize(
    ("word", "what", "remedy"),
    [
        ("--division=Open", "division: 'Open' is none of the allowed values", "did you mean 'open'"),
        ("--system_type=datacenter, edge", "none of the allowed", "did you mean 'datacenter,edge'"),
        ("--submitter=a/b", "can't be the name of a folder", "letters"),
        ("--submitter=a\nb", "can't be the name of a folder", "letters"),
        ("--cooling=Wasserk\udcfchlung", "'Wasserk\\xfchlung' holds bytes that are not UTF-8", "UTF-8"),
    ],
)
def test_a_value_is_decided_at_once(
    word: str, what: str, remedy: str, systems: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = said(capsys, "new", "rack", *GIVEN[:3], word, "--quiet")
    assert status == 2
    assert what in err
    assert remedy in err
    assert not (systems / "rack.yaml").exists()


BAD = "targets: measured\ndescription:\n  cooling: [snow]\nruns: {}\n"


def test_one_bad_file_never_hides_the_others(systems: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (systems / "bad.yaml").write_text(BAD)
    (systems / "folder.yaml").mkdir()
    (systems / "default.yaml").write_text((systems / "box.yaml").read_text())
    status, out, _ = said(capsys, "list")
    assert status == 0
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert {"box", "bad", "folder", "default", "gcp-n2-standard-80"} <= set(lines)
    assert "can't be used" in lines["bad"]
    assert "bad.yaml:3" in lines["bad"]
    assert "can't be used" in lines["folder"]
    status, _, err = said(capsys, "show", "folder")
    assert status == 2
    assert f"{systems / 'folder.yaml'}: Is a directory" in err
    assert sum("not used" in line and line.startswith("default ") for line in out.splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("submitter: 0123", "YAML reads 0123 as 83"),
        ("submitter: no", "YAML reads no as false"),
        ("number_of_nodes: 010", "YAML reads 010 as 8"),
        ("framework: 1.10", "YAML reads 1.10 as 1.1"),
        ("framework: 0x10", "YAML reads 0x10 as 16"),
        ("cooling:", "there is no value"),
        ("is_network: yes", "YAML reads yes as true"),
    ],
)
def test_a_value_that_yaml_makes_another_of_is_named_by_file_and_line(
    line: str, what: str, systems: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (systems / "odd.yaml").write_text(f"targets: measured\ndescription:\n  {line}\nruns: {{}}\n")
    status, _, err = said(capsys, "show", "odd")
    assert status == 2
    assert what in err
    assert "odd.yaml:3" in err


def test_values_that_are_as_written_are_read(systems: Path) -> None:
    (systems / "fine.yaml").write_text(
        "targets: measured\ndescription: {number_of_nodes: 8, framework: '1.10', is_network: false, cooling: ''}\n"
        "runs: {}\n"
    )
    found = user_systems.read(systems.parent, "fine")
    assert found is not None
    assert found.description == {"number_of_nodes": 8, "framework": "1.10", "is_network": False, "cooling": ""}


PLAN = "--tags=app,mlperf,inference,reference,python,_resnet50,_onnxruntime,_cpu,_patterns-net,_submission,_test"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("division: Open", "the division of the system is 'Open'"),
        ("system_type: Edge", "the system_type of the system is 'Edge'"),
        ('submitter: "a\\nb"', "can't be the name of a folder"),
        ('submitter: "a*b[1]"', "stand for other letters"),
    ],
)
def test_a_plan_names_the_file_and_the_line_of_a_wrong_value(
    line: str, what: str, systems: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    field = line.partition(":")[0]
    lines = (systems / "box.yaml").read_text().splitlines()
    number = next(number for number, one in enumerate(lines) if one.strip().startswith(f"{field}:"))
    lines[number] = f"  {line}"
    (systems / "box.yaml").write_text("\n".join(lines))
    capsys.readouterr()
    assert main(["plan", PLAN, "--env.CM_SUT_NAME=box"]) == 2
    err = capsys.readouterr().err
    assert what in err
    assert f"box.yaml:{number + 1} (description.{field})" in err


@pytest.mark.parametrize(("name", "what"), [("submission", "a folder that a"), ("a b", "has a blank")])
def test_a_plan_refuses_a_name_that_was_written_by_hand(
    name: str, what: str, systems: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (systems / f"{name}.yaml").write_text((systems / "box.yaml").read_text())
    capsys.readouterr()
    assert main(["plan", PLAN, f"--env.CM_SUT_NAME={name}"]) == 2
    assert what in capsys.readouterr().err


def test_a_plan_says_what_becomes_of_results_that_are_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.engine.submission.results_folder import write_run

    out = tmp_path / "out"
    words = ["plan", PLAN.replace(",_submission", ""), "--env.CM_SUT_NAME=box", f"--output_dir={out}"]
    capsys.readouterr()
    assert main([*words, "--scenarios=Offline"]) == 0
    assert ".replaced" not in capsys.readouterr().out
    write_run(out, "box", "resnet50", "Offline")
    assert main([*words, "--scenarios=Offline"]) == 0
    found = capsys.readouterr().out
    assert f"{out} already holds 1 finished run of box/resnet50" in found
    assert f"{out / '.replaced'}" in found


def test_what_is_typed_wrong_is_asked_again(
    systems: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal(io.BytesIO(b"a/b\nAcme\nOpen\nopen\nedge\nMy box\nk\xfchl\n"), "utf-8"))
    status, out, _ = said(capsys, "new", "typed")
    assert status == 0
    assert "can't be the name of a folder" in out
    assert "did you mean 'open'?" in out
    found = user_systems.read(systems.parent, "typed")
    assert found is not None
    assert [found.description[name] for name in ("submitter", "division", "system_type")] == ["Acme", "open", "edge"]
    assert found.description["host_memory_configuration"] == "", "bytes that are no UTF-8 were asked for again"
