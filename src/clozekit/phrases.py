"""What the kit says, in English and Chinese: phrases/en.toml and phrases/zh.toml, the same keys in both.

say("en", "shape", where="loss", yours="[2]", expected="[]")
"""

import tomllib
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "zh")


@cache
def table(language: str) -> dict[str, str]:
    """Every phrase of one language."""
    return tomllib.loads(Path(__file__).with_name("phrases").joinpath(f"{language}.toml").read_text("utf-8"))


def say(language: str, key: str, **facts: object) -> str:
    """The phrase `key` with its fields filled in; without facts it is returned as it stands, fields and all."""
    phrase = table(language)[key]
    return phrase.format(**facts) if facts else phrase
