"""TOML files as typed structs, and back.

read_toml(Path("exercises/normalization/rms_norm.toml"), Sheet)
    Sheet(...), or ContentError("...: en: unknown key `hnts`; did you mean `hints`?")
as_toml(sheet)
    source = "https://arxiv.org/abs/1910.07467"
    ...
"""

import difflib
import json
import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from functools import reduce
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import Struct, ValidationError, convert
from msgspec.structs import fields

from clozekit.errors import ContentError, NotFound
from clozekit.report import MeterName

T = TypeVar("T")


def read_toml(path: Path, type: type[T]) -> T:
    """A TOML file as a typed struct; every error names the file, the key and the fix."""
    try:
        data = tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise NotFound(f"{path} does not exist") from None
    except UnicodeDecodeError as error:
        raise ContentError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except (ValueError, RecursionError) as error:  # TOMLDecodeError; a number of thousands of digits
        raise ContentError(f"{path}: not TOML: {error}") from None
    try:
        return convert(data, type)
    except ValidationError as error:
        raise ContentError(f"{path}: {_complaint(error, data, type)}") from None


def _complaint(error: ValidationError, data: dict[str, Any], type: Any) -> str:
    """A validation error with its key and the fix: "en: unknown key `hnts`; did you mean `hints`?"."""
    if found := re.search(r"'(.*)' - at `key` in `\$\.(.*)`", str(error)):
        return f"{found[2]}: there is no meter `{found[1]}`, only {', '.join(get_args(MeterName))}"
    problem, _, path = str(error).partition(" - at `$")
    where: list[str] = []
    for step in re.findall(r"[^.\[\]`]+|\.\.\.", path):
        if step == "...":  # msgspec does not say which key of a table it is
            step = next((key for key in _get(data, where) if _is_guilty(key, where, error, data, type)), "?")
        where.append(step)
    prefix = f"{'.'.join(where)}: " if where else ""
    if found := re.search(r"missing required field `(.*)`", problem):
        return f"{prefix}the key `{found[1]}` is missing; add it"
    if problem.startswith("Invalid enum value"):
        wanted = reduce(_inside, where, type)
        if get_origin(wanted) is Literal:
            return f"{prefix}{problem[:1].lower()}{problem[1:]}; write {' or '.join(map(json.dumps, get_args(wanted)))}"
    if found := re.search(r"unknown field `(.*)`", problem):
        known = [each.encode_name for each in fields(reduce(_inside, where, type))]
        near = difflib.get_close_matches(found[1], known, 1)
        return f"{prefix}unknown key `{found[1]}`; {f'did you mean `{near[0]}`?' if near else 'delete it'}"
    return f"{prefix}{problem[:1].lower()}{problem[1:]}"


def _get(data: Any, where: list[str]) -> Any:
    for step in where:
        data = data[int(step) if isinstance(data, list) else step]
    return data


def _is_guilty(key: str, where: list[str], error: ValidationError, data: dict[str, Any], type: Any) -> bool:
    """Whether the same error comes if every key of the table at `where` has the value of this one."""
    data = deepcopy(data)
    table = _get(data, where)
    table.update(dict.fromkeys(table, table[key]))
    try:
        convert(data, type)
    except ValidationError as again:
        return str(again) == str(error)
    return False


def _inside(type: Any, step: str) -> Any:
    """The type of what stands under one key of this type, or at one place of a list."""
    if args := get_args(type):
        return args[-1]
    return next(each.type for each in fields(type) if each.encode_name == step)


def as_toml(whole: Struct) -> str:
    """A struct as TOML: its own keys first, then its tables."""
    return "\n\n".join(_tables(msgspec.to_builtins(whole), "", "")) + "\n"


def _tables(table: dict[str, Any], path: str, head: str) -> Iterator[str]:
    inner = {key: value for key, value in table.items() if isinstance(value, dict) or _is_tables(value)}
    own = [f"{_key(key)} = {_literal(value)}" for key, value in table.items() if key not in inner]
    if own or not inner:
        yield "\n".join([*([head] if head else []), *own])
    for key, value in inner.items():
        name = f"{path}.{_key(key)}".lstrip(".")
        if isinstance(value, dict):
            yield from _tables(value, name, f"[{name}]")
        for each in value if isinstance(value, list) else ():
            yield from _tables(each, name, f"[[{name}]]")


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _literal(key)


def _literal(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, str):  # a JSON string is one of TOML, but for DEL
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower()  # true, false, and numbers
