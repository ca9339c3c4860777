"""`inferdeck serve`: the screen as a browser page. Every tab is a process of its own on the same jobs."""

from __future__ import annotations

import secrets
import shlex
import sys

from engine.errors import RunError, UsageError
from tui.serving import LOOPBACK, Serving
from tui.settings import Settings, with_theme
from tui.words import Given

HOST, PORT = "127.0.0.1", 8000


def serve_command(asked: Given) -> int:
    """Serve until Ctrl-C."""
    serving = serving_of(asked)
    try:
        from tui.page import run  # noqa: PLC0415  (an extra, and heavy)
    except ImportError:
        raise UsageError("the browser page needs the extra 'web'", "pip install 'inferdeck[web]'") from None
    try:
        run(serving, lambda: _say(_announcement(serving)))
    except (OSError, UnicodeError) as error:  # the latter: no host can have such a name
        why = (error.strerror if isinstance(error, OSError) else "") or error
        what = f"{serving.place} can't be served: {why}"
        raise RunError(what, "another one: --port=N, or --host=ADDRESS") from None
    return 0


def serving_of(asked: Given) -> Serving:
    """Return where the page will be. Raises UsageError for an unknown theme."""
    values, port = asked.values, int(asked.values.get("port", PORT))
    if "theme" in values:
        with_theme(Settings(), values["theme"])
    passed = [f"--{name}={values[name]}" for name in ("home", "theme") if name in values]
    command = shlex.join([sys.executable, "-m", "tui", *passed])
    host = values.get("host", HOST)
    if host.startswith("[") and host.endswith("]"):  # as in an address
        host = host[1:-1]
    return Serving(host, port, secrets.token_urlsafe(16), command)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _announcement(serving: Serving) -> str:
    text = f"inferdeck is at {serving.address}\nCtrl-C ends the page; jobs continue"
    if serving.host not in LOOPBACK:
        text += "\nanyone with this address can start and stop jobs here, and the connection is not encrypted"
    return text
