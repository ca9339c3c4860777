"""Over a real sshd on the loopback address: a job starts, the connection breaks, and a new connection finds the job."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tui.pty import ROOT, PseudoTerminal, environment, python
from tests.tui.running import goes_on, jobs, none_left

pytestmark = pytest.mark.slow

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PRIVILEGE_SEPARATION = Path("/run/sshd")


@dataclass(frozen=True)
class Host:
    """The machine to log in to: this one."""

    port: int
    key: Path

    def ssh(self, *command: str, terminal: bool = False) -> list[str]:
        """Return the words that run a command there."""
        options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes"]
        words = ["ssh", "-F", "none", "-q", "-tt" if terminal else "-T", "-p", str(self.port), "-i", str(self.key)]
        remote = f"cd {shlex.quote(str(ROOT))} && exec {shlex.join(command)}"
        return [*words, *(f"-o{one}" for one in options), f"{getpass.getuser()}@127.0.0.1", remote]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Start an sshd for this user alone."""
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("openssh-server is not installed")
    folder = tmp_path_factory.mktemp("ssh")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    config = folder / "config"
    config.write_text(_configuration(folder, port))
    if os.geteuid() == 0:
        PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    log = folder / "log"
    server = subprocess.Popen([SSHD, "-D", "-f", config, "-E", log], start_new_session=True)
    found = Host(port, folder / "user")
    try:
        _log_in(found, server, log)
        yield found
    finally:
        server.terminate()
        server.wait()


def _configuration(folder: Path, port: int) -> str:
    return f"""\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder / "host"}
AuthorizedKeysFile {folder / "user.pub"}
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
SetEnv LANG=C.UTF-8
"""


def _log_in(host: Host, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until login works; skip where this machine allows none (a locked account, no shell)."""
    for _ in range(50):
        done = subprocess.run(host.ssh("true"), check=False, capture_output=True)
        if done.returncode == 0:
            return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    pytest.skip(
        f"nobody can log in here: {' '.join(log.read_text().split()) if log.exists() else 'sshd did not start'}"
    )


def screen(host: Host, home: Path) -> PseudoTerminal:
    words = python("-m", "tui", f"--home={home}")
    return PseudoTerminal(host.ssh(*words, terminal=True), columns=80, rows=24)


def test_a_job_survives_the_connection_and_is_found_again(host: Host, tmp_path: Path) -> None:
    with none_left(tmp_path):
        with screen(host, tmp_path) as terminal:
            terminal.until("ready")
            terminal.press("t")
            terminal.until(lambda: bool(jobs(tmp_path)) and jobs(tmp_path)[0].state == "running")
            terminal.process.send_signal(signal.SIGKILL)
        (job,) = jobs(tmp_path)
        assert goes_on(job)
        with screen(host, tmp_path) as terminal:
            terminal.until(job.id)
            terminal.press("\r")
            terminal.until(lambda: "Guided first submission" not in terminal.text and job.id in terminal.text)
            terminal.press("q")
            terminal.until(lambda: terminal.process.poll() is not None)


def test_a_job_begun_by_a_command_outlives_its_connection(host: Host, tmp_path: Path) -> None:
    with none_left(tmp_path):
        words = python("-m", "tui", "demo", "--offline", "--detach", f"--home={tmp_path}")
        done = subprocess.run(host.ssh(*words), check=True, capture_output=True, text=True, env=environment({}))
        (job,) = jobs(tmp_path)
        assert f"attach {job.id}" in done.stdout
        assert goes_on(job)


def test_over_ssh_the_screen_leaves_the_mouse_alone_and_asks_for_answers(host: Host, tmp_path: Path) -> None:
    seen: list[bytes] = []
    with screen(host, tmp_path) as terminal:
        feed = terminal.emulator.feed

        def listen(data: bytes) -> bytes:
            seen.append(data)
            return feed(data)

        terminal.emulator.feed = listen  # type: ignore[method-assign]
        terminal.until("this machine")
    written = b"".join(seen)
    assert b"\x1b[?1003h" not in written
    assert b"\x1b[6n" in written
