"""A server on the loopback with a tree of small pictures, each of which can be served in every wrong way."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import cv2
import numpy as np

Fault = Literal["drop", "503", "429", "404", "wrong bytes", "short", "endless", "no length", "hang up"]
"""`drop` cuts the body in its middle; `wrong bytes` changes one that decodes all the same; `short` sends half and says
so; `endless` sends more than any picture; `hang up` closes without an answer."""


@dataclass
class Tree:
    """Files by their path on the server, and what goes wrong with them."""

    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    """By path: one for each request, the first first; then the file comes as it is."""
    always: dict[str, Fault] = field(default_factory=dict)
    """By path: at each request."""
    etags: Literal["md5", "multipart", "none"] = "md5"
    """Of the content as it should be: S3's for one piece, S3's for several, or none."""
    url: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    """How often each path was asked for."""
    connections: int = 0
    most_at_once: int = 0
    """The most requests that were open at the same time."""
    slow: float = 0.0
    """Seconds that each answer takes."""
    _open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, path: str) -> Fault | None:
        """Count a request; returns what is to go wrong with it."""
        with self._lock:
            self.asked[path] += 1
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
            waiting = self.faults.get(path)
            return waiting.pop(0) if waiting else self.always.get(path)

    def end(self) -> None:
        """Count a request out."""
        with self._lock:
            self._open -= 1


def etag(content: bytes, kind: str) -> str:
    """The entity tag as S3 writes it."""
    digest = hashlib.md5(content).hexdigest()
    return {"md5": f'"{digest}"', "multipart": f'"{digest}-3"'}.get(kind, "")


class _Handler(BaseHTTPRequestHandler):
    tree: Tree
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.tree.connections += 1

    def do_GET(self) -> None:
        fault = self.tree.begin(self.path)
        try:
            threading.Event().wait(self.tree.slow)
            self._answer(fault)
        finally:
            self.tree.end()

    def _answer(self, fault: Fault | None) -> None:
        content = self.tree.files.get(self.path)
        if fault in ("503", "429", "404") or content is None:
            self._head(int(fault) if fault in ("503", "429", "404") else 404, {"Content-Length": "0"})
            return
        if fault == "hang up":
            self._cut()
            return
        tag = etag(content, self.tree.etags)
        head = {"Content-Length": str(len(content)), **({"ETag": tag} if tag else {})}
        match fault:
            case "drop":
                self._head(200, head)
                self.wfile.write(content[: len(content) // 2])
                self._cut()
            case "wrong bytes":
                self._head(200, head)
                # In the comment that `picture` writes: the picture itself is the same.
                self.wfile.write(content.replace(b"a comment", b"A COMMENT"))
            case "short":
                self._head(200, {**head, "Content-Length": str(len(content) // 2)})
                self.wfile.write(content[: len(content) // 2])
            case "endless" | "no length":
                del head["Content-Length"]
                self._head(200, {**head, "Connection": "close"})
                self.wfile.write(content)
                if fault == "endless":
                    self._pour()
                self.close_connection = True
            case _:
                self._head(200, head)
                self.wfile.write(content)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _pour(self) -> None:
        try:
            for _ in range(1000):
                self.wfile.write(bytes(1 << 20))
        except OSError:
            return  # whoever asked has had enough

    def _cut(self) -> None:
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    """Connections that wait to be taken: all threads of a fetch come at once."""


@contextmanager
def serving(tree: Tree) -> Iterator[Tree]:
    """Serve until the block ends; `tree.url` is the address of the root, without a slash at its end."""
    handler = type("Handler", (_Handler,), {"tree": tree})
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        tree.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield tree
        finally:
            server.shutdown()
            thread.join()


def dead_url() -> str:
    """An address that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def name_of(index: int) -> str:
    """A name as OpenImages gives them."""
    return f"{hashlib.sha256(str(index).encode()).hexdigest()[:16]}.jpg"


def picture(index: int, width: int = 64, height: int = 48, turned: bool = False) -> bytes:
    """A JPEG of noise with a comment in it; `turned` says in its EXIF data that it is to be looked at from the side."""
    noise = np.random.default_rng(index).integers(0, 255, (height, width, 3), dtype=np.uint8)
    data = bytes(cv2.imencode(".jpg", noise)[1].tobytes())
    segments = _segment(0xFE, b"a comment")
    if turned:
        entry = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"
        segments += _segment(0xE1, b"Exif\0\0MM\x00\x2a\x00\x00\x00\x08\x00\x01" + entry + bytes(4))
    return data[:2] + segments + data[2:]


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def coco(sizes: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    """The COCO file for pictures of these widths and heights: two boxes in each, none in every third."""
    images: list[dict[str, Any]] = [
        {"id": number, "file_name": name, "height": height, "width": width, "license": None, "coco_url": None}
        for number, (name, (width, height)) in enumerate(sizes.items(), start=1)
    ]
    boxes = [
        {"id": 0, "image_id": image["id"], "category_id": 7, "bbox": [1.5, 2, 10, 8.25], "area": 82.5, "iscrowd": 0}
        for image in images
        for _ in range(2 if image["id"] % 3 else 0)
    ]
    for number, box in enumerate(boxes, start=1):
        box["id"] = number
    categories = [{"id": number, "name": f"thing {number}", "supercategory": "none"} for number in range(264)]
    return {"info": {}, "licenses": [], "categories": categories, "images": images, "annotations": boxes}


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip archive of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def whole_tree(count: int, member: str = "openimages-mlperf.json") -> tuple[Tree, Sequence[str]]:
    """A server's tree with that many validation pictures and their zipped annotations, and the names in order."""
    names = [name_of(index) for index in range(count)]
    sizes = {name: (64 + index % 5, 48 + index % 3) for index, name in enumerate(names)}
    files = {f"/validation/{name}": picture(index, *sizes[name]) for index, name in enumerate(names)}
    text = json.dumps(coco(sizes)).encode()
    return Tree({**files, "/annotations.zip": zipped({member: text})}), names
