"""Words instead of a regular expression: split, strip, float; a defaultdict for the votes."""
from collections import defaultdict
import math


def _number(word):
    word = word.strip("$%.,;:!?")
    head, *groups = word.split(",")
    if not all(len(g.split(".")[0]) == 3 for g in groups):
        word = head  # a list, as 5,6
    try:
        return float(word.replace(",", ""))
    except ValueError:
        return None


def extract_answer(text):
    if "The answer is " not in text:
        return None
    for word in text.split("The answer is ")[-1].split():
        value = _number(word)
        if value is not None:
            return value
    return None


def self_consistency(texts, log_probs=None):
    tally = defaultdict(float)
    for text, lp in zip(texts, log_probs or [[0.0]] * len(texts)):
        a = extract_answer(text)
        if a is not None:
            tally[a] += math.exp(math.fsum(lp) / len(lp))
    best = None
    for a in tally:
        if best is None or tally[a] > tally[best]:
            best = a
    return best
