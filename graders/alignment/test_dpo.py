import random
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from clozekit.grading import mistake, reference


class Result(NamedTuple):
    loss: Tensor
    chosen_rewards: Tensor
    rejected_rewards: Tensor


# batch, beta. The reference prefers one answer of a pair by tens of nats, so that leaving it out shows.
CASES = {
    "a batch": (6, 0.1),
    "one pair": (1, 0.1),
    "odd batch": (13, 0.3),
    "beta of one": (4, 1.0),
    "small beta": (5, 0.01),
}

# How much further the policy moved towards the chosen answer than towards the rejected one, in nats; beta.
EXTREMES = {
    "a thousand nats right and wrong": ((1e3, -1e3, 3.0, 0.0), 1.0),
    "ten thousand nats right": ((1e4, 1e4), 0.5),
    "ten thousand nats wrong": ((-1e4, 2.0), 0.5),
}


def draw(batch, moved=3.0):
    """Log-probabilities of whole answers: the reference's, and the policy's some nats away. Four times [batch]."""
    reference = -20 - 60 * torch.rand(2, batch)
    policy = reference + moved * torch.randn(2, batch)
    return *policy, *reference


def draw_apart(margins):
    """The policy moved away from the reference by half a margin each, towards one answer and from the other."""
    reference = -6e3 - 60 * torch.rand(2, len(margins))
    half = torch.tensor(margins) / 2
    return reference[0] + half, reference[1] - half, *reference


