import random

import pytest
import torch

from clozekit.grading import mistake, reference

MODES = "mixture", "product"

# The shape of the logits, weights. Each model has its own shift, which says nothing.
CASES = {
    "two models, mixture": ((2, 7), (0.3, 0.7)),
    "two models, product": ((2, 7), (0.3, 0.7)),
    "three models and a batch, mixture": ((3, 2, 5), (0.5, 0.2, 0.3)),
    "three models and a batch, product": ((3, 2, 5), (0.5, 1.2, 0.8)),
    "one model, mixture": ((1, 6), (1.0,)),
    "one model, product": ((1, 6), (2.5,)),
    "a vocabulary of one, product": ((3, 1), (0.5, 1.0, 1.5)),
    "weights of one, product": ((2, 4, 6), (1.0, 1.0)),
    "a weight of zero, mixture": ((3, 7), (0.4, 0.0, 0.6)),
    "a weight of zero, product": ((3, 7), (0.0, 1.5, 0.5)),
}


def draw(shape, spread=2.0):
    """Logits [models, …, vocab]."""
    shifts = 5 * torch.randn(shape[0], *[1] * (len(shape) - 1))
    return spread * torch.randn(shape) + shifts


def ask(check, logits, weights, mode, **options):
    check("ensemble_log_probs", logits, torch.tensor(weights), mode, **options)


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    shape, weights = CASES[case]
    ask(check, draw(shape), weights, case.rpartition(" ")[2], once=True)


@pytest.mark.parametrize("mode", MODES)
def test_far_below(check, mode):
    logits = draw((2, 6))
    logits[:, 1] -= 150
    logits[0, 3] -= 400
    ask(check, logits, (0.4, 0.6), mode, once=True)


@pytest.mark.parametrize("mode", MODES)
def test_impossible_tokens(check, mode):
    """Token 0 for all models, token 1 for one of them, which has a tiny weight."""
    logits = draw((2, 3, 6))
    logits[..., 0] = -torch.inf
    logits[0, :, 1] = -torch.inf
    ask(check, logits, (2**-20, 1 - 2**-20), mode, once=True)


