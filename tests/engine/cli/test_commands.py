"""The command line end to end: arguments, exit statuses, two-line errors, plans, locks, the store."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from engine.cli.arguments import parse
from engine.cli.commands import COMMANDS
from engine.cli.main import main
from engine.cli.prepare import prepare_words
from engine.jobs.start import job_spec
from engine.text import clean, duration, size
from tests.engine.jobs import profile

TAGS = "--tags=app,mlperf,inference,reference,python"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A separate home for each test."""
    monkeypatch.setenv("INFERDECK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run a command line; return status, output and errors."""
    status = main(list(words))
    out, err = capsys.readouterr()
    return status, out, err


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["--help"], ["-h"], ["help"]):
        status, out, _ = said(capsys, *words)
        assert status == 0
        assert "inferdeck demo" in out
        assert "2 usage error, or the plan can't run" in out
    for word in ("--version", "-V"):
        assert re.fullmatch(r"inferdeck \d+\.\d+\.\d+\n", said(capsys, word)[1])


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        (["pln"], "no command 'pln'", "'plan'"),
        (["plan"], "nothing is selected", "--tags"),
        (["plan", "--tag=app"], "nothing is selected", "did you mean '--tags'?"),
        (["plan", TAGS, "--offlin"], "needs a value", "did you mean '--offline'?"),
        (["plan", "--tags"], "needs a value", "write --tags=a,b"),
        (["plan", f"{TAGS},_resnet51"], "'_resnet51'", "'_resnet50'"),
        (["plan", f"{TAGS},_tflite"], "'_tflite'", "_onnxruntime"),
        (["plan", f"{TAGS},_pytorch"], "'_pytorch'", "_onnxruntime"),
        (["plan", f"{TAGS},_cpp"], "'_cpp'", "LoadGen"),
        (["plan", TAGS, "--senarios=Offline"], "no option 'senarios'", "scenarios"),
        (["plan", TAGS, "--scenarios=Ofline"], "'Ofline'", "Offline"),
        (["plan", TAGS, "--evn.IMAGENET_PATH=x"], "--evn.IMAGENET_PATH", "--env"),
        (["plan", TAGS, "--env.IMAGENT_PATH=x"], "'IMAGENT_PATH'", "IMAGENET_PATH"),
        (["plan", TAGS, "--env.CM_MLPERF_LOADGEN_TARGT_QPS=3"], "no component reads", "CM_MLPERF_LOADGEN_TARGET_QPS"),
        (
            ["plan", TAGS, "--env.CM_MLPERF_POWER=yes"],
            "--env.CM_MLPERF_POWER is not supported",
            "does not measure power",
        ),
        (["plan", TAGS, "--env.CM_LOADGEN_ALL_SCENARIOS=yes"], "is not supported", "_all-scenarios"),
        (["plan", TAGS, "--env.CM_BACKEND=pytorch"], "'_pytorch'", "_onnxruntime"),
        (["plan", TAGS, "--env.CM_RUN_STYLE=vald"], "--env.CM_RUN_STYLE: there is no style 'vald'", "'valid'"),
        (["plan", f"{TAGS},_compliance,_accuracy-only"], "compared with a performance run", "leave out _accuracy-only"),
        (["plan", f"{TAGS},_compliance,_performance-only"], "TEST01 compares", "TEST04,TEST05"),
        (["plan", f"{TAGS},_submission,_accuracy-only", "--sut=demo"], "no performance runs", "_accuracy-only"),
        (["plan", f"{TAGS},_submission,_performance-only", "--sut=demo"], "no accuracy runs", "_performance-only"),
        (["plan", TAGS, "--env.IMAGENET_PATH=x"], "nothing in this plan reads", "--add_deps_tags.imagenet=_full"),
        (
            ["plan", f"{TAGS},_retinanet,_scenes-net", "--env.OPENIMAGES_PATH=x"],
            "nothing in this plan reads",
            "--add_deps_tags.openimages=_full",
        ),
        (["plan", TAGS, "--env.OPENIMAGES_PATH=x"], "nothing in this plan reads", "this plan reads"),
        (["plan", TAGS, "--add_deps_tags.imagnet=_full"], "'imagnet'", "imagenet"),
        (["plan", TAGS, "--adr.imagenet=_full"], "does not name what to change", ".tags"),
        (["plan", TAGS, "--target_qps"], "needs a value", "VALUE"),
        (["plan", TAGS, "scrpt"], "unexpected word", "--"),
        (["run", "scrpt", TAGS], "unexpected word", "script"),
        (["plan", "--recipe=dmeo"], "no recipe 'dmeo'", "demo"),
        (["plan", "--recipe=./dmeo"], "dmeo: No such file or directory", "check the path"),
        (["plan", TAGS, "--profiles=/nowhere"], "/nowhere", "spelling"),
        (["store", "lst"], "'lst'", "list"),
        (["store", "why", "x"], "no entry 'x'", "empty"),
        (["attach", "r-0009"], "no job", ""),
        (["jobs", "--jsn"], "'--jsn'", "--json"),
        (["attach", "--plian"], "'--plian'", "--plain"),
        (["plan", "--diff", "a"], "two lock files", "A B"),
        (["plan", "--diff", "a", "b", "--tags=x"], "compared as they are", "plan --diff A B"),
        (["plan", "a", "b"], "unexpected word 'a'", "plan --diff A B"),
        (["plan", TAGS, "--ouput_dir=x"], "no option 'ouput_dir'", "did you mean '--output_dir'?"),
        (["run", TAGS, "--ouput_dir", "x"], "no option 'ouput_dir'", "did you mean '--output_dir'?"),
        (["demo", "--quite=yes"], "no option 'quite'", "did you mean '--quiet'?"),
        (["run", "--locked=x", "--scenarios=Offline"], "a locked plan is run as it is", "write a new lock"),
        (["plan", "--tags=_resnet50"], "nothing is selected", "--tags=app,mlperf,inference,_resnet50"),
        (["plan", TAGS, "--sut=a", "--env.CM_SUT_NAME=b"], "contradict each other", "the option 'sut'"),
        (["doctor", "foo", "bar"], "unexpected word 'foo'", "doctor --help"),
        (["doctor", "--env.IMAGENT_PATH=x"], "no component reads", "'IMAGENET_PATH'"),
        (["doctor", "--adr.x.y=z"], "unknown option '--adr.x.y'", "doctor --help"),
        (["jobs", "foo"], "unexpected word 'foo'", "jobs --help"),
        (["cancel", "r-1", "r-2"], "one job at a time", "attach"),
        (["cancel", "r-1", "--forse"], "unknown option '--forse'", "cancel --help"),
        (["submission", "truncate", "T", "--submiter=x"], "unknown option '--submiter'", "--submitter"),
        (["submission", "truncate", "T", "--zzz=yes"], "unknown option '--zzz'", "truncate --help"),
        (["submission", "generate", "S", "--outt=x"], "unknown option '--outt'", "--out"),
        (["submission", "zip", "T", "--submiter=x"], "unknown option '--submiter'", "--submitter"),
        (["submission", "preflight", "T"], "unexpected word 'T'", "--help"),
        (["system", "new", "box", "--submiter=x"], "no field 'submiter'", "'submitter'"),
        (["system", "new", "box", "--hoem=x"], "no field 'hoem'", "did you mean '--home'?"),
        (["demo", "retinanet"], "unexpected word 'retinanet'", "--model=retinanet"),
        (["system", "list", "x"], "unexpected word 'x'", "--help"),
        (["store", "list", "x"], "unexpected word 'x'", "--help"),
        (["--hlp"], "no command '--hlp'", ""),
        (["\u2013\u2013help"], "begins with \u2013 (en dash)", "write --help"),
        (["run", TAGS, "--profiles=~no-such-user/x"], "no such profile folder", "--profiles"),
        (["submission", "check", "~no-such-user"], "~no-such-user", ""),
    ],
)
def test_a_wrong_word_is_two_lines_and_the_nearest_right_one(
    capsys: pytest.CaptureFixture[str], words: list[str], what: str, remedy: str
) -> None:
    status, _, err = said(capsys, *words)
    assert status in (1, 2)
    assert what in err
    assert remedy in err
    assert len(err.strip().splitlines()) <= 2
    assert "Traceback" not in err