def check_gradients(check, policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    """Gradients of the policy only: a list has none, and a learner may detach the reference model's or not."""
    frozen = reference_chosen.tolist(), reference_rejected.tolist()
    given = policy_chosen, policy_rejected, reference_chosen, reference_rejected
    check("dpo_loss", *given, beta, like=(policy_chosen, policy_rejected, *frozen, beta), gradients=True)


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    batch, beta = CASES[case]
    check("dpo_loss", *draw(batch), beta)


@pytest.mark.parametrize("case", EXTREMES)
def test_far_apart(check, case):
    margins, beta = EXTREMES[case]
    check("dpo_loss", *draw_apart(margins), beta)


def test_the_policy_has_not_moved(check):
    _, _, *reference = draw(5)
    check("dpo_loss", *reference, *reference, 0.1)


def test_beta_is_a_tenth_by_default(check):
    check("dpo_loss", *draw(4))


def test_gradients(check):
    check_gradients(check, *draw(5), 0.3)


def test_gradients_far_apart(check):
    check_gradients(check, *draw_apart((1e3, -1e3, 3.0)), 1.0)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next; each input a column of a table."""
    check_gradients(check, *draw(random.randint(513, 600), moved=20), 10 ** random.uniform(-0.5, 0.5))
    again = random.randint(14, 64), 10 ** random.uniform(-6, -2)
    for batch, beta in (again, (random.randint(513, 600), 10 ** random.uniform(0.3, 3)), again):
        columns = torch.stack(draw(batch), dim=1).unbind(dim=1)
        check("dpo_loss", *columns, beta)


@reference("dpo_loss")
def definition(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    chosen = beta * (policy_chosen_logps - torch.as_tensor(reference_chosen_logps))
    rejected = beta * (policy_rejected_logps - torch.as_tensor(reference_rejected_logps))
    likelihood = torch.log_softmax(torch.stack([chosen, rejected]), dim=0)  # Bradley-Terry: of the chosen one, and not
    return Result(-likelihood[0].mean(), chosen.detach(), rejected.detach())


@mistake(blank="rewards")
def forgets_reference(beta, policy_chosen_logps, policy_rejected_logps):
    chosen = beta * policy_chosen_logps
    rejected = beta * policy_rejected_logps


@mistake(blank="rewards")
def reference_minus_policy(
    beta, policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps
):
    chosen = beta * (reference_chosen_logps - policy_chosen_logps)
    rejected = beta * (reference_rejected_logps - policy_rejected_logps)


@mistake(blank="rewards")
def ratio_of_models(beta, policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps):
    chosen = beta * (policy_chosen_logps - policy_rejected_logps)
    rejected = beta * (reference_chosen_logps - reference_rejected_logps)


@mistake(blank="rewards")
def divides_logarithms(
    beta, policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps
):
    chosen = beta * (policy_chosen_logps / reference_chosen_logps)
    rejected = beta * (policy_rejected_logps / reference_rejected_logps)


@mistake(blank="rewards")
def ratio_without_logarithm(
    beta, policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps
):
    chosen = beta * (policy_chosen_logps - reference_chosen_logps).exp()
    rejected = beta * (policy_rejected_logps - reference_rejected_logps).exp()


@mistake(blank="rewards")
def forgets_beta(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps):
    chosen = policy_chosen_logps - reference_chosen_logps
    rejected = policy_rejected_logps - reference_rejected_logps


@mistake(blank="rewards")
def divides_by_beta(beta, policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps):
    chosen = (policy_chosen_logps - reference_chosen_logps) / beta
    rejected = (policy_rejected_logps - reference_rejected_logps) / beta


@mistake(blank="result")
def rewards_without_beta(loss, chosen, rejected, beta):
    return loss, (chosen / beta).detach(), (rejected / beta).detach()


@mistake(blank="loss")
def beta_twice(chosen, rejected, beta, F):
    loss = -F.logsigmoid(beta * (chosen - rejected)).mean()


@mistake(blank="loss")
def beta_outside(chosen, rejected, beta, F):
    loss = -beta * F.logsigmoid((chosen - rejected) / beta).mean()


@mistake(blank="loss")
def swaps_the_answers(chosen, rejected, F):
    loss = -F.logsigmoid(rejected - chosen).mean()


@mistake(blank="loss")
def forgets_the_minus(chosen, rejected, F):
    loss = F.logsigmoid(chosen - rejected).mean()


@mistake(blank="loss")
def logarithm_of_sigmoid(chosen, rejected):
    loss = -(chosen - rejected).sigmoid().log().mean()


@mistake(blank="loss")
def sigmoid_and_a_little(chosen, rejected):
    loss = -((chosen - rejected).sigmoid() + 1e-8).log().mean()


@mistake(blank="loss")
def forgets_the_logarithm(chosen, rejected):
    loss = -(chosen - rejected).sigmoid().mean()


@mistake(blank="loss")
def each_answer_alone(chosen, rejected, F):
    loss = -(F.logsigmoid(chosen) + F.logsigmoid(-rejected)).mean()


@mistake(blank="loss")
def hinge(chosen, rejected):
    loss = (1 - (chosen - rejected)).relu().mean()


@mistake(blank="loss")
def identity_preference(chosen, rejected, beta):
    loss = ((chosen - rejected) / beta - 1 / (2 * beta)).square().mean()


@mistake(blank="loss")
def averages_first(chosen, rejected, F):
    loss = -F.logsigmoid((chosen - rejected).mean())


@mistake(blank="loss")
def sums(chosen, rejected, F):
    loss = -F.logsigmoid(chosen - rejected).sum()


@mistake(blank="loss")
def loss_of_each_pair(chosen, rejected, F):
    loss = -F.logsigmoid(chosen - rejected)


@mistake(blank="loss")
def cuts_the_graph(chosen, rejected, F):
    chosen, rejected = chosen.detach(), rejected.detach()
    loss = -F.logsigmoid(chosen - rejected).mean()


@mistake(blank="result")
def rewards_with_gradient(loss, chosen, rejected):
    return loss, chosen, rejected


@mistake(blank="result")
def rewards_averaged(loss, chosen, rejected):
    return loss, chosen.mean().detach(), rejected.mean().detach()


@mistake(blank="result")
def rewards_swapped(loss, chosen, rejected):
    return loss, rejected.detach(), chosen.detach()
