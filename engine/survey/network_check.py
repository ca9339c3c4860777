"""Check before a job starts that the servers it will download from can be reached.

A job that downloads for minutes and then finds a server unreachable has wasted them; one without any network should
fail at once. Only connections are opened; whether a file exists is left to the download.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from engine.errors import CannotRunError
from engine.plan.plan import Node, Plan
from engine.profile.catalog import Catalog
from engine.survey.survey import Survey

SECONDS = 4.0
"""Timeout in seconds for all servers together, in parallel. Without a network the answer is immediate; only a firewall
that drops packets takes so long."""

Server = tuple[str, int]
"""Host and port to connect to: the proxy's, where the URL is requested through one."""

PORTS = {"http": 80, "https": 443}


def refuse_unreachable(plan: Plan, seen: Survey, catalog: Catalog) -> None:
    """Raise CannotRunError where something must be downloaded and none of its servers can be reached.

    The servers are those of http and https URLs in the options of a step, per option. Downloads through a package
    manager are not checked: it has its own configuration.
    """
    asked = {id_: list(_mirrors(plan.nodes[id_])) for id_, one in seen.seen.items() if one.state == "fetch"}
    everyone = {server for lists in asked.values() for mirrors in lists for server in mirrors.values()}
    if not everyone:
        return
    failures = _failures(everyone)
    lost: dict[str, dict[str, None]] = {}
    stuck: list[str] = []
    for id_, lists in asked.items():
        for mirrors in lists:
            if all(server in failures for server in mirrors.values()):
                for host, server in mirrors.items():
                    lost.setdefault(_words(host, server, failures[server]), {})[host] = None
                stuck.append(id_)
    if stuck:
        reasons = "; ".join(f"{', '.join(hosts)}: {why}" for why, hosts in lost.items())
        titles = ", ".join(dict.fromkeys(plan.nodes[id_].title for id_ in stuck))
        raise CannotRunError(
            f"can't fetch {titles}: {reasons}",
            f"check the network and the proxy (HTTPS_PROXY){_local_inputs(plan, catalog, stuck)}"
            + "".join(f"; or {seen.seen[id_].remedy}" for id_ in dict.fromkeys(stuck) if seen.seen[id_].remedy),
        )


def _mirrors(node: Node) -> Iterator[Mapping[str, Server]]:
    """Yield, for each option that holds URLs, the server of each host; none for an option with a file URL.

    Any one server of an option is enough.
    """
    for value in node.values().values():
        members = value if isinstance(value, list | tuple) else [value]
        urls = [one for one in members if isinstance(one, str) and "://" in one]
        if not urls or len(urls) < len(members):
            continue
        servers = [_server(url) for url in urls]
        if all(servers):
            yield {urlsplit(url).hostname or "": server for url, server in zip(urls, servers, strict=True) if server}


def _server(url: str) -> Server | None:
    """Return the server to connect to for this URL; None where none is needed, or the URL is invalid."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in PORTS or not host:
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and not proxy_bypass(host):
        through = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        if through.hostname:
            return through.hostname, _port(through.port, through.scheme)
    return host, _port(port, parts.scheme)


def _port(given: int | None, scheme: str) -> int:
    return given or PORTS.get(scheme, 1080 if scheme.startswith("socks") else 80)


def _failures(servers: set[Server]) -> Mapping[Server, str]:
    """Return the error of each server to which the connection failed. Takes at most SECONDS."""
    answers: queue.SimpleQueue[tuple[Server, str]] = queue.SimpleQueue()
    for server in servers:
        # Threads that nobody waits for: a name server that is silent can't be asked with a time limit.
        threading.Thread(target=_try, args=(server, answers), daemon=True).start()
    found = dict.fromkeys(servers, "no answer in time")
    end = time.monotonic() + SECONDS
    with suppress(queue.Empty):
        for _ in servers:
            server, why = answers.get(timeout=max(end - time.monotonic(), 0.0))
            found[server] = why
    return {server: why for server, why in found.items() if why}


def _try(server: Server, answers: queue.SimpleQueue[tuple[Server, str]]) -> None:
    try:
        socket.create_connection(server, timeout=SECONDS).close()
    except socket.gaierror:
        answers.put((server, "the host name cannot be resolved"))
    except TimeoutError:
        answers.put((server, "no answer in time"))
    except OSError as error:
        answers.put((server, (error.strerror or str(error)).lower()))
    except (UnicodeError, OverflowError):
        answers.put((server, "not a host name"))
    else:
        answers.put((server, ""))


def _words(host: str, server: Server, why: str) -> str:
    return why if server[0] == host else f"through the proxy {server[0]}: {why}"


def _local_inputs(plan: Plan, catalog: Catalog, stuck: Sequence[str]) -> str:
    """Return the options by which a user can give local copies instead of downloading."""
    found: dict[str, None] = {}
    for node in plan.nodes.values():
        component = catalog.components[node.component]
        needless = {
            name
            for edge in node.needs
            for need in component.needs
            if edge.node in stuck and need.name == edge.name
            for name in need.condition.when
        }
        for option in component.options.values():
            if option.type == "path" and option.env and (node.id in stuck or option.name in needless):
                found[f"--env.{option.env[0]}=PATH"] = None
    return f"; or give a local copy: {', '.join(found)}" if found else ""
