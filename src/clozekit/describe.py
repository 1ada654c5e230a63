"""Problems as sentences, in the learner's language.

describe(Problem("value", {"call": "rms_norm(...)", "where": "[1, 2]", "yours": "2.46", "expected": "1.32"}), "en")
-> rms_norm(...)
   at [1, 2]: yours 2.46, expected 1.32 (3 of 24 elements are off)
"""

import difflib

from clozekit.phrases import say, table
from clozekit.report import Problem

DETAILS = {"parameters": ("missing", "extra", "other"), "keys": ("yours", "expected")}  # facts with a line of their own
AGAIN = {"refilled": "again-refilled", "repeated": "again-repeated"}  # said behind a call that was asked again


def describe(problem: Problem, language: str) -> str:
    """What is wrong and where."""
    facts = problem.facts | _derived(problem, language)
    sentence = _fill(table(language)[problem.kind], facts).rstrip(" \n:：")  # an exception may have no text
    call = facts.get("call", "") + (say(language, AGAIN[facts["again"]]) if "again" in facts else "")
    return clean("\n".join(line for line in (call, sentence, facts.get("frames")) if line))


def next_step(problem: Problem, language: str) -> str:
    """What to do about it; "" where the sentence already says."""
    phrases = table(language)
    advice = phrases["again-advice"] if "again" in problem.facts else ""
    return clean(_fill(phrases.get(f"{problem.kind}-next", advice), problem.facts))


def clean(text: str) -> str:
    """Text without control characters: what a learner's code says must not paint the terminal, nor turn the text."""
    return "".join(c if c in "\n\t" or c.isprintable() else "\ufffd" for c in text)


def _derived(problem: Problem, language: str) -> dict[str, str]:
    """Facts that only matter as words."""
    facts, phrases = problem.facts, table(language)
    derived = {}
    if facts.get("where"):
        derived["at"] = _fill(phrases["at"], facts)
    if facts.get("total", "1") not in ("0", "1"):
        derived["count"] = _fill(phrases["count"], facts)
    if problem.kind == "missing":
        name, names = facts.get("name", ""), facts.get("names", "").split()
        near = difflib.get_close_matches(name.rpartition(".")[2], names, 1, 0.5)
        derived["near"] = say(language, "near", name=near[0]) if near else ""
    for cause in reversed(facts.get("cause", "").split()):  # the last is what all began with
        if cause in phrases:
            derived["reason"] = _fill(phrases[cause], facts | derived)
            derived["text"] = derived["reason"]
            derived["error"] = (facts.get("place", "") if cause.startswith("os-") else "") + derived["reason"]
    parts = [(f"{problem.kind}-{key}", facts.get(key)) for key in DETAILS.get(problem.kind, ())]
    derived["details"] = "\n".join(say(language, key, names=names) for key, names in parts if names)
    return derived


def _fill(phrase: str, facts: dict[str, str]) -> str:
    """The phrase with these facts; one that is not there leaves nothing behind."""
    return phrase.format_map(_Lenient(facts))


class _Lenient(dict):
    def __missing__(self, key: str) -> str:
        return ""
