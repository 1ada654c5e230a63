import random

import pytest
import torch
import triton
import triton.language as tl

from clozekit.grading import mistake, reference

# rows, cols, level, slope, scale, dtype: logit j is about level + slope * j. A row longer than 16384 takes several blocks.
LOGITS = {
    "one class": (3, 1, 0, 0, 1, torch.float32),
    "a power of two": (5, 32, 0, 0, 1, torch.float32),
    "ragged columns": (4, 100, 0, 0, 2, torch.float32),
    "one row": (1, 37, 0, 0, 1, torch.float32),
    "more rows than columns": (40, 3, 0, 0, 1, torch.float32),
    "a long vocabulary": (2, 20000, 0, 0, 2, torch.float32),
    "rising along a long vocabulary": (1, 20000, 0, 6e-3, 1, torch.float32),
    "rising steeply along a long vocabulary": (1, 20000, 0, 5e-2, 1, torch.float32),
    "falling along a long vocabulary": (1, 20000, 0, -6e-3, 1, torch.float32),
    "in the thousands": (3, 60, 5e3, 0, 3, torch.float32),
    "far below zero": (3, 60, -5e3, 0, 3, torch.float32),
    "float16": (3, 200, 0, 0, 2, torch.float16),
    "bfloat16": (3, 200, 0, 0, 2, torch.bfloat16),
    "large float16": (3, 16, 3e4, 0, 3e3, torch.float16),
}

# logits of another layout than that of the gradient, [rows, cols] each.
LAYOUTS = {
    "transposed": lambda: torch.randn(30, 4).T,
    "a padded vocabulary": lambda: torch.randn(4, 40)[:, :30],
    "every other column": lambda: torch.randn(4, 60)[:, ::2],
    "one row for all": lambda: torch.randn(1, 30).expand(4, 30),
}

# The tensors of such a call are zeros: the target of every row is 0.
COSTS = {
    "rows of 128256 logits": "cross_entropy(bfloat16[16, 128256], int64[16])",
    "ignored rows": "cross_entropy(bfloat16[16, 128256], int64[16], ignore_index=0)",
}


def draw(rows, cols, level=0, slope=0, scale=1, dtype=torch.float32):
    """Logits and targets: among the first few, among the last few, and anywhere."""
    logits = (level + slope * torch.arange(cols) + scale * torch.randn(rows, cols)).to(dtype)
    near = torch.stack([torch.randint(cols, (rows,)), torch.randint(min(cols, 3), (rows,))])
    place = torch.arange(rows)
    return logits, torch.where(place % 3 == 0, near[0], torch.where(place % 3 == 1, near[1], cols - 1 - near[1]))


@pytest.mark.parametrize("case", LOGITS)
def test_logits(check, case):
    check("cross_entropy", *draw(*LOGITS[case]))


@pytest.mark.parametrize("case", LAYOUTS)
def test_layout(check, case):
    check("cross_entropy", LAYOUTS[case](), torch.tensor([29, 0, 7, 15]))


@pytest.mark.parametrize("ignore_index", [-100, -1, 2, 2**32 + 3])
def test_rows_are_ignored(check, ignore_index):
    logits, _ = draw(6, 50)
    target = torch.tensor([4, ignore_index, 0, ignore_index, 49, ignore_index])
    check("cross_entropy", logits, target, *([] if ignore_index == -100 else [ignore_index]))


def test_an_ignored_row_of_one_class(check):
    check("cross_entropy", torch.randn(3, 1), torch.tensor([0, -100, 0]))


def test_an_ignored_row_of_a_long_vocabulary(check):
    check("cross_entropy", torch.randn(2, 20000), torch.tensor([-100, 19999]))


def test_targets_beside_others(check):
    logits, target = draw(5, 20)
    check("cross_entropy", logits, torch.stack([target, -target - 1], dim=1)[:, 0])


@pytest.mark.parametrize("case", COSTS)
def test_costs(check, case):
    check.costs(COSTS[case])


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    half = random.choice([torch.float16, torch.bfloat16])
    check("cross_entropy", *draw(random.randint(50, 70), random.randint(2, 9)))
    check("cross_entropy", *draw(2, random.randint(33000, 40000), 0, random.choice([-3e-3, 3e-3]), 1, half))
    logits, target = draw(random.randint(5, 9), random.randint(101, 300), 0, 0, 3)
    ignored = random.randint(-9, -1)
    check("cross_entropy", logits.T.contiguous().T, target.index_fill(0, torch.tensor([1, 4]), ignored), ignored)


