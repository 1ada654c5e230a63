"""Problems as sentences, in the learner's language.

describe(Problem("value", {"call": "rms_norm(...)", "where": "[1, 2]", "yours": "2.46", "expected": "1.32"}), "en")
-> rms_norm(...)
   at [1, 2]: yours 2.46, expected 1.32 (3 of 24 elements are off)
"""

import difflib

from clozekit.phrases import say, table
from clozekit.report import Problem


def describe(problem: Problem, language: str) -> str:
    """What is wrong and where."""
    facts = {key: value for key, value in problem.facts.items()}
    facts |= _derived(problem, language)
    lines = [facts["call"]] if facts.get("call") else []
    lines.append(_fill(table(language)[problem.kind], facts))
    if facts.get("frames"):
        lines.append(facts["frames"])
    return "\n".join(line for line in lines if line)


def next_step(problem: Problem, language: str) -> str:
    """What to do about it; "" where the sentence already says."""
    return _fill(table(language).get(f"{problem.kind}-next", ""), problem.facts)


def _derived(problem: Problem, language: str) -> dict[str, str]:
    """Facts that only matter as words."""
    facts, derived = problem.facts, {}
    if "where" in facts:
        derived["at"] = say(language, "at", where=facts["where"]) if facts["where"] else ""
    if int(facts.get("total", "1")) > 1:
        derived["count"] = say(language, "count", wrong=facts["wrong"], total=facts["total"])
    if problem.kind == "missing":
        near = difflib.get_close_matches(facts["name"].rpartition(".")[2], facts["names"].split(), 1, 0.5)
        derived["near"] = say(language, "near", name=near[0]) if near else ""
    if problem.kind == "parameters":
        parts = [
            say(language, f"parameters-{key}", names=facts[key])
            for key in ("missing", "extra", "other")
            if facts.get(key)
        ]
        derived["details"] = "\n".join(parts)
    return derived


def _fill(phrase: str, facts: dict[str, str]) -> str:
    return phrase.format_map(_Lenient(facts)).rstrip()


class _Lenient(dict):
    def __missing__(self, key: str) -> str:
        return ""
