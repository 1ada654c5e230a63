"""Write docs/tracks/, a page for each track in both languages and their index:    python docs/make_tracks.py

Of a track, words.toml beside them says why its exercises stand in this order, and which questions they answer; all else is
taken from exercises/, so that a page cannot name a paper that its exercise does not.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clozekit.catalog import Catalog, Track, builtin_root, contents
from clozekit.phrases import LANGUAGES

HOME = Path(__file__).with_name("tracks")
SUFFIX = {"en": ".md", "zh": ".zh.md"}
SAY = {
    "en": {
        "exercises": "Exercises, in order",
        "head": "| exercise | difficulty | minutes | after | source |",
        "questions": "Questions, and what answers them",
        "other": "[中文]({name}.zh.md)",
        "minutes": "{count} exercises, about {hours:.0f} hours for someone who has understood them and writes them from scratch. "
        "`cloze start`, or `cloze init DIR --track {name}`.",
    },
    "zh": {
        "exercises": "练习，按学习顺序",
        "head": "| 练习 | 难度 | 分钟 | 先修 | 出处 |",
        "questions": "面试问题与对应的练习",
        "other": "[English]({name}.md)",
        "minutes": "共 {count} 题；理解之后从零写出，约需 {hours:.0f} 小时。`cloze start`，或 `cloze init DIR --track {name}`。",
    },
}


def documents() -> dict[str, str]:
    """What docs/tracks/ holds: file names with their texts."""
    catalog, words = Catalog([builtin_root()]), tomllib.loads((HOME / "words.toml").read_text("utf-8"))
    tracks = [track for track in contents(builtin_root()).track if track.name in words]
    found = {
        f"{track.name}{SUFFIX[language]}": "\n".join(page(track, words[track.name], catalog, language)) + "\n"
        for track in tracks
        for language in LANGUAGES
    }
    lines = [
        "# Tracks",
        "",
        "Why in this order, which paper, which question. Written by `python docs/make_tracks.py`.",
        "",
    ]
    links = [f"[{track.title.en}]({track.name}.md) [{track.title.zh}]({track.name}.zh.md)" for track in tracks]
    return found | {"README.md": "\n".join([*lines, *(f"- {link}" for link in links)]) + "\n"}


def page(track: Track, words: dict[str, Any], catalog: Catalog, language: str) -> Iterator[str]:
    say = SAY[language]
    hours = sum(place.minutes for place in track.exercises.values()) / 60
    yield f"# {track.title.text(language)}"
    yield ""
    yield say["other"].format(name=track.name)
    yield ""
    yield words[language].strip()
    yield ""
    yield say["minutes"].format(count=len(track.exercises), hours=hours, name=track.name)
    yield ""
    yield f"## {say['exercises']}"
    yield ""
    yield say["head"]
    yield "| --- | --- | --- | --- | --- |"
    for name, place in track.exercises.items():
        exercise = catalog[f"{track.name}/{name}"]
        cells = (
            f"{exercise.words(language).title}<br>`{exercise.id}`",
            "★" * place.difficulty,
            str(place.minutes),
            ", ".join(f"`{id}`" for id in place.after),
            linked(exercise.sheet.source),
        )
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield f"## {say['questions']}"
    yield ""
    for question in words["questions"]:
        answers = ", ".join(f"`{catalog[id].id}`" for id in question["ids"])
        yield f"- {question[language]}<br>{answers}"


def linked(source: str) -> str:
    """A source with its papers as links."""
    return re.sub(r"arXiv:(\d{4}\.\d{5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", source)


def main() -> None:
    made = documents()
    for stray in {path.name for path in HOME.glob("*.md")} - made.keys():
        (HOME / stray).unlink()
    for name, text in made.items():
        (HOME / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
