import random

import pytest
import torch
import triton
import triton.language as tl

from clozekit.grading import mistake, reference

# shape, mean, scale, dtype. Each case tells the answer apart from a mistake that resembles it.
CASES = {
    "a row": ((100,), 0, 1, torch.float32),
    "a whole block": ((1024,), 0, 1, torch.float32),
    "one element": ((1,), 0, 1, torch.float32),
    "no axis": ((), 0, 1, torch.float32),
    "several axes": ((3, 5, 7), 0, 1, torch.float32),
    "many blocks": ((1500,), 0, 1, torch.float32),
    "large float32": ((37,), 1e30, 1e30, torch.float32),
    "float16": ((5, 21), 0, 1, torch.float16),
    "large float16": ((64,), 1e4, 2e3, torch.float16),
    "bfloat16": ((5, 21), 0, 1, torch.bfloat16),
}

# x and y of other layouts than that of the result.
LAYOUTS = {
    "both transposed": lambda: torch.randn(2, 7, 4).mT,
    "one transposed": lambda: (torch.randn(4, 7), torch.randn(7, 4).T),
    "slices of wider rows": lambda: torch.randn(2, 3, 12)[..., 2:9],
    "every other element": lambda: torch.randn(2, 40)[:, ::2],
    "one row for all": lambda: (torch.randn(1, 7).expand(3, 7), torch.randn(3, 7)),
}


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    shape, mean, scale, dtype = CASES[case]
    x, y = (torch.randn(2, *shape) * scale + mean).to(dtype)
    check("add", x, y)


@pytest.mark.parametrize("case", LAYOUTS)
def test_layout(check, case):
    x, y = LAYOUTS[case]()
    check("add", x, y)


@pytest.mark.parametrize("call", ["add(float16[1000, 1050], float16[1000, 1050])", "add(float16[2048], float16[2048])"])
def test_costs(check, call):
    check.costs(call)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    half = random.choice([torch.float16, torch.bfloat16])
    long, many = (random.randint(2049, 2400),), (random.randint(2, 5), 1, random.randint(2, 40), random.randint(2, 9))
    for shape, dtype in ((long, torch.float32), (many, half), (many, torch.float32), (long, half)):
        step = random.randint(1, 3)
        x, y = torch.randn(2, *shape[:-1], step * shape[-1]).to(dtype)[..., ::step]
        check("add", x, y)


@reference("add")
def definition(x, y):
    return torch.add(x, y)


@mistake(blank="places")
def first_block_only(n, BLOCK):
    place = tl.arange(0, BLOCK)
    inside = place < n


@mistake(blank="places")
def programs_one_element_apart(n, BLOCK):
    place = tl.program_id(0) + tl.arange(0, BLOCK)
    inside = place < n


@mistake(blank="places")
def mask_within_the_block(n, BLOCK):
    lane = tl.arange(0, BLOCK)
    place = tl.program_id(0) * BLOCK + lane
    inside = lane < n


@mistake(blank="places")
def lanes_far_apart(n, BLOCK):
    place = tl.program_id(0) + tl.arange(0, BLOCK) * tl.num_programs(0)
    inside = place < n


@mistake(blank="add")
def forgets_mask(x_ptr, y_ptr, z_ptr, place):
    x = tl.load(x_ptr + place)
    y = tl.load(y_ptr + place)
    tl.store(z_ptr + place, x + y)


@mistake(blank="add")
def adds_addresses(x_ptr, y_ptr, z_ptr, place, inside):
    tl.store(z_ptr + place, x_ptr + place + y_ptr + place, mask=inside)


@mistake(blank="add")
def stores_in_x(x_ptr, y_ptr, z_ptr, place, inside):
    x = tl.load(x_ptr + place, mask=inside)
    y = tl.load(y_ptr + place, mask=inside)
    tl.store(x_ptr + place, x + y, mask=inside)


