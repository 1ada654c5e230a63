import random

import pytest
import torch
import triton
import triton.language as tl

from clozekit.grading import mistake, reference

# rows, cols, mean and scale of the gate, dtype. Each case tells the answer apart from a mistake that resembles it.
CASES = {
    "a power of two": (2, 64, 0, 1, torch.float32),
    "ragged columns": (3, 100, 0, 1, torch.float32),
    "one element": (1, 1, 0, 1, torch.float32),
    "more rows than columns": (20, 3, 0, 1, torch.float32),
    "more columns than a block": (2, 1100, 0, 1, torch.float32),
    "gates in the hundreds": (2, 40, 400, 50, torch.float32),
    "gates far below zero": (2, 40, -400, 50, torch.float32),
    "float16": (3, 50, 0, 2, torch.float16),
    "bfloat16": (3, 50, 0, 2, torch.bfloat16),
}

# Calls of the size that a model makes.
CALLS = [
    "swiglu(bfloat16[1024, 11008], bfloat16[1024, 11008])",
    "swiglu_backward(bfloat16[1024, 11008], bfloat16[1024, 11008], bfloat16[1024, 11008])",
]


def draw(rows, cols, mean=0.0, scale=1.0, dtype=torch.float32):
    """dy, gate and up, [rows, cols] each."""
    dy, gate, up = torch.randn(3, rows, cols)
    return dy.to(dtype), (gate * scale + mean).to(dtype), up.to(dtype)


def halves(rows, cols, dtype=torch.float32):
    """dy, and gate and up as a projection makes them: the two halves of one tensor."""
    dy, gate, up = draw(rows, cols, dtype=dtype)
    return dy, *torch.cat([gate, up], dim=1).chunk(2, dim=1)


def transposed(rows, cols):
    """dy, gate and up, each laid out in its own way."""
    dy, gate, up = draw(rows, cols)
    return dy[:1].expand(rows, cols), gate.T.contiguous().T, up.repeat_interleave(2, dim=1)[:, ::2]


LAYOUTS = {"halves of one tensor": halves, "each in its own way": transposed}


@pytest.mark.parametrize("case", CASES)
def test_forward(check, case):
    _, gate, up = draw(*CASES[case])
    check("swiglu", gate, up)


@pytest.mark.parametrize("case", CASES)
def test_backward(check, case):
    check("swiglu_backward", *draw(*CASES[case]))


@pytest.mark.parametrize("case", LAYOUTS)
def test_forward_layout(check, case):
    _, gate, up = LAYOUTS[case](3, 7)
    check("swiglu", gate, up)


@pytest.mark.parametrize("case", LAYOUTS)
def test_backward_layout(check, case):
    check("swiglu_backward", *LAYOUTS[case](3, 7))


@pytest.mark.parametrize("call", CALLS)
def test_costs(check, call):
    check.costs(call)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    half = random.choice([torch.float16, torch.bfloat16])
    wide, tall = (2, random.randint(1500, 2500)), (random.randint(33, 40), random.randint(2, 9))
    for (rows, cols), dtype in ((tall, half), (wide, torch.float32), (tall, torch.float32), (wide, half)):
        dy, gate, up = draw(rows, cols, scale=random.uniform(1, 5), dtype=dtype)
        check("swiglu", gate, up)
        check("swiglu_backward", *random.choice([draw, halves])(rows, cols, dtype=dtype))


@reference("swiglu", compute=torch.float32)
def definition(gate, up):
    return torch.nn.functional.silu(gate) * up


@reference("swiglu_backward", compute=torch.float32)
def gradients(dy, gate, up):
    gate, up = gate.detach().requires_grad_(), up.detach().requires_grad_()
    return torch.autograd.grad(definition(gate, up), (gate, up), dy)