@reference("cross_entropy", compute=torch.float32, dtypes={"[0]": torch.float32})
def definition(logits, target, ignore_index=-100):
    """By the logarithm of the sum, as published kernels have it: among large logits it is known no better than they are."""
    kept = target != ignore_index
    chosen = target.where(kept, 0)[:, None]
    peak = logits.amax(dim=-1, keepdim=True)
    whole = peak + (logits - peak).exp().sum(dim=-1, keepdim=True).log()
    losses = (whole - logits.gather(-1, chosen)).squeeze(-1)
    grad = (logits - whole).exp() - torch.zeros_like(logits).scatter(-1, chosen, 1.0)
    return losses.where(kept, 0.0), grad.where(kept[:, None], 0.0)


@mistake(blank="ignored")
def never_ignores():
    pass


@mistake(blank="ignored")
def ignores_minus_100_only(target, loss_ptr, grad_ptr, row, cols, step, BLOCK):
    if target == -100:
        for first in range(0, cols, BLOCK):
            tl.store(grad_ptr + first + step, 0.0, mask=first + step < cols)
        tl.store(loss_ptr + row, 0.0)
        return


@mistake(blank="ignored")
def ignores_negative_targets(target, loss_ptr, grad_ptr, row, cols, step, BLOCK):
    if target < 0:
        for first in range(0, cols, BLOCK):
            tl.store(grad_ptr + first + step, 0.0, mask=first + step < cols)
        tl.store(loss_ptr + row, 0.0)
        return


@mistake(blank="ignored")
def leaves_gradients_of_ignored_rows(target, ignore_index, loss_ptr, row):
    if target == ignore_index:
        tl.store(loss_ptr + row, 0.0)
        return


@mistake(blank="ignored")
def leaves_losses_of_ignored_rows(target, ignore_index, grad_ptr, cols, step, BLOCK):
    if target == ignore_index:
        for first in range(0, cols, BLOCK):
            tl.store(grad_ptr + first + step, 0.0, mask=first + step < cols)
        return


@mistake(blank="update")
def forgets_peak(x, total):
    peak = 0.0
    total += tl.sum(tl.exp(x), axis=0)


@mistake(blank="update")
def peak_of_this_block(x, peak, total):
    new_peak = tl.max(x, axis=0)
    total = total * tl.exp(peak - new_peak) + tl.sum(tl.exp(x - new_peak), axis=0)
    peak = new_peak


@mistake(blank="update")
def forgets_to_rescale(x, peak, total):
    peak = tl.maximum(peak, tl.max(x, axis=0))
    total += tl.sum(tl.exp(x - peak), axis=0)


@mistake(blank="update")
def rescales_upside_down(x, peak, total):
    new_peak = tl.maximum(peak, tl.max(x, axis=0))
    total = total * tl.exp(new_peak - peak) + tl.sum(tl.exp(x - new_peak), axis=0)
    peak = new_peak


@mistake(blank="update")
def keeps_the_last_block(x, peak, total):
    peak = tl.maximum(peak, tl.max(x, axis=0))
    total = tl.sum(tl.exp(x - peak), axis=0)


@mistake(blank="loss")
def forgets_to_add_the_peak(loss_ptr, row, logits_ptr, logits_col, target, total):
    of_target = tl.load(logits_ptr + target * logits_col).to(tl.float32)
    tl.store(loss_ptr + row, tl.log(total) - of_target)


@mistake(blank="loss")
def logarithm_of_the_probability(loss_ptr, row, logits_ptr, logits_col, target, peak, total):
    of_target = tl.load(logits_ptr + target * logits_col).to(tl.float32)
    tl.store(loss_ptr + row, of_target - peak - tl.log(total))


@mistake(blank="loss")
def exponentiates_first(loss_ptr, row, logits_ptr, logits_col, target, peak, total):
    of_target = tl.load(logits_ptr + target * logits_col).to(tl.float32)
    tl.store(loss_ptr + row, -tl.log(tl.exp(of_target - peak) / total))


@mistake(blank="loss")
def bits(loss_ptr, row, logits_ptr, logits_col, target, peak, total):
    of_target = tl.load(logits_ptr + target * logits_col).to(tl.float32)
    tl.store(loss_ptr + row, tl.log2(total) + (peak - of_target))