@mistake(blank="add")
def adds_in_memory(x_ptr, y_ptr, z_ptr, place, inside):
    tl.store(z_ptr + place, tl.load(x_ptr + place, mask=inside), mask=inside)
    z = tl.load(z_ptr + place, mask=inside)
    tl.store(z_ptr + place, z + tl.load(y_ptr + place, mask=inside), mask=inside)


@mistake(blank="launch")
def ignores_strides(x, y, add_kernel):
    z = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    n, BLOCK = z.numel(), 1024
    add_kernel[(triton.cdiv(n, BLOCK),)](z, x, y, n, BLOCK=BLOCK)


@mistake(blank="launch")
def result_laid_out_as_x(x, y, add_kernel):
    z = torch.empty_like(x)
    n, BLOCK = z.numel(), 1024
    add_kernel[(triton.cdiv(n, BLOCK),)](z, x.contiguous(), y.contiguous(), n, BLOCK=BLOCK)


@mistake(blank="launch")
def one_layout_for_all(x, y, add_kernel):
    z = torch.empty_like(x)
    n, BLOCK = z.numel(), 1024
    add_kernel[(triton.cdiv(n, BLOCK),)](z, x, y, n, BLOCK=BLOCK)


@mistake(blank="launch")
def leaves_out_last_block(x, y, add_kernel):
    x, y = x.contiguous(), y.contiguous()
    z = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    n, BLOCK = z.numel(), 1024
    add_kernel[(n // BLOCK,)](z, x, y, n, BLOCK=BLOCK)


@mistake(blank="launch")
def block_of_n_elements(x, y, add_kernel):
    x, y = x.contiguous(), y.contiguous()
    z = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    n = z.numel()
    add_kernel[(1,)](z, x, y, n, BLOCK=n)


@mistake(blank="launch")
def counts_rows(x, y, add_kernel):
    x, y = x.contiguous(), y.contiguous()
    z = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    n, BLOCK = len(x), 1024
    add_kernel[(triton.cdiv(n, BLOCK),)](z, x, y, n, BLOCK=BLOCK)


@mistake(blank="launch")
def works_in_place(x, y, add_kernel):
    x, y = x.contiguous(), y.contiguous()
    z = x
    n, BLOCK = z.numel(), 1024
    add_kernel[(triton.cdiv(n, BLOCK),)](z, x, y, n, BLOCK=BLOCK)


@mistake(blank="launch")
def returns_float32(x, y, add_kernel):
    x, y = x.contiguous(), y.contiguous()
    z = torch.empty(x.shape, dtype=torch.float32, device=x.device)
    n, BLOCK = z.numel(), 1024
    add_kernel[(triton.cdiv(n, BLOCK),)](z, x, y, n, BLOCK=BLOCK)


@mistake(blank="launch")
def one_block_for_all(x, y, add_kernel):
    x, y = x.contiguous(), y.contiguous()
    z = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    n = z.numel()
    add_kernel[(1,)](z, x, y, n, BLOCK=triton.next_power_of_2(n))


@mistake(blank="launch")
def an_element_per_program(x, y, add_kernel):
    x, y = x.contiguous(), y.contiguous()
    z = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    n = z.numel()
    add_kernel[(n,)](z, x, y, n, BLOCK=1)


@mistake(blank="launch")
def a_launch_per_block(x, y, add_kernel):
    x, y = x.contiguous(), y.contiguous()
    z = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    x, y, n = x.view(-1), y.view(-1), z.numel()
    for first in range(0, n, 1024):
        add_kernel[(1,)](z.view(-1)[first:], x[first:], y[first:], min(n - first, 1024), BLOCK=1024)


@mistake(blank="launch")
def float32_first(x, y, add_kernel):
    z = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    n, BLOCK = z.numel(), 1024
    add_kernel[(triton.cdiv(n, BLOCK),)](z, x.float().contiguous(), y.float().contiguous(), n, BLOCK=BLOCK)
