"""Self-consistency

Several chains of thought are sampled for one question, and their final answers a_1, …, a_m
vote. The paths of reasoning differ; the answer that most of them reach wins:

    answer = argmax_a Σ_i w_i · 1[a_i = a]

w_i = 1 is the majority vote. Where log-probabilities are given, the vote of text i weighs
as much as its tokens are probable, the length normalised:

    w_i = exp( (1/K) Σ_k log p(t_k) )        t_1, …, t_K the tokens of text i

extract_answer(text)
    The first number after the last "The answer is " in text, as a float; None if there is
    none. A number is an optional minus, digits, optionally with a comma before every three
    of them, and optionally a point with digits behind it: "-3", "1,250,000", "0.50". What
    stands before, between or behind ("$", "about", "%", a full stop) does not matter.

self_consistency(texts, log_probs=None)
    texts      list of str, 1 or more: the samples, in order, each of any number of lines
    log_probs  None, or for each text the list of the log-probabilities of its tokens, 1 or
               more, in a long text a thousand
    result     the answer, a float; None if no text has one

Answers are equal if they are the same number: 18, 18.0 and "18" agree. A text without an
answer has no vote. Of answers with the same number of votes the one wins that a text gave
first; weighted votes of different answers are never equal.

Source: Wang et al. 2022, Self-Consistency Improves Chain of Thought Reasoning, arXiv:2203.11171, §2, eq. 1
"""

import math
import re


def extract_answer(text: str) -> float | None:
    """The number that follows the last "The answer is " of a text; None if there is none."""
    # TODO (3 lines): return the first number after the last "The answer is ", or None
    raise NotImplementedError("extract")


def self_consistency(texts: list[str], log_probs: list[list[float]] | None = None) -> float | None:
    """Sampled texts, and the log-probabilities of each one's tokens -> the answer that most of them agree on."""
    votes: dict[float, float] = {}
    for i, text in enumerate(texts):
        answer = extract_answer(text)
        # TODO (1 line): `weight`, a float: what the vote of text i counts
        raise NotImplementedError("weight")
        # TODO (2 lines): give the weight to `answer` in `votes`; a text without an answer has no vote
        raise NotImplementedError("count")
    # TODO (1 line): return the answer with most votes, the earliest of equals; None without votes
    raise NotImplementedError("choose")
