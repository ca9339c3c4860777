"""Identify files that are not UTF-8 text by their first bytes."""

from __future__ import annotations

import codecs

_BEGINNINGS = {
    b"\x1f\x8b": "gzip data",
    b"PK\x03\x04": "a zip",
    b"BZh": "bzip2 data",
    b"\xfd7zXZ": "xz data",
    b"\x28\xb5\x2f\xfd": "zstd data",
    codecs.BOM_UTF16_LE: "text in UTF-16",
    codecs.BOM_UTF16_BE: "text in UTF-16",
    codecs.BOM_UTF8: "text with a byte order mark",
}
_LOOKED_AT = 64
EMPTY = "empty"


def kind_of(data: bytes) -> str:
    """Return the file's type if it is not UTF-8 text; empty if it may be."""
    if not data.strip():
        return EMPTY
    for beginning, kind in _BEGINNINGS.items():
        if data.startswith(beginning):
            return kind
    return "binary data, or text in UTF-16" if b"\0" in data[:_LOOKED_AT] else ""