@mistake(blank="load")
def loads_without_mask(gate_ptr, up_ptr, row, col, gate_row, gate_col, up_row, up_col):
    gate = tl.load(gate_ptr + row * gate_row + col * gate_col).to(tl.float32)
    up = tl.load(up_ptr + row * up_row + col * up_col).to(tl.float32)


@mistake(blank="load")
def ignores_strides(gate_ptr, up_ptr, row, col, cols, inside):
    gate = tl.load(gate_ptr + row * cols + col, mask=inside).to(tl.float32)
    up = tl.load(up_ptr + row * cols + col, mask=inside).to(tl.float32)


@mistake(blank="load")
def ignores_column_strides(gate_ptr, up_ptr, row, col, gate_row, up_row, inside):
    gate = tl.load(gate_ptr + row * gate_row + col, mask=inside).to(tl.float32)
    up = tl.load(up_ptr + row * up_row + col, mask=inside).to(tl.float32)


@mistake(blank="load")
def strides_of_gate_for_up(gate_ptr, up_ptr, row, col, gate_row, gate_col, inside):
    gate = tl.load(gate_ptr + row * gate_row + col * gate_col, mask=inside).to(tl.float32)
    up = tl.load(up_ptr + row * gate_row + col * gate_col, mask=inside).to(tl.float32)


@mistake(blank="load")
def stays_in_half(gate_ptr, up_ptr, row, col, gate_row, gate_col, up_row, up_col, inside):
    gate = tl.load(gate_ptr + row * gate_row + col * gate_col, mask=inside)
    up = tl.load(up_ptr + row * up_row + col * up_col, mask=inside)


@mistake(blank="forward")
def activates_up(gate, up):
    y = up * tl.sigmoid(up) * gate


@mistake(blank="forward")
def sigmoid_alone(gate, up):
    y = tl.sigmoid(gate) * up


@mistake(blank="forward")
def gelu_for_silu(gate, up):
    y = 0.5 * gate * (1 + tl.erf(gate * 0.7071067811865476)) * up


@mistake(blank="forward")
def forgets_up(gate):
    y = gate * tl.sigmoid(gate)


@mistake(blank="forward")
def exponential_overflows(gate, up):
    y = gate * tl.exp(gate) / (1 + tl.exp(gate)) * up


@mistake(blank="forward")
def activation_through_memory(y_ptr, gate, up, row, col, cols, inside):
    tl.store(y_ptr + row * cols + col, gate * tl.sigmoid(gate), mask=inside)
    y = tl.load(y_ptr + row * cols + col, mask=inside).to(tl.float32) * up


@mistake(blank="backward")
def sigmoid_taken_for_constant(dy, gate, up):
    dup = dy * gate * tl.sigmoid(gate)
    dgate = dy * up * tl.sigmoid(gate)


@mistake(blank="backward")
def derivative_of_sigmoid_alone(dy, gate, up):
    sigmoid = tl.sigmoid(gate)
    dup = dy * gate * sigmoid
    dgate = dy * up * sigmoid * (1 - sigmoid)


@mistake(blank="backward")
def adds_silu_itself(dy, gate, up):
    sigmoid = tl.sigmoid(gate)
    dup = dy * gate * sigmoid
    dgate = dy * up * (sigmoid + gate * sigmoid)


@mistake(blank="backward")
def forgets_up_in_dgate(dy, gate):
    sigmoid = tl.sigmoid(gate)
    dup = dy * gate * sigmoid
    dgate = dy * (sigmoid + gate * sigmoid * (1 - sigmoid))


@mistake(blank="backward")
def dup_without_activation(dy, gate, up):
    sigmoid = tl.sigmoid(gate)
    dup = dy * gate
    dgate = dy * up * (sigmoid + gate * sigmoid * (1 - sigmoid))


@mistake(blank="launch")
def one_block_per_row(gate, up, rows, cols, BLOCK, swiglu_kernel):
    y = torch.empty((rows, cols), dtype=gate.dtype, device=gate.device)
    swiglu_kernel[(rows, 1)](y, gate, up, *gate.stride(), *up.stride(), cols, BLOCK=BLOCK)


