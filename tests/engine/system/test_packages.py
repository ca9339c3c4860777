import os
import shutil

import pytest

from engine.system import packages
from engine.system.description import OperatingSystem
from engine.system.packages import NEEDED, Package, install_command, manager


def make(*kinds: str) -> OperatingSystem:
    return OperatingSystem(name="x", kinds=kinds, kernel="1")


@pytest.mark.parametrize(
    ("kinds", "tool"),
    [
        (("debian",), "apt"),
        (("linuxmint", "ubuntu", "debian"), "apt"),
        (("rocky", "rhel", "centos", "fedora"), "dnf"),
        (("arch",), "pacman"),
        (("opensuse-leap", "suse", "opensuse"), "zypper"),
        (("alpine",), "apk"),
        (("macos",), "brew"),
    ],
)
def test_each_distribution_has_its_manager(kinds: tuple[str, ...], tool: str) -> None:
    assert manager(make(*kinds)) == tool


def test_an_unknown_distribution_is_known_by_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/apk" if name == "apk" else None)
    assert manager(make("own")) == "apk"
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert manager(make("own")) is None


def test_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert install_command(["a", "b"], "apt", ask=True) == ("apt-get", "install", "--yes", "a", "b")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert install_command(["a"], "apk", ask=True) == ("sudo", "apk", "add", "a")
    assert install_command(["a"], "apk", ask=False) == ("sudo", "-n", "apk", "add", "a")
    assert install_command(["a"], "brew", ask=False) == ("brew", "install", "a")


def test_what_is_there() -> None:
    assert Package(command="sh").present()
    assert not Package(command="no-such-command-here").present()
    assert not Package(library="libnosuchthing.so.9").present()


def test_a_package_is_looked_for_in_one_way() -> None:
    with pytest.raises(ValueError, match="either"):
        Package(apt="x")
    with pytest.raises(ValueError, match="either"):
        Package(command="x", library="y")


def test_what_is_needed_has_a_name_on_every_linux() -> None:
    for package in NEEDED.values():
        assert all(package.name(tool) for tool in packages._INSTALL if tool != "brew")
    assert Package(command="x").name("apt") == ""
