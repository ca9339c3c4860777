"""Libraries and commands of the operating system, and the command that installs missing ones.

Nothing is installed without consent: the command is shown, and run only if the user asked for it.
"""

import ctypes
import os
import shutil
from collections.abc import Mapping, Sequence

import msgspec

from engine.system.description import OperatingSystem

Manager = str
"""apt, dnf, pacman, zypper, apk or brew."""

_INSTALL: Mapping[Manager, tuple[str, ...]] = {
    "apt": ("apt-get", "install", "--yes"),
    "dnf": ("dnf", "install", "--assumeyes"),
    "pacman": ("pacman", "--sync", "--needed", "--noconfirm"),
    "zypper": ("zypper", "--non-interactive", "install"),
    "apk": ("apk", "add"),
    "brew": ("brew", "install"),
}
_KINDS: Mapping[str, Manager] = {
    "debian": "apt",
    "ubuntu": "apt",
    "fedora": "dnf",
    "rhel": "dnf",
    "centos": "dnf",
    "amzn": "dnf",
    "arch": "pacman",
    "suse": "zypper",
    "opensuse": "zypper",
    "sles": "zypper",
    "alpine": "apk",
    "macos": "brew",
}
"""ID or ID_LIKE of os-release → its package manager."""


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A requirement: either a command on the path or a shared library that can be loaded."""

    command: str = ""
    library: str = ""
    """By the loader's name: libstdc++.so.6."""
    apt: str = ""
    dnf: str = ""
    pacman: str = ""
    zypper: str = ""
    apk: str = ""
    brew: str = ""

    def __post_init__(self) -> None:
        """Raise an error unless exactly one of command and library is given."""
        if bool(self.command) == bool(self.library):
            raise ValueError("give either command or library")

    def present(self) -> bool:
        """Return whether it is installed."""
        if self.command:
            return shutil.which(self.command) is not None
        try:
            ctypes.CDLL(self.library)
        except OSError:
            return False
        return True

    def name(self, manager: Manager) -> str:
        """Return the package's name for a package manager; empty if it has none."""
        return str(getattr(self, manager, ""))


NEEDED: Mapping[str, Package] = {
    "C++ library": Package(
        library="libstdc++.so.6",
        apt="libstdc++6",
        dnf="libstdc++",
        pacman="gcc-libs",
        zypper="libstdc++6",
        apk="libstdc++",
    ),
}
"""Requirements of LoadGen's and onnxruntime's wheels on Linux; on macOS they have none."""


def manager(system: OperatingSystem) -> Manager | None:
    """Return the package manager of a distribution; None if it is unknown or not installed."""
    known = [_KINDS[kind] for kind in system.kinds if kind in _KINDS]
    installed = [name for name, command in _INSTALL.items() if shutil.which(command[0])]
    return next(iter([*known, *installed]), None)


def install_command(names: Sequence[str], tool: Manager, *, ask: bool) -> tuple[str, ...]:
    """Return the command that installs packages, with sudo if it needs root and this process is not root.

    Unless it may `ask`, sudo fails rather than wait for a password.
    """
    command = (*_INSTALL[tool], *names)
    if tool == "brew" or os.geteuid() == 0:
        return command
    return ("sudo", *command) if ask else ("sudo", "-n", *command)
