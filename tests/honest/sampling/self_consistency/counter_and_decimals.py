"""A Counter for the votes, Decimal for the numbers, itertools for the digits; no regular expression."""
from collections import Counter
from decimal import Decimal
from math import exp
from statistics import fmean

PHRASE = "The answer is "


def extract_answer(text):
    place = text.rfind(PHRASE)
    if place < 0:
        return None
    tail = text[place + len(PHRASE) :]
    for start, c in enumerate(tail):
        if c in "0123456789":
            break
    else:
        return None
    end = start
    while end < len(tail) and tail[end] in "0123456789":
        end += 1
    digits = tail[start:end]
    while tail[end : end + 1] == "," and tail[end + 1 : end + 4].isdecimal() and len(tail[end + 1 : end + 4]) == 3:
        digits += tail[end + 1 : end + 4]
        end += 4
    if tail[end : end + 1] == "." and tail[end + 1 : end + 2].isdecimal():
        digits += "."
        end += 1
        while tail[end : end + 1].isdecimal():
            digits += tail[end]
            end += 1
    sign = "-" if start and tail[start - 1] == "-" else ""
    return float(Decimal(sign + digits))


def self_consistency(texts, log_probs=None):
    answers = list(map(extract_answer, texts))
    if log_probs is None:
        votes = Counter(a for a in answers if a is not None)
        return votes.most_common(1)[0][0] if votes else None
    totals = Counter()
    for answer, row in zip(answers, log_probs, strict=True):
        if answer is not None:
            totals[answer] += exp(fmean(row))
    return max(totals, key=totals.get, default=None)
