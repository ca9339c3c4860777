"""Convert a composed YAML document to typed records, strictly: the type is the schema.

For files that are plain data (rounds, systems). A mismatch is a ProfileError with file, line, key path and the nearest
valid spelling, as everywhere in a profile.
"""

from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin

import msgspec

from engine.errors import nearest
from engine.profile.document import Value

T = TypeVar("T")


def build(value: Value, kind: type[T]) -> T:
    """Return `value` as `kind`: a msgspec struct, made of structs, dictionaries, tuples, literals and scalars.

    A field's name in YAML is its `rename` in the struct. Raises ProfileError: a key is unknown, missing or duplicate; a
    value is of another type, out of range, or no member of its literal.
    """
    return cast("T", _build(value, kind))


def _build(value: Value, kind: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct(value, kind)
    if origin in (Union, UnionType) and NoneType in arguments:
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return None if value.plain() is None else _build(value, inner)
    if origin is dict:
        return {_key(inner, key, arguments[0]): _build(inner, arguments[1]) for key, inner in value.items()}
    if origin is tuple:
        return tuple(_build(inner, arguments[0]) for inner in value)
    if origin is Literal:
        return _member(value, value.plain(), arguments)
    return _scalar(value, kind)


def _struct(value: Value, kind: type[msgspec.Struct]) -> msgspec.Struct:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    keys = value.section(fields, required=[name for name, field in fields.items() if field.required])
    return kind(**{fields[name].name: _build(inner, fields[name].type) for name, inner in keys.items()})


def _key(value: Value, key: str, kind: Any) -> str:
    return str(_member(value, key, get_args(kind))) if get_origin(kind) is Literal else key


def _member(value: Value, found: Any, allowed: tuple[Any, ...]) -> Any:
    if found not in allowed:
        raise value.wrong(f"'{found}' is not allowed here", nearest(str(found), map(str, allowed)))
    return found


def _scalar(value: Value, kind: Any) -> Any:
    plain = value.plain()
    try:
        return msgspec.convert(plain, kind, strict=True)
    except msgspec.ValidationError as error:
        remedy = "put it in quotes" if kind is str else "write a value of that type"
        raise value.wrong(f"{str(error).replace('`', '')} ({plain!r})", remedy) from None
