"""Read the directories and files of a tree safely: links, pipes and unreadable files become findings.

A directory is listed once, and its listing answers all later questions about it. Links within the tree are followed, as
the official checker follows them, but not back to a folder that contains them, and no link to a folder within a linked
folder, since links to each other would never end. What is outside the tree can't be submitted, and is never read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator

from engine.profile.rounds import Round
from engine.profile.tree_rules import Severity
from engine.submission.checker.findings import FindingCollector
from engine.text import is_text

DEEPEST = 40
"""Maximum depth below a folder; deeper than any path that a system can open in one piece."""
READ_LIMIT = 1 << 26
"""Maximum bytes read of a file; nothing that is checked is further behind."""


class Folder:
    """A directory: its folders and its plain files with their sizes in bytes, by name."""

    __slots__ = ("files", "folders", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        """Path from the tree's root."""
        self.folders: dict[str, Folder] = {}
        self.files: dict[str, int] = {}

    def at(self, *names: str) -> Folder | None:
        """Return a folder below this one."""
        folder: Folder | None = self
        for name in names:
            folder = folder.folders.get(name) if folder is not None else None
        return folder

    def __contains__(self, name: str) -> bool:
        return name in self.files or name in self.folders


class Disk:
    """The tree on disk, from its root."""

    def __init__(self, root: str, rules: Round) -> None:
        self.root = root
        self._real_root = os.path.realpath(root).rstrip("/") + "/"
        self._tolerated = frozenset(rules.files.tolerated_names)
        self._largest = rules.files.max_bytes
        self._foreign_only = rules.judging.foreign_links_only

    def list(self, path: str, collector: FindingCollector, *, deep: bool = True) -> Folder | None:
        """Return a folder with all that is below it, or None where there is none; anomalies are added as findings.

        `deep=False` leaves its subfolders unread.
        """
        real = self.real(path)
        if not os.path.isdir(real):  # noqa: PTH112  (a Path for each of 100,000 folders is too slow)
            return None
        if not self._is_inside(os.path.realpath(real)):
            collector.add("layout.unreadable", path, "it is outside the tree", "a folder in the tree")
            return None
        return self._scan(path, collector, DEEPEST if deep else 0)

    def _scan(self, path: str, collector: FindingCollector, levels: int, *, linked: bool = False) -> Folder:
        folder = Folder(path)
        below = []
        try:
            with os.scandir(self.real(path)) as entries:
                for entry in entries:
                    inside = f"{path}/{entry.name}" if path else entry.name
                    if self._enters(folder, entry, inside, collector, linked=linked):
                        below.append((entry.name, inside, linked or entry.is_symlink()))
        except OSError as error:
            collector.add("layout.unreadable", path or ".", str(error.strerror), "a folder that can be listed")
            return folder
        if not below and not folder.files and path:
            collector.add("layout.empty_folder", path, "nothing in it", "files")
        for name, inside, link in sorted(below):
            deeper = self._scan(inside, collector, levels - 1, linked=link) if levels > 0 else Folder(inside)
            folder.folders[name] = deeper
        return folder

    def _enters(
        self, folder: Folder, entry: os.DirEntry[str], path: str, collector: FindingCollector, *, linked: bool
    ) -> bool:
        """Add an entry to the folder's listing; return whether it is a subfolder to read."""
        name = entry.name
        if name[0] == "." or " " in name or name == "__pycache__" or not (name.isascii() or is_text(name)):
            self._name(name, path, collector)
        try:
            is_link = entry.is_symlink()
            if is_link and not self._followed(path, collector):
                return False
            if entry.is_dir():
                return not (is_link and linked)
            status = entry.stat()
        except OSError as error:
            collector.add("layout.unreadable", path, str(error.strerror), "a file that can be read")
            return False
        if not stat.S_ISREG(status.st_mode):
            collector.add("layout.special_file", path, "a pipe, socket or device", "a plain file")
            return False
        if status.st_size > self._largest:
            collector.add("layout.large_file", path, f"{status.st_size} bytes", f"at most {self._largest} bytes")
        folder.files[name] = status.st_size
        return False

    def _name(self, name: str, path: str, collector: FindingCollector) -> None:
        if name not in self._tolerated and path not in (".git", ".github"):
            collector.add("layout.name", path, name, "a name in UTF-8, without blanks and without a dot in front")

    def _followed(self, path: str, collector: FindingCollector) -> bool:
        """Record a link, and return whether it leads to something in the tree that does not contain the link itself."""
        real = self.real(path)
        text, target = os.readlink(real), os.path.realpath(real)  # noqa: PTH115
        # The official checkers look at links to files only, and in some rounds only where they lead from the root.
        known = self._foreign_only and os.path.exists(self.real(text))  # noqa: PTH110
        overlooked: Severity | None = "warning" if known or os.path.isdir(target) else None  # noqa: PTH112
        collector.add("layout.symlink", path, f"a link to {text}", "the file or folder itself", severity=overlooked)
        holder = os.path.realpath(os.path.dirname(real))  # noqa: PTH120
        inside = os.path.exists(target) and self._is_inside(target)  # noqa: PTH110
        return inside and not f"{holder}/".startswith(target.rstrip("/") + "/")

    def _refuse_outside(self, handle: int, path: str) -> None:
        """Raise OSError where an opened file is not in the tree: the file itself counts, not its name."""
        try:
            opened = os.readlink(f"/proc/self/fd/{handle}")  # noqa: PTH115
        except OSError:  # only Linux tells
            opened = os.path.realpath(self.real(path))
        if not self._is_inside(opened):
            raise OSError(errno.EXDEV, "it is outside the tree", path)

    def _is_inside(self, real: str) -> bool:
        return f"{real}/".startswith(self._real_root)

    def real(self, path: str) -> str:
        """Return the operating system's path for a place in the tree."""
        return f"{self.root}/{path}" if path else self.root

    def exists(self, path: str) -> bool:
        """Return whether anything exists there; False for an impossible name."""
        try:
            real = self.real(path)
            return os.path.exists(real) and self._is_inside(os.path.realpath(real))  # noqa: PTH110
        except ValueError:
            return False

    def is_file(self, path: str) -> bool:
        """Return whether there is a plain file."""
        return os.path.isfile(self.real(path))  # noqa: PTH113

    def size(self, path: str) -> int:
        """Return a file's size in bytes; 0 where there is none."""
        try:
            return os.path.getsize(self.real(path))  # noqa: PTH202
        except OSError:
            return 0

    def read(self, path: str, size: int, collector: FindingCollector) -> bytes | None:
        """Return a plain file's first READ_LIMIT bytes; None, with a finding, where it can't be read."""
        try:
            handle = os.open(self.real(path), os.O_RDONLY | os.O_NONBLOCK)
            try:
                self._refuse_outside(handle, path)
                return os.read(handle, min(size, READ_LIMIT) + 1)
            finally:
                os.close(handle)
        except OSError as error:
            collector.add("layout.unreadable", path, str(error.strerror), "a file that can be read")
            return None

    def lines(self, path: str, longest: int) -> Iterator[bytes]:
        """Yield a large file's lines, cut after `longest` bytes. Raises OSError."""
        with open(self.real(path), "rb") as file:  # noqa: PTH123
            self._refuse_outside(file.fileno(), path)
            begins = True
            while piece := file.readline(longest):
                if begins:
                    yield piece
                begins = piece.endswith(b"\n")


def text_lines(data: bytes) -> list[str]:
    """Return the lines of a UTF-8 text, split like Python's text files. Raises UnicodeDecodeError."""
    return data.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")


def misfit(folder: Folder, expected: tuple[str, ...], tolerated: tuple[str, ...]) -> str:
    """Return which files are missing from or superfluous in a folder; empty where it fits.

    Like the official checker, it ignores folders without any file, and subfolders.
    """
    if not folder.files:
        return ""
    missing = [name for name in expected if name not in folder.files]
    extra = sorted(name for name in folder.files if name not in expected and name not in tolerated)
    words = [f"{', '.join(missing)} missing"] if missing else []
    words += [f"{', '.join(extra)} not expected"] if extra else []
    return "; ".join(words)
