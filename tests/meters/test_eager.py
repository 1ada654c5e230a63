"""The torch meter against arithmetic by hand; each case on the CPU and on meta tensors."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from clozekit.meters.counts import Counts
from clozekit.meters.eager import CannotCount, TorchMeter

Case = Callable[..., Any]


def counted(function: Case, *args: Any) -> Counts:
    with TorchMeter() as meter:
        kept = function(*args)  # a result that nobody keeps is freed
    del kept
    return meter.counts()


def matmul(new: Case) -> Case:
    x, w = new(3, 5, 8), new(8, 7)
    return lambda: x @ w


def linear(new: Case) -> Case:
    x, w, b = new(2, 3, 8), new(7, 8), new(7)
    return lambda: F.linear(x, w, b)


def softmax(new: Case) -> Case:
    x = new(6, 10)
    return lambda: F.softmax(x, dim=-1)


def softmax_written_out(new: Case) -> Case:
    x = new(6, 10)

    def run() -> Tensor:
        weight = (x - x.amax(-1, keepdim=True)).exp()
        return weight / weight.sum(-1, keepdim=True)

    return run


def layer_norm(new: Case) -> Case:
    x, weight, bias = new(6, 10), new(10), new(10)
    return lambda: F.layer_norm(x, (10,), weight, bias)


def expanded_operand(new: Case) -> Case:
    x, row = new(6, 10), new(1, 10).expand(6, 10)
    return lambda: x + row


def one_operand_twice(new: Case) -> Case:
    x = new(6, 6)
    return lambda: x @ x.T


def in_place(new: Case) -> Case:
    x, y = new(6, 10), new(6, 10)
    return lambda: x.mul_(y)


def filled_in_place(new: Case) -> Case:
    x = new(6, 10)
    return lambda: x.fill_(1.0)


def copied_into_a_slice(new: Case) -> Case:
    x, y = new(6, 10), new(10)
    return lambda: x[2:4].copy_(y)


def given_as_out(new: Case) -> Case:
    x, y = new(6, 10), new(0)
    return lambda: torch.exp(x, out=y)


def chain_of_views(new: Case) -> Case:
    x = new(6, 10)
    return lambda: x.view(6, 2, 5).transpose(0, 1)[:, 1:3].unsqueeze(0).expand(4, -1, -1, -1)


def chain_of_views_copied(new: Case) -> Case:
    x = new(6, 10)
    return lambda: x.view(6, 2, 5).transpose(0, 1)[:, 1:3].contiguous()


def gather(new: Case) -> Case:
    x, index = new(6, 100), new(6, 3, dtype=torch.int64)
    return lambda: x.gather(1, index)


def embedding(new: Case) -> Case:
    table, tokens = new(1000, 8), new(5, dtype=torch.int64)
    return lambda: F.embedding(tokens, table)


def embedding_of_a_small_table(new: Case) -> Case:
    table, tokens = new(3, 8), new(50, dtype=torch.int64)
    return lambda: F.embedding(tokens, table)


def indexed_assignment(new: Case) -> Case:
    x, rows, value = new(100, 8), new(4, dtype=torch.int64), new(4, 8)

    def run() -> None:
        x[rows] = value

    return run


def scatter_add(new: Case) -> Case:
    x, index, source = new(6, 100), new(6, 3, dtype=torch.int64), new(6, 3)
    return lambda: x.scatter_add_(1, index, source)


def lists_of_tensors(new: Case) -> Case:
    xs, ys = [new(6, 10), new(4)], [new(6, 10), new(4)]
    return lambda: torch._foreach_add_(xs, ys)


def cross_entropy(new: Case) -> Case:
    x, target = new(6, 10), new(6, dtype=torch.int64)
    return lambda: F.cross_entropy(x, target)


def cat(new: Case) -> Case:
    x, y = new(6, 10), new(6, 3)
    return lambda: torch.cat([x, y], dim=1)


def half_precision(new: Case) -> Case:
    x, w = new(4, 8, dtype=torch.bfloat16), new(8, 2, dtype=torch.bfloat16)
    return lambda: (x @ w).float()


def matmul_backward(new: Case) -> Case:
    x, w = new(4, 8).requires_grad_(), new(8, 2).requires_grad_()
    dy = new(4, 2)
    y = x @ w
    return lambda: torch.autograd.grad(y, (x, w), dy)


def softmax_backward(new: Case) -> Case:
    x, dy = new(6, 10).requires_grad_(), new(6, 10)
    y = x.softmax(-1)
    return lambda: torch.autograd.grad(y, x, dy)


def attention(new: Case) -> Case:
    """b 2, h 3, t 5, head_dim 4: 6 products of [5, 4] and [4, 5], and of [5, 5] and [5, 4]."""
    q, k, v = (new(2, 3, 5, 4) for _ in range(3))
    future = new(5, 5, dtype=torch.bool)
    return lambda: (q @ k.mT / 2).masked_fill(future, -math.inf).softmax(-1) @ v


def fused_attention(new: Case) -> Case:
    q, k, v = (new(2, 3, 5, 4) for _ in range(3))
    future = new(5, 5, dtype=torch.bool)
    return lambda: F.scaled_dot_product_attention(q, k, v, future)


def grouped_attention(new: Case) -> Case:
    """Two heads share the keys and values of one."""
    q, k, v = new(2, 4, 5, 4), new(2, 2, 7, 4), new(2, 2, 7, 4)
    return lambda: F.scaled_dot_product_attention(query=q, key=k, value=v, enable_gqa=True)


def attention_backward(new: Case) -> Case:
    q, k, v = (new(2, 3, 5, 4).requires_grad_() for _ in range(3))
    dy = new(2, 3, 5, 4)
    return lambda: torch.autograd.grad(F.scaled_dot_product_attention(q, k, v), (q, k, v), dy)


def convolution(new: Case) -> Case:
    x, w = new(2, 3, 10), new(4, 3, 3)
    return lambda: F.conv1d(x, w)


# matrix FLOPs, other FLOPs, bytes read, written, at the peak
BY_HAND: dict[Case, tuple[int, int, int, int, int]] = {
    matmul: (2 * 15 * 8 * 7, 0, 4 * (120 + 56), 4 * 105, 4 * 105),
    linear: (2 * 6 * 8 * 7, 42, 4 * (48 + 56 + 7), 4 * 42, 4 * 42),
    softmax: (0, 5 * 60, 240, 240, 240),
    # maximum; difference; exponential; sum; quotient: the largest is there twice, and the two columns
    softmax_written_out: (0, 5 * 60, 240 + (240 + 24) + 240 + 240 + (240 + 24), 24 + 240 + 240 + 24 + 240, 480 + 24),
    layer_norm: (0, 7 * 60, 240 + 40 + 40, 240 + 2 * 24, 240 + 2 * 24),
    expanded_operand: (0, 60, 240 + 40, 240, 240),
    one_operand_twice: (2 * 6 * 6 * 6, 0, 144, 144, 144),
    in_place: (0, 60, 480, 240, 0),
    filled_in_place: (0, 0, 0, 240, 0),
    copied_into_a_slice: (0, 0, 40, 80, 0),
    given_as_out: (0, 60, 240, 240, 0),
    chain_of_views: (0, 0, 0, 0, 0),
    chain_of_views_copied: (0, 0, 80, 80, 80),
    gather: (0, 0, 18 * 8 + 18 * 4, 18 * 4, 18 * 4),
    embedding: (0, 0, 5 * 8 + 40 * 4, 40 * 4, 40 * 4),
    embedding_of_a_small_table: (0, 0, 50 * 8 + 24 * 4, 400 * 4, 400 * 4),
    indexed_assignment: (0, 0, 4 * 8 + 32 * 4, 32 * 4, 0),
    scatter_add: (0, 18, 18 * (4 + 8 + 4), 18 * 4, 0),
    lists_of_tensors: (0, 64, 4 * 128, 4 * 64, 0),
    # the logarithm of the softmax; of it one element a row, added up, and how many there were
    cross_entropy: (0, 5 * 60, 240 + 6 * 8 + 24, 240 + 4 + 4, 240 + 4 + 4),
    cat: (0, 0, 4 * 78, 4 * 78, 4 * 78),
    half_precision: (2 * 4 * 8 * 2, 0, 2 * (32 + 16) + 2 * 8, 2 * 8 + 4 * 8, 2 * 8 + 4 * 8),
    matmul_backward: (2 * 2 * 4 * 8 * 2, 0, 4 * ((32 + 8) + (8 + 16)), 4 * (16 + 32), 4 * (16 + 32)),
    softmax_backward: (0, 4 * 60, 480, 240, 240),
    # 150 scores: product, division, mask of 25 bytes, softmax; product
    attention: (
        2 * (2 * 6 * 5 * 4 * 5),
        (1 + 5) * 150,
        4 * (240 + 150 + 150 + 150 + (150 + 120)) + 25,
        4 * (4 * 150 + 120),
        4 * 2 * 150,
    ),
    # the mask becomes numbers, by two scalars; the result has a float of its own for each row
    fused_attention: (
        2 * (2 * 6 * 5 * 4 * 5),
        5 * 150,
        25 + 8 + 4 * (360 + 25),
        8 + 100 + 4 * (120 + 30),
        100 + 4 * 150,
    ),
    grouped_attention: (2 * (2 * 8 * 5 * 4 * 7), 5 * 280, 4 * (160 + 2 * 112), 4 * (160 + 40), 4 * (160 + 40)),
    # two products, and five more of the gradient, the result, q, k and v, and a float for each row
    attention_backward: (
        (2 + 5) * (2 * 6 * 5 * 4 * 5),
        (5 + 6) * 150,
        4 * (3 * 120 + 5 * 120 + 30),
        4 * (120 + 30 + 360),
        4 * (120 + 30 + 360),
    ),
    convolution: (2 * (2 * 4 * 8) * (3 * 3), 0, 4 * (60 + 36), 4 * 64, 4 * 64),
}


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("case", BY_HAND, ids=lambda case: case.__name__)
def test_counts_are_those_by_hand(case: Case, device: str) -> None:
    counts = counted(case(lambda *size, dtype=torch.float32: torch.zeros(*size, dtype=dtype, device=device)))
    found = counts.matmul_flops, counts.flops - counts.matmul_flops, counts.read_bytes, counts.written_bytes
    assert (*found, counts.peak_bytes) == BY_HAND[case]


@pytest.mark.parametrize("case", [linear, attention, fused_attention], ids=lambda case: case.__name__)
def test_below_autograd_operators_are_taken_apart(case: Case) -> None:
    """Where torch shows `linear` and `matmul` whole."""
    run = case(torch.zeros)
    expected = counted(run)
    with torch.inference_mode():
        assert counted(run) == expected
    with torch._C._AutoDispatchBelowAutograd():
        assert counted(run) == expected


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_an_operator_with_a_kernel_of_its_own_is_not_taken_apart(device: str) -> None:
    x = torch.ones(4, 8, device=device, requires_grad=True)
    y, dy = F.silu(x), torch.ones_like(x)
    with TorchMeter() as meter:
        y.backward(dy)
    assert meter.counts().operators == {"aten::silu_backward": 1}
    assert meter.counts().bytes == 3 * 4 * 4 * 8


def test_fake_tensors_count_like_real_ones() -> None:
    expected = counted(attention(torch.zeros))
    with FakeTensorMode():
        assert counted(attention(torch.zeros)) == expected


def test_a_gibibyte_on_meta() -> None:
    counts = counted(lambda x: x.softmax(-1), torch.empty(65536, 8192, device="meta"))
    assert counts.read_bytes == counts.written_bytes == counts.peak_bytes == 2 << 30


def test_what_autograd_keeps_is_alive() -> None:
    x = torch.zeros(100, requires_grad=True)

    def both() -> None:
        x.exp().sum().backward()

    # exp keeps its result: 400 bytes; sum 4, its gradient 4, the gradient of exp 400; a detached view is no memory
    assert counted(both).peak_bytes == 400 + 4 + 4 + 400
    with torch.no_grad():
        assert counted(lambda: x.exp().sum()).peak_bytes == 404


def test_memory_that_is_freed_counts_no_more() -> None:
    def chain(x: Tensor) -> Tensor:
        for _ in range(10):
            x = x + 1
        return x

    assert counted(chain, torch.zeros(100)).peak_bytes == 2 * 400


def test_memory_lives_as_long_as_a_view_of_it() -> None:
    def views(x: Tensor) -> list[Tensor]:
        return [(x + i)[:1] for i in range(10)]

    assert counted(views, torch.zeros(100)).peak_bytes == 10 * 400


def test_out_may_grow() -> None:
    def grows(x: Tensor) -> Tensor:
        return torch.exp(x, out=x.new_empty(0))

    assert counted(grows, torch.zeros(100)).peak_bytes == 400


def test_operators_by_name() -> None:
    counts = counted(lambda x: [x @ x.T, x @ x.T, x.view(16)], torch.zeros(4, 4))
    assert counts.operators == {"aten::mm": 2}


def test_a_number_taken_out_is_read() -> None:
    assert counted(lambda x: x[3].item(), torch.zeros(10)).read_bytes == 4


@pytest.mark.parametrize("asks", [lambda x: x[x > 0], lambda x: x.nonzero(), lambda x: bool(x.sum() > 0)])
def test_what_depends_on_values_is_said(asks: Case) -> None:
    with pytest.raises(CannotCount, match=r"aten::\w+: its result depends"):
        counted(asks, torch.empty(10, device="meta"))


def records(function: Case, *args: Any) -> Any:
    with TorchMeter() as meter:
        function(*args)
    return meter.records


# operator, row; how often CUDA reads it, and what lies between
PASSES = {
    "in registers": (lambda x: x.softmax(-1), (64, 1000), 1.0, 0),
    "in shared memory": (lambda x: x.softmax(-1), (64, 8000), 1.0, 0),
    "in shared memory, but for its alignment": (lambda x: x.softmax(-1), (64, 8001), 3.0, 32004),
    "too long": (lambda x: x.log_softmax(-1), (64, 32000), 3.0, 128000),
    "along a column": (lambda x: x.softmax(0), (64, 100), 3.0, 64 * 400),
    "layer norm": (lambda x: F.layer_norm(x, x.shape[1:]), (64, 1000), 2.0, 4000),
    "element-wise": (lambda x: x.exp(), (64, 32000), 1.0, 0),
}


@pytest.mark.parametrize("case", PASSES)
def test_passes(case: str) -> None:
    function, shape, reads, apart = PASSES[case]
    (record,) = records(function, torch.empty(shape, device="meta"))
    assert (record.passes.reads, record.passes.apart) == (reads, apart)


NOT_MODELLED = {
    "halves of a tensor": (lambda x: F.silu(x[:, :32]), True),
    "a tensor beside its transpose": (lambda x: x + x.t(), True),
    "a copy that transposes": (lambda x: x.t().contiguous(), True),
    "a table": (lambda x: F.embedding(torch.zeros(8, dtype=torch.int64), x), True),
    "random numbers": (torch.randn_like, True),
    "a transpose alone": (lambda x: x.t().exp(), False),
    "a row for all": (lambda x: x + x[0], False),
    "a product of transposes": (lambda x: x.t() @ x, False),
}


@pytest.mark.parametrize("case", NOT_MODELLED)
def test_what_waits_for_something_else_than_memory(case: str) -> None:
    function, unseen = NOT_MODELLED[case]
    *_, record = records(function, torch.zeros(64, 64))
    assert record.passes.modelled is not unseen


def test_of_a_reduced_loss_one_small_block_does_all_rows() -> None:
    x, labels = torch.zeros(64, 100, requires_grad=True), torch.zeros(64, dtype=torch.int64)
    made = records(lambda: F.nll_loss(x, labels).backward())
    alone = {record.operator: record.passes.alone for record in made if "nll" in record.operator}
    assert alone == {"aten::nll_loss_forward": 2 * 64 // 32, "aten::nll_loss_backward": 64 // 32}
    (each,) = records(lambda: F.nll_loss(x, labels, reduction="none"))
    assert each.passes.alone == 0


def test_softmax_backward_multiplies_first() -> None:
    x = torch.empty(64, 32000, device="meta", requires_grad=True)
    *_, record = records(lambda: x.softmax(-1).backward(torch.empty_like(x)))
    assert record.operator == "aten::_softmax_backward_data"
    assert (record.passes.reads, record.passes.writes) == (2.5, 2.0)


def test_records_say_in_which_dtype() -> None:
    x = torch.empty(4, 8, dtype=torch.float16, device="meta")
    product, wider = records(lambda: (x @ x.T).float())
    assert (product.operator, product.shapes, product.dtype) == ("aten::mm", ([4, 8], [8, 4]), "float16")
    assert product.matmul_flops == 2 * 4 * 8 * 4
    assert wider.matmul_flops == 0