@mistake(blank="loss")
def takes_classes_for_neighbours(loss_ptr, row, logits_ptr, target, peak, total):
    of_target = tl.load(logits_ptr + target).to(tl.float32)
    tl.store(loss_ptr + row, tl.log(total) + (peak - of_target))


@mistake(blank="gradient")
def forgets_the_target(grad_ptr, x, col, cols, peak, total):
    tl.store(grad_ptr + col, tl.exp(x - peak) / total, mask=col < cols)


@mistake(blank="gradient")
def target_counted_in_the_block(grad_ptr, x, col, step, cols, target, peak, total):
    probability = tl.exp(x - peak) / total
    grad = tl.where(step == target, probability - 1.0, probability)
    tl.store(grad_ptr + col, grad, mask=col < cols)


@mistake(blank="gradient")
def subtracts_one_everywhere(grad_ptr, x, col, cols, peak, total):
    tl.store(grad_ptr + col, tl.exp(x - peak) / total - 1.0, mask=col < cols)


@mistake(blank="gradient")
def uphill(grad_ptr, x, col, cols, target, peak, total):
    probability = tl.exp(x - peak) / total
    grad = tl.where(col == target, 1.0 - probability, -probability)
    tl.store(grad_ptr + col, grad, mask=col < cols)


@mistake(blank="gradient")
def forgets_to_normalise(grad_ptr, x, col, cols, target, peak):
    weight = tl.exp(x - peak)
    grad = tl.where(col == target, weight - 1.0, weight)
    tl.store(grad_ptr + col, grad, mask=col < cols)


@mistake(blank="gradient")
def gradient_of_the_mean(grad_ptr, x, col, cols, target, peak, total):
    probability = tl.exp(x - peak) / total
    grad = tl.where(col == target, probability - 1.0, probability) / tl.num_programs(0)
    tl.store(grad_ptr + col, grad, mask=col < cols)


@mistake(blank="gradient")
def stores_without_mask(grad_ptr, x, col, target, peak, total):
    probability = tl.exp(x - peak) / total
    tl.store(grad_ptr + col, tl.where(col == target, probability - 1.0, probability))


@mistake(blank="launch")
def losses_in_the_dtype_of_logits(logits, target, rows, cols, ignore_index, cross_entropy_kernel):
    losses = torch.empty(rows, dtype=logits.dtype, device=logits.device)
    grad = torch.empty((rows, cols), dtype=logits.dtype, device=logits.device)
    BLOCK = min(triton.next_power_of_2(cols), 16384)
    cross_entropy_kernel[(rows,)](
        losses, grad, logits, target, *logits.stride(), target.stride(0), cols, ignore_index, BLOCK=BLOCK, num_warps=32
    )


@mistake(blank="launch")
def gradient_in_float32(logits, target, rows, cols, ignore_index, cross_entropy_kernel):
    losses = torch.empty(rows, dtype=torch.float32, device=logits.device)
    grad = torch.empty((rows, cols), dtype=torch.float32, device=logits.device)
    BLOCK = min(triton.next_power_of_2(cols), 16384)
    cross_entropy_kernel[(rows,)](
        losses, grad, logits, target, *logits.stride(), target.stride(0), cols, ignore_index, BLOCK=BLOCK, num_warps=32
    )


@mistake(blank="launch")
def gradient_laid_out_as_logits(logits, target, rows, cols, ignore_index, cross_entropy_kernel):
    losses = torch.empty(rows, dtype=torch.float32, device=logits.device)
    grad = torch.empty_like(logits)
    BLOCK = min(triton.next_power_of_2(cols), 16384)
    cross_entropy_kernel[(rows,)](
        losses, grad, logits, target, *logits.stride(), target.stride(0), cols, ignore_index, BLOCK=BLOCK, num_warps=32
    )


@mistake(blank="launch")
def works_in_place(logits, target, rows, cols, ignore_index, cross_entropy_kernel):
    losses = torch.empty(rows, dtype=torch.float32, device=logits.device)
    grad = logits
    BLOCK = min(triton.next_power_of_2(cols), 16384)
    cross_entropy_kernel[(rows,)](
        losses, grad, logits, target, *logits.stride(), target.stride(0), cols, ignore_index, BLOCK=BLOCK, num_warps=32
    )


@mistake(blank="launch")
def takes_targets_for_contiguous(logits, target, rows, cols, ignore_index, cross_entropy_kernel):
    losses = torch.empty(rows, dtype=torch.float32, device=logits.device)
    grad = torch.empty((rows, cols), dtype=logits.dtype, device=logits.device)
    BLOCK = min(triton.next_power_of_2(cols), 16384)
    cross_entropy_kernel[(rows,)](
        losses, grad, logits, target, *logits.stride(), 1, cols, ignore_index, BLOCK=BLOCK, num_warps=32
    )