def plan(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict[str, object]]:
    """Return the nodes of a plan by id."""
    status, out, err = said(capsys, "plan", *words, "--json")
    assert status in (0, 2), err
    found: dict[str, dict[str, object]] = json.loads(out)["nodes"]
    return found


def test_the_plan_shows_all_scenarios_and_modes_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    nodes = plan(capsys, f"{TAGS},_all-scenarios,_all-modes,_edge-and-datacenter")
    runs = [name for name in nodes if name.startswith("loadgen-run")]
    assert len(runs) == 8
    reasons = nodes["app-mlperf-inference"]["reasons"]
    assert isinstance(reasons, dict)
    assert reasons["scenarios"] == "rule of v2.1: required-scenarios"
    assert len([name for name in plan(capsys, f"{TAGS},_all-scenarios") if name.startswith("loadgen-run")]) == 3


def test_a_plan_without_imagenet_says_how_to_give_it(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "plan", TAGS, "--add_deps_tags.imagenet=_full")
    assert status == 2
    assert "missing input" in out
    assert "--env.IMAGENET_PATH=DIR" in out
    status, _, err = said(capsys, "run", TAGS, "--add_deps_tags.imagenet=_full")
    assert status == 2
    assert "IMAGENET_PATH" in err


def test_an_unknown_system_is_named_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "plan", TAGS, "--env.CM_SUT_NAME=gcp-n2-standard-8")
    assert status == 2
    assert "there is no system 'gcp-n2-standard-8'" in out
    assert "gcp-n2-standard-80" in out