@mistake(blank="launch")
def leaves_out_last_columns(gate, up, rows, cols, BLOCK, swiglu_kernel):
    y = torch.empty((rows, cols), dtype=gate.dtype, device=gate.device)
    swiglu_kernel[(rows, cols // BLOCK)](y, gate, up, *gate.stride(), *up.stride(), cols, BLOCK=BLOCK)


@mistake(blank="launch")
def result_laid_out_as_gate(gate, up, rows, cols, BLOCK, swiglu_kernel):
    y = torch.empty_like(gate)
    grid = rows, triton.cdiv(cols, BLOCK)
    swiglu_kernel[grid](y, gate, up, *gate.stride(), *up.stride(), cols, BLOCK=BLOCK)


@mistake(blank="launch")
def returns_float32(gate, up, rows, cols, BLOCK, swiglu_kernel):
    y = torch.empty((rows, cols), dtype=torch.float32, device=gate.device)
    grid = rows, triton.cdiv(cols, BLOCK)
    swiglu_kernel[grid](y, gate, up, *gate.stride(), *up.stride(), cols, BLOCK=BLOCK)


@mistake(blank="launch")
def float32_first(gate, up, rows, cols, BLOCK, swiglu_kernel):
    y = torch.empty((rows, cols), dtype=gate.dtype, device=gate.device)
    gate, up = gate.float(), up.float()
    grid = rows, triton.cdiv(cols, BLOCK)
    swiglu_kernel[grid](y, gate, up, *gate.stride(), *up.stride(), cols, BLOCK=BLOCK)


@mistake(blank="launch")
def tiny_blocks(gate, up, rows, cols, swiglu_kernel):
    y = torch.empty((rows, cols), dtype=gate.dtype, device=gate.device)
    grid = rows, triton.cdiv(cols, 8)
    swiglu_kernel[grid](y, gate, up, *gate.stride(), *up.stride(), cols, BLOCK=8)


@mistake(blank="launch")
def a_launch_per_row(gate, up, rows, cols, BLOCK, swiglu_kernel):
    y = torch.empty((rows, cols), dtype=gate.dtype, device=gate.device)
    for i in range(rows):
        grid = 1, triton.cdiv(cols, BLOCK)
        swiglu_kernel[grid](y[i], gate[i], up[i], 0, gate.stride(1), 0, up.stride(1), cols, BLOCK=BLOCK)


@mistake(blank="launch_backward")
def exchanges_gradients(dy, gate, up, rows, cols, BLOCK, swiglu_backward_kernel):
    dgate, dup = (torch.empty((rows, cols), dtype=gate.dtype, device=gate.device) for _ in range(2))
    grid = rows, triton.cdiv(cols, BLOCK)
    swiglu_backward_kernel[grid](
        dup, dgate, dy, gate, up, *dy.stride(), *gate.stride(), *up.stride(), cols, BLOCK=BLOCK
    )


@mistake(blank="launch_backward")
def overwrites_inputs(dy, gate, up, rows, cols, BLOCK, swiglu_backward_kernel):
    dgate, dup = gate, up
    grid = rows, triton.cdiv(cols, BLOCK)
    swiglu_backward_kernel[grid](
        dgate, dup, dy, gate, up, *dy.stride(), *gate.stride(), *up.stride(), cols, BLOCK=BLOCK
    )


@mistake(blank="launch_backward")
def strides_of_gate_for_all(dy, gate, up, rows, cols, BLOCK, swiglu_backward_kernel):
    dgate, dup = (torch.empty((rows, cols), dtype=gate.dtype, device=gate.device) for _ in range(2))
    grid = rows, triton.cdiv(cols, BLOCK)
    swiglu_backward_kernel[grid](
        dgate, dup, dy, gate, up, *gate.stride(), *gate.stride(), *gate.stride(), cols, BLOCK=BLOCK
    )
