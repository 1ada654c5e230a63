import math
import random

import pytest
import torch
import torch.nn.functional as F

from clozekit.grading import mistake, reference
from clozekit.grading.feedforward import DTYPES, drawn, gated_sizes

# batch, tokens, d_model, d_ff, experts, k
SHAPES = {
    "two of four": (2, 5, 6, 7, 4, 2),
    "one of four": (2, 5, 6, 7, 4, 1),
    "three of five": (1, 7, 6, 4, 5, 3),
    "all of three": (2, 3, 6, 7, 3, 3),
    "one expert": (1, 4, 6, 7, 1, 1),
    "one token": (1, 1, 6, 7, 4, 2),
}

# capacity factor, batch, tokens, experts, k
CAPACITIES = {
    "half of the choices": (0.5, 2, 8, 4, 2),  # 4 for each expert
    "not a whole number": (0.75, 1, 9, 4, 2),  # 3.375, so 4
    "one choice each": (0.25, 2, 6, 2, 1),  # 1.5, so 2
    "one place each": (0.25, 1, 6, 4, 2),  # 0.75, so 1
    "room for all": (4.0, 2, 5, 4, 2),
}

EXPERTS = {"few experts": (8, 1), "many experts": (16, 2)}  # and k


def draw(shape, num_experts, k, d_ff=7, dtype=torch.float32, margin=0.1):
    """Parameters, and x [*shape] of tokens that tell their k experts from the others by a margin."""
    b, t, d_model = shape
    sizes = {
        f"experts.{i}.{name}": size for i in range(num_experts) for name, size in gated_sizes(d_model, d_ff).items()
    }
    router = (2.5 * torch.randn(num_experts, d_model) / math.sqrt(d_model)).to(dtype)
    found = torch.empty(0, d_model, dtype=dtype)
    while len(found) < b * t:
        x = torch.randn(64, d_model).to(dtype)
        best = (x.double() @ router.double().T).topk(min(k + 1, num_experts)).values
        found = torch.cat([found, x[best[:, -2] - best[:, -1] > margin] if k < num_experts else x])
    return {"router.weight": router, **drawn(sizes, dtype=dtype)}, found[: b * t].view(shape)


def draw_busy(shape, num_experts, k, d_ff=7):
    """Where no expert is idle: whether one that computed nothing has a gradient of 0 or none is a matter of style."""
    while True:
        parameters, x = draw(shape, num_experts, k, d_ff)
        chosen = (x.flatten(0, 1) @ parameters["router.weight"].T).topk(k).indices
        if len(chosen.unique()) == num_experts:
            return parameters, x


def ask(check, parameters, x, k, d_ff=7, capacity_factor=None, **options):
    num_experts = len(parameters["router.weight"])
    config = {} if capacity_factor is None else {"capacity_factor": capacity_factor}
    layer = check.new(
        "MoE", d_model=x.shape[-1], d_ff=d_ff, num_experts=num_experts, k=k, parameters=parameters, **config
    )
    check(layer, x, **options)


@pytest.mark.parametrize("case", SHAPES)
def test_without_a_limit(check, case):
    b, t, d_model, d_ff, num_experts, k = SHAPES[case]
    ask(check, *draw((b, t, d_model), num_experts, k, d_ff), k, d_ff, once=b * t > 5)


@pytest.mark.parametrize("case", CAPACITIES)
def test_with_a_capacity(check, case):
    factor, b, t, num_experts, k = CAPACITIES[case]
    ask(check, *draw((b, t, 6), num_experts, k), k, capacity_factor=factor, once=True)


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    ask(check, *draw((2, 5, 6), 4, 2, dtype=DTYPES[case], margin=0.5), 2, capacity_factor=0.75, once=True)


def test_a_non_contiguous_input(check):
    parameters, x = draw((5, 2, 6), 4, 2)
    ask(check, parameters, x.transpose(0, 1), 2, once=True)


def test_idle_experts(check):
    """One token cannot keep five experts busy."""
    ask(check, *draw((1, 1, 6), 5, 2), 2)


@pytest.mark.parametrize("k", [1, 2])
def test_gradients(check, k):
    ask(check, *draw_busy((1, 6, 6), 4, k), k, gradients=True, once=True)


