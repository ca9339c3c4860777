"""Libraries and commands that the operating system must have, and the command that installs what is missing.

Nothing is installed behind anybody's back: the command is shown, and run only where a person asked for it.
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
    """Something that must be there: either a command on the path or a shared library that can be loaded."""

    command: str = ""
    library: str = ""
    """By the name that the loader knows: libstdc++.so.6."""
    apt: str = ""
    dnf: str = ""
    pacman: str = ""
    zypper: str = ""
    apk: str = ""
    brew: str = ""

    def __post_init__(self) -> None:
        """Refuse what could not be looked for."""
        if bool(self.command) == bool(self.library):
            raise ValueError("give either command or library")

    def present(self) -> bool:
        """Say whether it is there."""
        if self.command:
            return shutil.which(self.command) is not None
        try:
            ctypes.CDLL(self.library)
        except OSError:
            return False
        return True

    def name(self, manager: Manager) -> str:
        """Return what the package is called there; empty where it has no name."""
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
"""What LoadGen's and onnxruntime's wheels take from a Linux system; on macOS they bring or find everything."""


def manager(system: OperatingSystem) -> Manager | None:
    """Return the package manager of a distribution; None where none of ours is known for it or installed."""
    known = [_KINDS[kind] for kind in system.kinds if kind in _KINDS]
    installed = [name for name, command in _INSTALL.items() if shutil.which(command[0])]
    return next(iter([*known, *installed]), None)


def install_command(names: Sequence[str], tool: Manager, *, ask: bool) -> tuple[str, ...]:
    """Return the command that installs packages, with sudo where it takes an administrator and this is none.

    Unless it may `ask`, sudo fails rather than wait for a password that nobody is there to type.
    """
    command = (*_INSTALL[tool], *names)
    if tool == "brew" or os.geteuid() == 0:
        return command
    return ("sudo", *command) if ask else ("sudo", "-n", *command)
