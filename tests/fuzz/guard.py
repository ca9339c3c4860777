"""What no input may do: reach the network, start a process, send a signal; and what root must not be spared."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from types import ModuleType
from typing import NoReturn

from engine.errors import JobError
from engine.jobs import control

_CAPABILITY_VERSION = 0x20080522
_OVERRIDE, _READ_SEARCH = 1, 2
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: with them permissions mean nothing."""


_soft = False
"""Whether the system merely fails to do what is forbidden, as a system may."""


class Forbidden(BaseException):
    """The generator made an input that does what no input may do."""


def install() -> None:
    """Guard this process for the rest of its life."""
    kill = os.kill
    os.kill = lambda pid, _: kill(pid, 0)
    socket.socket.connect = _no_network  # type: ignore[method-assign]
    socket.getaddrinfo = _no_network
    subprocess.Popen = _Popen  # type: ignore[assignment, misc]
    page = ModuleType("tui.page")
    page.run = lambda *_: None  # type: ignore[attr-defined]
    sys.modules["tui.page"] = page


@contextmanager
def softly() -> Iterator[None]:
    """Let what is forbidden fail as it may on any machine: for the screen, where any key may ask for it."""
    global _soft
    launch, control.launch, _soft = control.launch, _no_launch, True  # type: ignore[assignment]
    try:
        yield
    finally:
        control.launch, _soft = launch, False


def _no_launch(*_: object) -> NoReturn:
    raise JobError("no job is started here")


@contextmanager
def permissions() -> Iterator[None]:
    """Take from root what lets it read and write whatever the permissions say. Nothing changes for other users."""
    _override(wanted=False)
    try:
        yield
    finally:
        _override(wanted=True)


def _override(*, wanted: bool) -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        return
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None)
    if libc.capget(header, sets) == 0:
        mask = (1 << _OVERRIDE | 1 << _READ_SEARCH) & sets[1]  # what is permitted
        sets[0] = sets[0] | mask if wanted else sets[0] & ~mask
        libc.capset(header, sets)


def _no_network(*_: object, **__: object) -> NoReturn:
    if _soft:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")
    raise Forbidden("the network")


class _Popen(subprocess.Popen[bytes]):
    """Finds no program that tells of the machine, and refuses every other."""

    def __init__(self, args: object, *_: object, **__: object) -> None:
        words = [str(word) for word in args] if isinstance(args, list | tuple) else [str(args)]
        if not _soft and ("-m" in words or "pip" in words or "npm" in PurePath(words[0]).name):
            raise Forbidden(f"a process: {words}")
        raise FileNotFoundError(2, "no such program", words[0])

    def __del__(self) -> None:
        """Nothing was started."""