@pytest.mark.parametrize("mode", MODES)
def test_a_model_without_a_say_that_finds_tokens_impossible(check, mode):
    """Nor does it matter that it finds a token likely that is far below for the others."""
    logits = draw((3, 6))
    logits[1, 2:4] = -torch.inf
    logits[::2, 5] -= 150
    ask(check, logits, (0.25, 0.0, 0.75), mode, once=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision(check, dtype, mode):
    """Two models that contradict each other: in their product large logarithms cancel."""
    logits, weights = 20 * torch.randn(2, 9), (0.4, 0.6)
    other = torch.randn(2, 9) - logits * weights[0] / weights[1]
    ask(check, torch.stack([logits, other]).to(dtype), weights, mode, dtype=None, once=True)


def test_non_contiguous_logits(check):
    ask(check, draw((2, 7, 3)).transpose(1, 2), (0.25, 0.75), "mixture", once=True)


@pytest.mark.parametrize("mode", MODES)
def test_gradients(check, mode):
    ask(check, draw((3, 2, 5)), (0.5, 0.2, 0.3), mode, gradients=True, once=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two calls are of the same sizes."""
    many = random.randint(9, 12), random.randint(33, 40), random.randint(5, 9)
    wide = random.randint(2, 4), random.randint(3000, 5000)
    for shape, mode in ((many, "product"), (wide, "mixture"), (many, "mixture"), (wide, "product")):
        weights = torch.rand(shape[0]) + 0.1
        weights[random.randrange(1, shape[0])] = 0.0
        logits = draw(shape)
        logits[random.randrange(shape[0]), ..., random.randrange(shape[-1])] = -torch.inf
        ask(check, logits, (weights / weights.sum()).tolist(), mode, once=True)


@reference("ensemble_log_probs", compute=torch.float32)
def definition(logits, weights, mode):
    """One model after the other; float64 holds what float32 does not, up to e^-700."""
    total = None
    for model, weight in zip(logits, weights, strict=True):
        if weight > 0:
            log_p = torch.log_softmax(model, dim=-1)
            part = weight.log() + log_p if mode == "mixture" else weight * log_p
            add = torch.logaddexp if mode == "mixture" else torch.add
            total = part if total is None else add(total, part)
    return total if mode == "mixture" else torch.log_softmax(total, dim=-1)


@mistake(blank="mixture")
def mixes_logits(log_probs, weights):
    result = torch.log_softmax((weights * log_probs).sum(dim=0), dim=-1)


@mistake("ensemble_log_probs")
def mixes_raw_logits(logits, weights, mode):
    counts = weights > 0
    weights, kept = weights[counts].reshape(-1, *[1] * (logits.ndim - 1)), logits.float()[counts]
    result = torch.logsumexp(weights.log() + kept, dim=0) if mode == "mixture" else (weights * kept).sum(dim=0)
    return torch.log_softmax(result, dim=-1).to(logits.dtype)


@mistake(blank="mixture")
def adds_log_probs(log_probs, weights):
    result = (weights * log_probs).sum(dim=0)


@mistake(blank="mixture")
def underflows(log_probs, weights):
    result = (weights * log_probs.exp()).sum(dim=0).log()


@mistake("ensemble_log_probs")
def underflows_in_both_modes(logits, weights, mode):
    probs = torch.softmax(logits.float(), dim=-1)
    weights = weights.reshape(-1, *[1] * (logits.ndim - 1))
    product = (probs**weights).prod(dim=0)
    p = (weights * probs).sum(dim=0) if mode == "mixture" else product / product.sum(dim=-1, keepdim=True)
    return p.log().to(logits.dtype)


@mistake(blank="mixture")
def ignores_weights_in_the_mixture(log_probs):
    result = torch.logsumexp(log_probs, dim=0) - torch.tensor(float(len(log_probs))).log()


@mistake(blank="mixture")
def normalises_the_mixture(log_probs, weights):
    result = torch.log_softmax(torch.logsumexp(weights.log() + log_probs, dim=0), dim=-1)


@mistake(blank="mixture")
def adds_weights_to_log_probs(log_probs, weights):
    result = torch.logsumexp(weights + log_probs, dim=0)


@mistake(blank="product")
def ignores_weights_in_the_product(log_probs):
    result = torch.log_softmax(log_probs.sum(dim=0), dim=-1)


@mistake(blank="product")
def divides_by_the_weights(log_probs, weights):
    result = torch.log_softmax((weights / weights.sum() * log_probs).sum(dim=0), dim=-1)


@mistake(blank="product")
def forgets_to_normalise(log_probs, weights):
    result = (weights * log_probs).sum(dim=0)


@mistake(blank="product")
def normalises_over_the_batch(log_probs, weights):
    result = (weights * log_probs).sum(dim=0)
    result = result - result.flatten().logsumexp(dim=0)


@mistake(blank="align")
def zero_times_infinity(weights, logits):
    weights = weights.reshape(-1, *[1] * (logits.ndim - 1))


@mistake(blank="align")
def lifts_weights_of_zero(weights, logits):
    weights = weights.clamp(min=1e-10).reshape(-1, *[1] * (logits.ndim - 1))


@mistake(blank="log_probs")
def impossible_is_nearly_impossible(logits):
    log_probs = torch.log_softmax(logits.float(), dim=-1).clamp(min=-1e4)


@mistake(blank="log_probs")
def softmax_over_the_models(logits):
    log_probs = torch.log_softmax(logits.float(), dim=0)


@mistake("ensemble_log_probs")
def modes_exchanged(logits, weights, mode):
    log_probs = torch.log_softmax(logits.float(), dim=-1)
    counts = weights > 0
    log_probs, weights = log_probs[counts], weights[counts].reshape(-1, *[1] * (logits.ndim - 1))
    if mode == "product":
        result = torch.logsumexp(weights.log() + log_probs, dim=0)
    else:
        result = torch.log_softmax((weights * log_probs).sum(dim=0), dim=-1)
    return result.to(logits.dtype)


@mistake("ensemble_log_probs")
def returns_probabilities(logits, weights, mode):
    log_probs = torch.log_softmax(logits.float(), dim=-1)
    counts = weights > 0
    log_probs, weights = log_probs[counts], weights[counts].reshape(-1, *[1] * (logits.ndim - 1))
    if mode == "mixture":
        result = (weights * log_probs.exp()).sum(dim=0)
    else:
        result = torch.softmax((weights * log_probs).sum(dim=0), dim=-1)
    return result.to(logits.dtype)


@mistake(blank="log_probs", rounding=True)
def computes_in_half(logits):
    log_probs = torch.log_softmax(logits, dim=-1).to(logits.dtype)