def test_the_spelling_of_the_tutorial_is_the_same_plan(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    ours = plan(capsys, TAGS, "--adr.imagenet.tags=_full", "--sut=apple-m1", f"--env.IMAGENET_PATH={tmp_path}")
    theirs = plan(
        capsys, TAGS, "--add_deps_tags.imagenet=_full", "--env.CM_SUT_NAME=apple-m1", f"--env.IMAGENET_PATH={tmp_path}"
    )
    assert {name: node["identity"] for name, node in ours.items()} == {
        name: node["identity"] for name, node in theirs.items()
    }


def test_a_backend_of_another_version_gets_an_environment_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    nodes = plan(capsys, TAGS, "--adr.onnxruntime.version=<1.21")
    assert nodes["onnxruntime"]["state"] == "fetch"
    assert "is installed, <1.21 is required" in str(nodes["onnxruntime"]["text"])


def test_the_model_component_implies_its_preprocessing(capsys: pytest.CaptureFixture[str]) -> None:
    nodes = plan(capsys, "--recipe=demo")
    variations = nodes["imagenet-preprocessed"]["variations"]
    assert {"name": "efficientnet-lite", "group": "preprocessing", "why": "implied by efficientnet-lite0"} in variations  # type: ignore[operator]


def test_a_lock_replays_and_a_difference_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    assert said(capsys, "plan", "--recipe=demo-offline", f"--lock={first}")[0] == 0
    assert said(capsys, "plan", "--recipe=demo-offline", f"--lock={second}", "--adr.images.count=2000")[0] == 0
    assert said(capsys, "plan", "--diff", str(first), str(first))[1] == "the two plans are the same\n"
    _, out, _ = said(capsys, "plan", "--diff", str(first), str(second))
    assert "~ imagenet-patterns: count: 1024 → 2000" in out
    assert said(capsys, "plan", f"--locked={first}")[0] == 0
    changed = json.loads(first.read_text())
    changed["nodes"]["onnxruntime"]["identity"] = "onnxruntime==0.1"
    first.write_text(json.dumps(changed))
    status, _, err = said(capsys, "plan", f"--locked={first}")
    assert status == 2
    assert "onnxruntime==0.1" in err


def test_a_job_of_ones_own_components_from_start_to_store(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    own = profile.write(tmp_path / "profile")
    words = ["--tags=app", f"--profiles={own}", f"--diary={tmp_path / 'diary'}", f"--output_dir={tmp_path / 'results'}"]
    status, out, err = said(capsys, "run", *words, "--quiet")
    assert status == 0, err
    assert (tmp_path / "results" / "sut" / "1" / "run.json").exists()
    assert "finished in" in out
    status, out, _ = said(capsys, "run", *words, "--reuse")
    assert status == 0
    assert "an equal job, r-0001, finished on" in out
    assert "r-0001 finished" in out
    listed = json.loads(said(capsys, "jobs", "--json")[1])
    assert [job["state"] for job in listed] == ["finished"]
    assert "r-0001" in said(capsys, "jobs")[1]
    assert "measure · 2" in said(capsys, "attach", "1", "--plain")[1]
    entries = json.loads(said(capsys, "store", "list", "--json")[1])
    assert {entry["recipe"]["component"] for entry in entries} == {"file", "join"}
    joined = next(entry["entry"] for entry in entries if entry["recipe"]["component"] == "join")
    assert "a plan with this recipe hits" in said(capsys, "store", "why", joined)[1]
    assert said(capsys, "store", "verify")[0] == 0
    os.utime(tmp_path / "home" / "store" / "entries" / joined / "content" / "joined.bin", ns=(1, 1))
    assert said(capsys, "store", "verify")[0] == 1
    assert said(capsys, "store", "remove", joined)[0] == 0
    assert joined not in said(capsys, "store", "list")[1]


def test_reuse_takes_only_what_was_made_from_the_same_things_and_is_still_there(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    own, results = profile.write(tmp_path / "profile"), tmp_path / "results"
    words = ["--tags=app", f"--profiles={own}", f"--diary={tmp_path / 'diary'}", f"--output_dir={results}", "--reuse"]
    for taken in ("r-0001", "r-0001"):
        assert f"{taken} finished" in said(capsys, "run", *words)[1]
    shutil.rmtree(results)
    status, out, _ = said(capsys, "run", *words)
    assert status == 0
    assert "no longer has its results" in out
    assert "r-0002 finished" in out
    assert (results / "sut" / "1" / "run.json").exists()
    steps = own / "components" / "steps.py"
    steps.write_text(steps.read_text() + "\n# another version\n")
    status, out, _ = said(capsys, "run", *words)
    assert "equal job" not in out
    assert "r-0003 finished" in out


def test_going_on_prints_the_new_attempt_only(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    own = profile.write(tmp_path / "profile")
    words = ["--tags=app", f"--profiles={own}", f"--diary={tmp_path / 'diary'}", "--mode=fail", "--plain"]
    first = said(capsys, "run", *words)[1]
    again = said(capsys, "run", *words)[1]
    assert first.count("FAILED") == again.count("FAILED")
    assert "resumed" in again
    attached = said(capsys, "attach", "--plain")[1]
    assert attached.count("FAILED") == 2 * first.count("FAILED")


def test_a_failed_job_says_what_and_what_to_do(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    own = profile.write(tmp_path / "profile")
    words = ["--tags=app", f"--profiles={own}", f"--diary={tmp_path / 'diary'}", "--mode=fail"]
    status, out, _ = said(capsys, "run", *words, "--plain")
    assert status == 1
    assert "the measurement failed" in out
    assert "fix it" in out
    assert "the same command resumes it" in out
    status, out, _ = said(capsys, "run", *words, "--json")
    assert status == 1
    assert json.loads(out)["failed"][-1]["remedy"] == "fix it"


def test_doctor_tells_the_machine_and_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "doctor", "--json")
    assert status == 0
    found = json.loads(out)
    assert found["machine"]["python"].startswith("3.")
    benchmarks = {one["name"]: one for one in found["benchmarks"]}
    assert benchmarks["recipe demo-offline"]["ready"]
    assert not benchmarks["resnet50, full data set"]["ready"]
    assert "IMAGENET_PATH" in benchmarks["resnet50, full data set"]["remedy"]


def test_doctor_takes_the_inputs_that_it_recommends(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "val_map.txt").write_text("ILSVRC2012_val_00000001.JPEG 65\n")
    (tmp_path / "ILSVRC2012_val_00000001.JPEG").write_bytes(b"")
    found = {}
    for words in ([], [f"--env.IMAGENET_PATH={tmp_path}"], ["--env.IMAGENET_PATH=/nowhere"]):
        out = said(capsys, "doctor", "--json", *words)[1]
        checks = {one["name"]: one for one in json.loads(out)["benchmarks"]}
        found[" ".join(words)] = checks["resnet50, full data set"]
        assert checks["recipe demo-offline"]["ready"]
    without, _, missing = found.values()
    assert "give its folder" in without["text"]
    assert "/nowhere" in missing["text"]


def test_a_selection_means_the_same_files_from_every_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        words = [f"{TAGS},_test", "--model_path=m.onnx", "--env.IMAGENET_PATH=../pictures", "--adr.imagenet.tags=_full"]
        said(capsys, "plan", *words, "--output_dir=out", "--lock=lock.json", "--quiet")
        locks.append(json.loads(Path("lock.json").read_text()))
    (first, second) = (lock["nodes"]["app-mlperf-inference"]["options"]["model_path"] for lock in locks)
    assert (first, second) == (str(tmp_path / "a" / "m.onnx"), str(tmp_path / "b" / "m.onnx"))
    assert f"--output_dir={tmp_path / 'a' / 'out'}" in locks[0]["command"]
    assert locks[1]["nodes"]["imagenet-full"]["options"]["path"] == str(tmp_path / "b" / ".." / "pictures")


def test_preflight_says_what_would_be_refused_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    words = [TAGS + ",_patterns-net,_submission,_test", "--sut=demo-offline"]
    status, out, _ = said(capsys, "submission", "preflight", *words)
    assert status == 1
    assert "runs of the style test can't be submitted" in out
    words = [TAGS + ",_submission,_valid", "--sut=gcp-n2-standard-80", "--adr.imagenet.tags=_full"]
    status, out, _ = said(capsys, "submission", "preflight", *words, "--json")
    assert [one["what"] for one in json.loads(out) if one["severity"] == "error"] == [
        "imagenet-full: ImageNet can't be downloaded freely: give its folder"
    ]


def test_text_from_outside_can_not_steer_the_terminal() -> None:
    assert clean("a\x1b[2Jb\x07\x9bc\n[red]d") == "a[2Jbc [red]d"


def test_sizes_and_times_as_a_person_reads_them() -> None:
    assert [size(count) for count in (None, 0, 999, 1_700_000, 102_500_000, 10**15)] == [
        "",
        "0 B",
        "999 B",
        "1.7 MB",
        "102 MB",
        "1000.0 TB",
    ]
    assert [duration(seconds) for seconds in (None, 0, 0.2, 75, 3725)] == ["", "0:00", "0:01", "1:15", "1:02:05"]


TUTORIAL = (f"{TAGS},_submission,_valid", "--add_deps_tags.imagenet=_full", "--env.CM_SUT_NAME=gcp-n2-standard-80-tf")


def test_a_plan_of_a_submission_says_what_will_be_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "plan", *TUTORIAL)
    assert status == 2
    tree, _, expected_facts = out.partition("imagenet-full: ")
    assert "Submission folder and zip" in tree
    assert (
        "warning 'OctoML', the submitter of gcp-n2-standard-80-tf, is of an example; zip refuses that" in expected_facts
    )
    assert "warning the description of gcp-n2-standard-80-tf is not of this machine" in expected_facts
    assert "error" not in expected_facts, "what stands in the way of the plan is said once"
    assert "would be accepted, with warnings" in expected_facts
    named = said(capsys, "plan", *TUTORIAL, "--submitter=Me")[1]
    assert "OctoML" not in named
    assert "zip refuses that" not in said(capsys, "plan", f"{TAGS},_all-modes", "--sut=gcp-n2-standard-80")[1]


def test_the_plan_and_the_preflight_foresee_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(said(capsys, "plan", *TUTORIAL, "--json")[1])
    status, out, _ = said(capsys, "submission", "preflight", *TUTORIAL, "--json")
    assert status == 1
    assert found["preflight"] == json.loads(out)
    assert {one["severity"] for one in found["preflight"]} == {"note", "warning", "error"}
    assert "preflight" not in json.loads(said(capsys, "plan", TAGS, "--json")[1])


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (("CM_LOADGEN_SCENARIO=Server", "CM_RUN_STYLE=fast"), ("--scenarios=Server", "--style=fast")),
        (("CM_MLPERF_RUN_STYLE=valid", "CM_MLPERF_LOADGEN_MODE=accuracy"), ("--style=valid", "--modes=accuracy")),
        (("CM_TEST_QUERY_COUNT=9",), ("--min_query_count=9",)),
        (("CM_NUM_THREADS=2", "CM_MLPERF_LOADGEN_MAX_BATCHSIZE=4"), ("--sessions=2", "--max_batch=4")),
        (("CM_MLPERF_LOADGEN_OFFLINE_TARGET_QPS=7",), ("--offline_target_qps=7",)),
        (("CM_MLPERF_LOADGEN_SINGLESTREAM_TARGET_LATENCY=7",), ("--singlestream_target_latency_ms=7",)),
        (("CM_MLPERF_SUBMITTER=Me", "CM_HW_NAME=apple-m1"), ("--submitter=Me", "--sut=apple-m1")),
    ],
)
def test_the_names_of_the_tutorials_are_options(
    capsys: pytest.CaptureFixture[str], theirs: tuple[str, ...], ours: tuple[str, ...]
) -> None:
    found = plan(capsys, TAGS, *(f"--env.{one}" for one in theirs))
    wanted = plan(capsys, TAGS, *ours)
    assert {name: node["options"] for name, node in found.items()} == {
        name: node["options"] for name, node in wanted.items()
    }


def test_an_option_that_stands_for_a_variation_brings_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--backend=tensorflow"], ["--env.CM_MLPERF_BACKEND=tf"], ["--env.CM_BACKEND=tf"]):
        nodes = plan(capsys, TAGS, *words)
        assert "tensorflow" in nodes
        assert nodes["app-mlperf-inference"]["options"]["backend"] == "tensorflow"  # type: ignore[index]
    demo = plan(capsys, "--recipe=demo-offline", "--style=fast")
    assert demo["app-mlperf-inference"]["options"]["style"] == "fast"  # type: ignore[index]


def test_names_of_the_tutorials_for_words_of_the_command_line() -> None:
    given = ["--env.OUTPUT_BASE_DIR=out", "--env.CM_QUIET=yes", "--env.CM_RERUN=no", "--env.CM_HW_NAME=x"]
    words = parse(COMMANDS["run"], given)
    assert words.values == {"output_dir": "out"}
    assert words.flags == {"quiet"}
    assert words.changes.env == {"CM_HW_NAME": "x"}


@pytest.mark.parametrize("words", [["--now"], []])
def test_a_job_is_told_to_measure_now(words: list[str]) -> None:
    assert job_spec(prepare_words(parse(COMMANDS["run"], [TAGS, *words]))).now == bool(words)