@pytest.mark.parametrize("experts", EXPERTS)
def test_cost(check, experts):
    num_experts, k = EXPERTS[experts]
    ask(check, *draw((1, random.randint(33, 39), 24), num_experts, k, 32), k, 32, once=True, measured=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """A long text and many experts, then few of both."""
    d_model, d_ff, k = random.randint(9, 14), random.randint(5, 9), random.randint(2, 4)
    shape = 2, random.randint(30, 40), d_model
    ask(check, *draw_busy(shape, random.randint(9, 11), k, d_ff), k, d_ff, gradients=True, once=True)
    for factor in 0.5, random.choice([0.75, 1.0, 1.25]):
        while True:
            b, t, num_experts, k = 2, random.randint(9, 20), random.randint(5, 8), random.randint(1, 3)
            if not (factor * k * b * t / num_experts).is_integer():  # there one rounding decides of a place more
                break
        ask(check, *draw((b, t, d_model), num_experts, k, d_ff), k, d_ff, factor, once=True)


@reference("MoE", dtypes={"[1]": torch.float32})
def definition(parameters, x, *, d_model, d_ff, num_experts, k, capacity_factor=None):
    """Every expert computes every token, and a matrix [tokens, experts] says what counts."""
    tokens = x.reshape(-1, d_model)
    logits = tokens @ parameters["router.weight"].T
    chosen = torch.zeros(logits.shape, dtype=torch.bool).scatter(1, logits.topk(k).indices, True)
    weights = logits.masked_fill(~chosen, -math.inf).softmax(-1)
    taken = chosen
    if capacity_factor is not None:
        taken = chosen & (chosen.cumsum(0) <= math.ceil(capacity_factor * k * len(tokens) / num_experts))
    gate_proj, up_proj, down_proj = (
        torch.stack([parameters[f"experts.{i}.{name}.weight"] for i in range(num_experts)])
        for name in ("gate_proj", "up_proj", "down_proj")
    )
    hidden = F.silu(tokens @ gate_proj.mT) * (tokens @ up_proj.mT)  # [experts, tokens, d_ff]
    y = torch.einsum("ne,end->nd", weights * taken, hidden @ down_proj.mT)
    balance = num_experts * (chosen.to(logits.dtype).mean(0) * logits.softmax(-1).mean(0)).sum()
    return y.reshape(x.shape), balance


@mistake(blank="route")
def all_probabilities(self, x, logits):
    best, chosen = logits.softmax(dim=-1).topk(self.k, dim=-1)
    weights = best.to(x.dtype)


@mistake(blank="route")
def softmax_over_tokens(self, x, logits):
    best, chosen = logits.topk(self.k)
    weights = best.softmax(dim=0).to(x.dtype)


@mistake(blank="route")
def only_the_best(self, x, logits):
    best, chosen = logits.topk(1, dim=-1)
    weights = best.softmax(dim=-1).to(x.dtype)


@mistake(blank="route")
def float32_weights(self, logits):
    best, chosen = logits.topk(self.k)
    weights = best.softmax(dim=-1)


@mistake(blank="capacity")
def ignores_capacity(tokens):
    capacity = len(tokens)


@mistake(blank="capacity")
def capacity_without_k(self, tokens):
    capacity = len(tokens)
    if self.capacity_factor is not None:
        capacity = math.ceil(self.capacity_factor * len(tokens) / self.num_experts)


@mistake(blank="capacity")
def capacity_of_one_sequence(self, x, tokens):
    capacity = len(tokens)
    if self.capacity_factor is not None:
        capacity = math.ceil(self.capacity_factor * self.k * x.shape[1] / self.num_experts)


@mistake(blank="capacity")
def capacity_rounded_down(self, tokens):
    capacity = len(tokens)
    if self.capacity_factor is not None:
        capacity = int(self.capacity_factor * self.k * len(tokens) / self.num_experts)


@mistake(blank="capacity")
def one_place_more(self, tokens):
    capacity = len(tokens)
    if self.capacity_factor is not None:
        capacity = int(self.capacity_factor * self.k * len(tokens) / self.num_experts) + 1


@mistake(blank="mix")
def takes_the_last(self, tokens, chosen, weights, capacity):
    y = torch.zeros_like(tokens)
    for i, expert in enumerate(self.experts):
        token, choice = torch.where(chosen == i)
        token, choice = token[-capacity:], choice[-capacity:]
        y = y.index_add(0, token, expert(tokens[token]) * weights[token, choice, None])


@mistake(blank="mix")
def takes_the_strongest(self, tokens, chosen, weights, capacity):
    y = torch.zeros_like(tokens)
    for i, expert in enumerate(self.experts):
        token, choice = torch.where(chosen == i)
        strongest = weights[token, choice].argsort(descending=True)[:capacity]
        token, choice = token[strongest], choice[strongest]
        y = y.index_add(0, token, expert(tokens[token]) * weights[token, choice, None])


@mistake(blank="mix")
def first_choices_first(self, tokens, chosen, weights, capacity):
    y = torch.zeros_like(tokens)
    for i, expert in enumerate(self.experts):
        choice, token = torch.where(chosen.mT == i)
        token, choice = token[:capacity], choice[:capacity]
        y = y.index_add(0, token, expert(tokens[token]) * weights[token, choice, None])


@mistake(blank="mix")
def drops_the_whole_token(self, tokens, chosen, weights, capacity):
    y = torch.zeros_like(tokens)
    for i, expert in enumerate(self.experts):
        token, choice = torch.where(chosen == i)
        y = y.index_add(0, token, expert(tokens[token]) * weights[token, choice, None])
    for i in range(self.num_experts):
        y[torch.where(chosen == i)[0][capacity:]] = 0


@mistake(blank="mix")
def shares_out_what_was_dropped(self, tokens, chosen, weights, capacity):
    y, total = torch.zeros_like(tokens), torch.zeros_like(tokens[:, :1])
    for i, expert in enumerate(self.experts):
        token, choice = torch.where(chosen == i)
        token, choice = token[:capacity], choice[:capacity]
        y = y.index_add(0, token, expert(tokens[token]) * weights[token, choice, None])
        total = total.index_add(0, token, weights[token, choice, None])
    y = torch.where(total > 0, y / total.clamp(min=1e-3), 0)


@mistake(blank="mix")
def passes_the_dropped_on(self, tokens, chosen, weights, capacity):
    y, seen = torch.zeros_like(tokens), torch.zeros_like(tokens[:, :1])
    for i, expert in enumerate(self.experts):
        token, choice = torch.where(chosen == i)
        token, choice = token[:capacity], choice[:capacity]
        y = y.index_add(0, token, expert(tokens[token]) * weights[token, choice, None])
        seen[token] = 1
    y = torch.where(seen > 0, y, tokens)


@mistake(blank="mix")
def keeps_one_expert(self, tokens, chosen, weights, capacity):
    y = torch.zeros_like(tokens)
    for i, expert in enumerate(self.experts):
        token, choice = torch.where(chosen == i)
        token, choice = token[:capacity], choice[:capacity]
        y = y.index_copy(0, token, expert(tokens[token]) * weights[token, choice, None])


@mistake(blank="mix")
def forgets_weights(self, tokens, chosen, capacity):
    y = torch.zeros_like(tokens)
    for i, expert in enumerate(self.experts):
        token = torch.where(chosen == i)[0][:capacity]
        y = y.index_add(0, token, expert(tokens[token]))


@mistake(blank="mix")
def weighs_the_input(self, tokens, chosen, weights, capacity):
    y = torch.zeros_like(tokens)
    for i, expert in enumerate(self.experts):
        token, choice = torch.where(chosen == i)
        token, choice = token[:capacity], choice[:capacity]
        y = y.index_add(0, token, expert(tokens[token] * weights[token, choice, None]))


@mistake(blank="mix")
def runs_every_expert(self, tokens, chosen, weights, capacity):
    y = torch.zeros_like(tokens)
    for i, expert in enumerate(self.experts):
        taken = (chosen == i).any(-1)
        taken = taken & (taken.cumsum(0) <= capacity)
        weight = (weights * (chosen == i)).sum(-1) * taken
        y = y + weight[:, None] * expert(tokens)


@mistake(blank="balance")
def forgets_the_number_of_experts(self, tokens, chosen, logits):
    share = chosen.flatten().bincount(minlength=self.num_experts) / len(tokens)
    balance = (share * logits.softmax(dim=-1).mean(dim=0)).sum()


@mistake(blank="balance")
def counts_the_first_choice(self, tokens, chosen, logits):
    share = chosen[:, 0].bincount(minlength=self.num_experts) / len(tokens)
    balance = self.num_experts * (share * logits.softmax(dim=-1).mean(dim=0)).sum()


@mistake(blank="balance")
def share_of_all_choices(self, chosen, logits):
    share = chosen.flatten().bincount(minlength=self.num_experts) / chosen.numel()
    balance = self.num_experts * (share * logits.softmax(dim=-1).mean(dim=0)).sum()


@mistake(blank="balance")
def share_of_the_taken(self, tokens, chosen, logits, capacity):
    share = chosen.flatten().bincount(minlength=self.num_experts).clamp(max=capacity) / len(tokens)
    balance = self.num_experts * (share * logits.softmax(dim=-1).mean(dim=0)).sum()


@mistake(blank="balance")
def sum_for_mean(self, tokens, chosen, logits):
    share = chosen.flatten().bincount(minlength=self.num_experts) / len(tokens)
    balance = self.num_experts * (share * logits.softmax(dim=-1).sum(dim=0)).sum()


@mistake(blank="balance")
def weights_of_the_chosen(self, tokens, chosen, weights):
    share = chosen.flatten().bincount(minlength=self.num_experts) / len(tokens)
    given = torch.zeros(self.num_experts).index_add(0, chosen.flatten(), weights.flatten().float())
    balance = self.num_experts * (share * given / len(tokens)).sum()


@mistake(blank="balance")
def square_of_the_share(self, tokens, chosen):
    share = chosen.flatten().bincount(minlength=self.num_experts) / len(tokens)
    balance = self.num_experts * (share * share).sum()


@mistake(blank="balance")
def square_of_the_probability(self, logits):
    balance = self.num_experts * logits.softmax(dim=-1).mean(dim=0).pow(2).sum()


@mistake(blank="balance")
def without_gradient(self, tokens, chosen, logits):
    share = chosen.flatten().bincount(minlength=self.num_experts) / len(tokens)
    balance = self.num_experts * (share * logits.detach().softmax(dim=-1).mean(dim=0)).sum()
