"""Mixtures beside torch.distributions, products beside the probabilities themselves, multiplied in float64."""

import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily

WEIGHTS = {"mixture": (0.25, 0.125, 0.625), "product": (0.5, 1.75, 1.0)}


def mixture(logits, weights):
    """log p of every token by the library's mixture of one categorical distribution for each model."""
    models, *batch, vocab = logits.shape
    experts = Categorical(logits=logits.movedim(0, -2))  # [..., models]
    ensemble = MixtureSameFamily(Categorical(weights.expand(*batch, models)), experts)
    tokens = torch.arange(vocab).view(-1, *[1] * len(batch)).expand(vocab, *batch)
    return ensemble.log_prob(tokens).movedim(0, -1)


def product(logits, weights):
    powers = torch.softmax(logits, dim=-1) ** weights.view(-1, *[1] * (logits.ndim - 1))
    return Categorical(probs=powers.prod(dim=0)).probs.log()


ORACLES = {"mixture": mixture, "product": product}


@pytest.mark.parametrize("mode", ORACLES)
@pytest.mark.parametrize("shape", [(3, 7), (3, 4, 11)], ids=str)
def test_solution_and_reference_agree_with_the_library(kit, mode, shape):
    solution, grader = kit("sampling/ensemble_decoding")
    logits, weights = grader.draw(shape), torch.tensor(WEIGHTS[mode])
    expected = ORACLES[mode](logits.double(), weights.double())
    torch.testing.assert_close(grader.definition(logits.double(), weights.double(), mode), expected)
    torch.testing.assert_close(solution.ensemble_log_probs(logits, weights, mode), expected.float())


@pytest.mark.parametrize("mode", ORACLES)
def test_a_weight_of_zero_is_a_model_left_out(kit, mode):
    """The library has no such rule: 0 times -inf is NaN there. It is asked about the models that have a say."""
    solution, grader = kit("sampling/ensemble_decoding")
    logits, (first, second) = grader.draw((3, 6)), (0.375, 0.625)
    logits[1, 2] = -torch.inf
    expected = ORACLES[mode](logits[[0, 2]].double(), torch.tensor((first, second)).double())
    weights = torch.tensor((first, 0.0, second))
    torch.testing.assert_close(grader.definition(logits.double(), weights.double(), mode), expected)
    torch.testing.assert_close(solution.ensemble_log_probs(logits, weights, mode), expected.float())
