"""Change bytes: blindly, by the structure of JSON and YAML, and with what has broken readers before."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import yaml

DASHES = "\u2014\u2013"
ODD = f"=,.:;/-_{DASHES}\u201c\u201d'\"\u00a0 \t@#"
NASTY_TEXTS = (
    "", " ", "\u00a0", "\x00", "\x1b[2J\x1b]0;x\x07", "\u202egnp.exe", "\u2066x\u2069", "\x9b31m", "\r\n", "a\nb",
    "\udce9", "\ud800", "é" * 300, "漢" * 100, "x" * 70_000, "../../canary/kept", "/", "..", ".", "~", "~nobody/x",
    "-", "--", "—scenarios", "“quoted”", "[red]x[/red]", "{0}", "{name}", "%s%n", "$(touch x)", "`id`", "NaN", "true",
    "null", "\ufeffx", "a" * 255, "CON", "0x10", "1_000", "١٢", "1e400", "-0", ".nan", ".inf", "*", "[", "*a", "&a",
    "!!python/x",
)  # fmt: skip
NASTY_NUMBERS = (
    "0", "-1", "1e400", "-1e400", "1e308", "1e-320", "NaN", "Infinity", "-Infinity", "9223372036854775808",
    "18446744073709551616", "-9223372036854775809", "1" + "0" * 400, "1" * 5000, "0.1", "-0.0", "4294967296",
    "2147483648", "253402300800", "1e18",
)  # fmt: skip
NASTY_VALUES: tuple[object, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**30, 0.5, -0.5, 1e308, 1e18, float("nan"),
    float("inf"), -float("inf"), "", [], {}, [[]], [None], {"": None}, {"a": {"b": []}}, *NASTY_TEXTS,
)  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return the data changed in one way."""
    return chance.choice(_WAYS)(data, chance)


def text(chance: random.Random, usual: str = "x") -> str:
    """Return a text that is usual, nasty, or the usual one changed."""
    match chance.randrange(4):
        case 0:
            return usual
        case 1:
            return chance.choice(NASTY_TEXTS)
        case 2:
            return chance.choice(NASTY_NUMBERS)
        case _:
            return changed_text(usual, chance)


def changed_text(usual: str, chance: random.Random) -> str:
    """Return a text cut, doubled, in another case, with a nasty piece somewhere, or with odd bytes as sys.argv has."""
    at = chance.randrange(len(usual) + 1)
    match chance.randrange(8):
        case 0:
            return usual[:at]
        case 1:
            return usual[at:]
        case 2:
            return usual + usual
        case 3:
            return usual[:at] + chance.choice(NASTY_TEXTS) + usual[at:]
        case 4:
            return usual.swapcase()
        case 5:
            return usual[:at] + chance.choice(ODD) + usual[at:]
        case 6:
            return usual.replace("--", chance.choice((*DASHES, "-", "---", " --")), 1)
        case _:
            return mutated(usual.encode("utf-8", "surrogateescape"), chance)[:2000].decode("utf-8", "surrogateescape")


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _flip(data: bytes, chance: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 3, 30)) if found else 0):
        found[chance.randrange(len(found))] ^= 1 << chance.randrange(8)
    return bytes(found)


def _insert(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    nasty = chance.choice(NASTY_TEXTS).encode("utf-8", "surrogatepass")
    return data[:at] + chance.choice((nasty, chance.randbytes(8), b"\xff\xfe", b"\n", b"\x00" * 64)) + data[at:]


def _remove(data: bytes, chance: random.Random) -> bytes:
    begin = chance.randrange(len(data) + 1)
    return data[:begin] + data[begin + chance.choice((1, 4, 50, 500)) :]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    begin = chance.randrange(len(data) + 1)
    piece = data[begin : begin + chance.choice((1, 20, 400))]
    return data[:begin] + piece * chance.choice((2, 3, 100)) + data[begin:]


def _whole(data: bytes, chance: random.Random) -> bytes:
    return chance.choice(
        (
            b"",
            b"\n",
            b"\x00" * 100,
            b"\xff\xfe" + data[:3000].decode("latin-1").encode("utf-16-le"),
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b"- " * 50_000,
            b"x" * 3_000_000,
            b"\n" * 300_000,
            data.replace(b"\n", b"\r\n"),
            data.replace(b"\n", b""),
            data + data,
            b"\xef\xbb\xbf" + data,
            chance.randbytes(200),
            b"null",
            b"[]",
            b"{}",
            b"1",
            b'""',
            b"a: &a [*a, *a]",
            _billion_laughs(),
        )
    )


def _billion_laughs() -> bytes:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join(lines).encode()


def _number(data: bytes, chance: random.Random) -> bytes:
    """Replace a run of digits."""
    places = [at for at in range(len(data)) if data[at : at + 1].isdigit() and not data[at - 1 : at].isdigit()]
    if not places:
        return _flip(data, chance)
    begin = end = chance.choice(places)
    while data[end : end + 1].isdigit() or data[end : end + 1] == b".":
        end += 1
    return data[:begin] + chance.choice(NASTY_NUMBERS).encode() + data[end:]


def structure(data: bytes, chance: random.Random) -> bytes:
    """Change one value or key of a JSON or YAML text, or of one line of JSON lines."""
    for read in (_json_changed, _lines_changed, _yaml_changed):
        found = read(data, chance)
        if found is not None:
            return found
    return _flip(data, chance)


def _json_changed(data: bytes, chance: random.Random) -> bytes | None:
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return json.dumps(retyped(whole, chance)).encode("utf-8", "surrogatepass")


def _lines_changed(data: bytes, chance: random.Random) -> bytes | None:
    """Change the JSON that stands on one line, behind whatever stands before it."""
    lines = data.split(b"\n")
    number = chance.randrange(len(lines))
    before, brace, rest = lines[number].partition(b"{")
    changed = _json_changed(brace + rest, chance) if brace else None
    if changed is None:
        return None
    return b"\n".join([*lines[:number], before + changed, *lines[number + 1 :]])


def _yaml_changed(data: bytes, chance: random.Random) -> bytes | None:
    if len(data) > 50_000:
        return None
    try:
        whole = yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return yaml.safe_dump(retyped(whole, chance), allow_unicode=chance.random() < 0.5).encode(
            "utf-8", "surrogatepass"
        )
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def retyped(whole: object, chance: random.Random) -> object:
    """Return JSON values with one of them replaced, removed, nested deeply, or under another key."""
    if isinstance(whole, dict) and whole and chance.random() < 0.9:
        key = chance.choice(sorted(whole, key=str))
        if chance.random() < 0.6:
            return {**whole, key: retyped(whole[key], chance)}
        rest = {name: value for name, value in whole.items() if name != key}
        return chance.choice((rest, {**rest, chance.choice(NASTY_TEXTS): whole[key]}, {**whole, "zz": whole[key]}))
    if isinstance(whole, list) and whole and chance.random() < 0.9:
        at = chance.randrange(len(whole))
        if chance.random() < 0.8:
            return [*whole[:at], retyped(whole[at], chance), *whole[at + 1 :]]
        return chance.choice((whole[:at], whole + whole, [whole]))
    if chance.random() < 0.05:
        for _ in range(300):
            whole = [whole]
        return whole
    return chance.choice(NASTY_VALUES)


_WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _cut, _flip, _insert, _remove, _repeat, _whole, _number, _number, structure, structure, structure, structure,
)  # fmt: skip
