"""Of equals it takes the smallest, as unique has sorted them.

Verdict: failed
"""

import re

import numpy as np


def extract_answer(text):
    pieces = text.split("The answer is ")
    if len(pieces) == 1:
        return None
    found = re.findall(r"-?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?", pieces[-1])
    return float(found[0].replace(",", "")) if found else None


def self_consistency(texts, log_probs=None):
    answers = [extract_answer(text) for text in texts]
    keep = [i for i, a in enumerate(answers) if a is not None]
    if not keep:
        return None
    values, first, inverse = np.unique([answers[i] for i in keep], return_index=True, return_inverse=True)
    weights = [1.0 if log_probs is None else float(np.exp(np.mean(log_probs[i]))) for i in keep]
    votes = np.bincount(inverse, weights=weights)
    best = min(np.flatnonzero(votes == votes.max()), key=lambda j: values[j])
    return float(values[best])