@mistake(blank="launch")
def block_of_any_length(logits, target, rows, cols, ignore_index, cross_entropy_kernel):
    losses = torch.empty(rows, dtype=torch.float32, device=logits.device)
    grad = torch.empty((rows, cols), dtype=logits.dtype, device=logits.device)
    cross_entropy_kernel[(rows,)](
        losses, grad, logits, target, *logits.stride(), target.stride(0), cols, ignore_index, BLOCK=cols, num_warps=32
    )


@mistake(blank="launch")
def whole_row_in_a_block(logits, target, rows, cols, ignore_index, cross_entropy_kernel):
    losses = torch.empty(rows, dtype=torch.float32, device=logits.device)
    grad = torch.empty((rows, cols), dtype=logits.dtype, device=logits.device)
    BLOCK = triton.next_power_of_2(cols)
    cross_entropy_kernel[(rows,)](
        losses, grad, logits, target, *logits.stride(), target.stride(0), cols, ignore_index, BLOCK=BLOCK, num_warps=32
    )


@mistake(blank="launch")
def a_launch_per_row(logits, target, rows, cols, ignore_index, cross_entropy_kernel):
    losses = torch.empty(rows, dtype=torch.float32, device=logits.device)
    grad = torch.empty((rows, cols), dtype=logits.dtype, device=logits.device)
    BLOCK = min(triton.next_power_of_2(cols), 16384)
    for row in range(rows):
        cross_entropy_kernel[(1,)](
            losses[row:], grad[row:], logits[row:], target[row:], *logits.stride(), target.stride(0), cols,
            ignore_index, BLOCK=BLOCK, num_warps=32,
        )  # fmt: skip


@mistake(blank="loss")
def sums_in_a_pass_of_its_own(loss_ptr, row, logits_ptr, logits_col, target, step, cols, peak, total, BLOCK):
    total = 0.0
    for first in range(0, cols, BLOCK):
        again = tl.load(logits_ptr + (first + step) * logits_col, mask=first + step < cols, other=-float("inf"))
        total += tl.sum(tl.exp(again.to(tl.float32) - peak), axis=0)
    of_target = tl.load(logits_ptr + target * logits_col).to(tl.float32)
    tl.store(loss_ptr + row, tl.log(total) + (peak - of_target))


@mistake(blank="gradient")
def stores_the_softmax_first(grad_ptr, x, col, cols, target, peak, total):
    tl.store(grad_ptr + col, tl.exp(x - peak) / total, mask=col < cols)
    probability = tl.load(grad_ptr + col, mask=col < cols, other=0.0)
    tl.store(grad_ptr + col, tl.where(col == target, probability - 1.0, probability), mask=col < cols)


@mistake("cross_entropy_kernel")
def reads_ignored_rows(
    loss_ptr, grad_ptr, logits_ptr, target_ptr, logits_row, logits_col, target_row,
    cols, ignore_index, BLOCK: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    step = tl.arange(0, BLOCK).to(tl.int64)
    logits_ptr += row * logits_row
    grad_ptr += row * cols
    target = tl.load(target_ptr + row * target_row)
    kept = tl.where(target == ignore_index, 0.0, 1.0)
    target = tl.where(target == ignore_index, 0, target)
    peak = -float("inf")
    total = 0.0
    for first in range(0, cols, BLOCK):
        col = first + step
        x = tl.load(logits_ptr + col * logits_col, mask=col < cols, other=-float("inf")).to(tl.float32)
        new_peak = tl.maximum(peak, tl.max(x, axis=0))
        total = total * tl.exp(peak - new_peak) + tl.sum(tl.exp(x - new_peak), axis=0)
        peak = new_peak
    of_target = tl.load(logits_ptr + target * logits_col).to(tl.float32)
    tl.store(loss_ptr + row, (tl.log(total) + (peak - of_target)) * kept)
    for first in range(0, cols, BLOCK):
        col = first + step
        x = tl.load(logits_ptr + col * logits_col, mask=col < cols, other=-float("inf")).to(tl.float32)
        probability = tl.exp(x - peak) / total
        grad = tl.where(col == target, probability - 1.0, probability)
        tl.store(grad_ptr + col, grad * kept, mask=col < cols)
