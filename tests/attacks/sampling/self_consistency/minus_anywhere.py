"""Takes any hyphen before the digits for the minus.

Verdict: failed, value
"""

import math
import re


def extract_answer(text):
    _, found, rest = text.rpartition("The answer is ")
    number = re.search(r"\d+(?:,\d{3})*(?:\.\d+)?", rest) if found else None
    if not number:
        return None
    value = float(number[0].replace(",", ""))
    return -value if "-" in rest[: number.start()] else value


def self_consistency(texts, log_probs=None):
    votes = {}
    for i, text in enumerate(texts):
        answer = extract_answer(text)
        if answer is not None:
            weight = 1.0 if log_probs is None else math.exp(sum(log_probs[i]) / len(log_probs[i]))
            votes[answer] = votes.get(answer, 0.0) + weight
    return max(votes, key=votes.get) if votes else None
