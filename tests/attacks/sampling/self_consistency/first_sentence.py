"""Reads the sentence of the statement alone.

Verdict: failed, type
"""

import math
import re


def extract_answer(text):
    _, found, rest = text.rpartition("The answer is ")
    number = re.search(r"-?\d+(?:,\d{3})*(?:\.\d+)?", rest.split(". ")[0]) if found else None
    return float(number[0].replace(",", "")) if number else None


def self_consistency(texts, log_probs=None):
    votes = {}
    for i, text in enumerate(texts):
        answer = extract_answer(text)
        if answer is not None:
            weight = 1.0 if log_probs is None else math.exp(sum(log_probs[i]) / len(log_probs[i]))
            votes[answer] = votes.get(answer, 0.0) + weight
    return max(votes, key=votes.get) if votes else None
