"""Patterns with named groups, weights as torch tensors, the options in the order of their first vote."""
import re
import torch

NUMBER = re.compile(r".*The answer is (?P<rest>.*)", re.DOTALL)
DIGITS = re.compile(r"(-?)(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?")


def extract_answer(text):
    m = NUMBER.match(text)
    if m is None:
        return None
    n = DIGITS.search(m["rest"])
    return None if n is None else float("".join(p or "" for p in n.groups()).replace(",", ""))


def self_consistency(texts, log_probs=None):
    got = [extract_answer(t) for t in texts]
    w = torch.ones(len(texts), dtype=torch.float64) if log_probs is None else torch.stack([torch.tensor(r, dtype=torch.float64).mean().exp() for r in log_probs])
    options = list(dict.fromkeys(a for a in got if a is not None))
    if not options:
        return None
    sums = [sum(w[i].item() for i, a in enumerate(got) if a == o) for o in options]
    return options[sums.index(max(sums))]
