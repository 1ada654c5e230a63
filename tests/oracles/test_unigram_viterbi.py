"""tokenization/unigram_viterbi against the model of tokenizers and, for EM, against the gradient of log P(T).

The trainers of tokenizers and sentencepiece are no oracles for EM: both drop what is expected less than half a time, and
take digamma(c) - digamma(sum of c) in place of the logarithm. The derivative of log P(T) by logp[v] is c(v), though.
"""

import math

import pytest
import torch
from tokenizers.models import Unigram

from clozekit.grading import corpus


def model(logp):
    return Unigram([("<unk>", -100.0), *logp.items()], unk_id=0, byte_fallback=False)


@pytest.mark.parametrize("text", [corpus.ENGLISH, corpus.CHINESE], ids=["English", "Chinese"])
def test_texts_are_cut_alike(kit, text):
    solution, grader = kit("tokenization/unigram_viterbi")
    logp = grader.logp(text)
    for start in range(0, len(text), 60):
        part = text[start : start + 60]
        assert solution.viterbi(part, logp) == [token.value for token in model(logp).tokenize(part)]
        assert solution.viterbi(part, logp) == grader.most_probable(part, logp)


def test_the_cases_are_cut_alike(kit):
    """Where no pieces make the text, the library falls back on <unk>; here the result is None."""
    solution, grader = kit("tokenization/unigram_viterbi")
    for text, pieces in grader.TEXTS.values():
        logp = grader.logp_of(pieces)
        if (found := solution.viterbi(text, logp)) is not None and text:
            assert found == [token.value for token in model(logp).tokenize(text)]


@pytest.mark.parametrize("text", [corpus.ENGLISH[:300], corpus.CHINESE], ids=["English", "Chinese"])
def test_expected_counts_are_gradients(kit, text):
    solution, grader = kit("tokenization/unigram_viterbi")
    logp = grader.logp(text)
    weights = torch.tensor(list(logp.values()), dtype=torch.float64, requires_grad=True)
    index = {piece: i for i, piece in enumerate(logp)}
    sums = [torch.zeros((), dtype=torch.float64)]
    for end in range(1, len(text) + 1):
        begins = [begin for begin in range(max(0, end - 9), end) if text[begin:end] in logp]
        sums.append(
            torch.logsumexp(torch.stack([sums[begin] + weights[index[text[begin:end]]] for begin in begins]), 0)
        )
    sums[-1].backward()
    total = weights.grad.sum().item()
    found = solution.em_step({text: 1}, logp)
    for piece, value in found.items():
        assert math.isclose(value, math.log(weights.grad[index[piece]].item() / total), rel_tol=1e-9)
        assert math.isclose(value, grader.expected({text: 1}, logp)[piece], rel_tol=1e-9)
    assert found.keys() == {piece for piece, i in index.items() if weights.grad[i] > 0}


def test_em_raises_the_likelihood(kit):
    solution, grader = kit("tokenization/unigram_viterbi")
    text = corpus.ENGLISH[:300]
    logp, best = grader.logp(corpus.ENGLISH), -math.inf
    for _ in range(4):
        logp = solution.em_step({text: 1}, logp)
        spans = solution.occurrences(text, logp)
        before = [0.0] + [-math.inf] * len(text)
        for begin, end in spans:
            before[end] = solution.log_add(before[end], before[begin] + logp[text[begin:end]])
        assert before[-1] > best
        best = before[-1]
