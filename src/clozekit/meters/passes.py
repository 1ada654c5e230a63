"""How often eager CUDA kernels read what they have to read once.

    _softmax of float32[64, 32000]      Passes(reads=3.0, apart=128000): a row is longer than shared memory
    _softmax of float32[64, 1000]       Passes(): a row stays in registers

Read off the kernels in pytorch/aten/src/ATen/native/cuda, which work alike on all NVIDIA devices. A second read of what is
still in the L2 cache costs little: `apart` tells how much one block reads before it comes back, `blocks` how many do so on
one multiprocessor at a time. `alone`: how many loads wait for each other where one small block does all the work. Not
`modelled` is what waits for something else than memory: gathers and scatters, random numbers, and what is element by element
but differs in its strides, for all of which indices are computed one by one (TensorIterator's kernels without vectors).
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from clozekit.meters.counts import ONCE, Passes
from clozekit.meters.operators import Called

IN_REGISTERS = 1024, 4096  # elements and bytes of a row: SoftMax.cu, host_softmax
SHARED = 48 << 10  # bytes that a block may have without asking for more
INDEXED = {
    "embedding",
    "embedding_dense_backward",
    "gather",
    "index",
    "index_add",
    "index_copy",
    "index_put",
    "index_select",
} | {*("scatter", "scatter_add", "scatter_reduce", "sort", "topk", "_index_put_impl")}
COPIES = {"_to_copy", "clone", "copy"}
VECTOR = 16  # bytes: rows that are no multiple of it are not kept in shared memory


def passes(called: Called) -> Passes:
    """Those of the operator, once each where nothing else is known."""
    if called.plain in INDEXED or torch.Tag.nondeterministic_seeded in called.func.tags or _strides_differ(called):
        return Passes(modelled=False)
    return TABLE[called.plain](called) if called.plain in TABLE and called.first.numel() else ONCE


def _strides_differ(called: Called) -> bool:
    """Of what is element by element, but for what is broadcast."""
    if torch.Tag.pointwise not in called.func.tags and called.plain not in COPIES:
        return False
    shape = called.results[0].shape if called.results else None
    tensors = [*called.results, *(tensor for operand in called.operands.values() for tensor in operand)]
    return len({each.stride() for each in tensors if each.shape == shape and 0 not in each.stride()}) > 1


def _softmax(called: Called) -> Passes:
    """SoftMax.cu: maximum, sum and result are a pass each, unless registers or shared memory hold the row."""
    row, kept = _row(called.first, called.args[1])
    return ONCE if kept else Passes(reads=3.0, apart=row)


def _log_softmax_backward(called: Called) -> Passes:
    """cunn_SoftMaxBackward: of gradient and result, the gradient is read again for the result."""
    row, kept = _row(called.first, called.args[2])
    return ONCE if kept else Passes(reads=1.5, apart=2 * row)


def _softmax_backward(called: Called) -> Passes:
    """softmax_backward_cuda_out: a kernel multiplies gradient and result, another reads the product and the result."""
    _, kept = _row(called.first, called.args[2])
    return Passes(reads=2.0 if kept else 2.5, writes=2.0, apart=_all(called))


def _row(x: Tensor, dim: int) -> tuple[int, bool]:
    """The bytes of one softmax, and whether its block reads them once."""
    if not x.ndim:
        return x.element_size(), True
    dim %= x.ndim
    row = x.shape[dim] * x.element_size()
    if inner := math.prod(x.shape[dim + 1 :]) - 1:  # not along neighbours: cunn_SpatialSoftMaxForward, row by row
        return row * (inner + 1), False
    in_registers = x.shape[dim] <= IN_REGISTERS[0] and row <= IN_REGISTERS[1]
    return row, in_registers or (row < SHARED and row % VECTOR == 0)


def _layer_norm(called: Called) -> Passes:
    """layer_norm_kernel.cu: the block of a row, 128 threads, takes its statistics, then reads the row again."""
    return Passes(reads=2.0, apart=_last(called.first), blocks=16)


def _layer_norm_backward(called: Called) -> Passes:
    """layer_norm_kernel.cu: dx reads its row twice, and a kernel of its own reads all for dweight and dbias."""
    return Passes(reads=3.0, apart=_all(called))


def _statistics_first(called: Called) -> Passes:
    """group_norm_kernel.cu, Normalization.cuh: a kernel takes the statistics (or their gradients), another reads all again."""
    return Passes(reads=2.0, apart=_all(called))


def _nll_loss(called: Called) -> Passes:
    """Loss.cu: of a reduced loss one block of 32 threads does all rows, each a label and what lies where it says."""
    return ONCE if called.args[3] == 0 else Passes(alone=2 * _steps(called.args[1]))


def _nll_loss_backward(called: Called) -> Passes:
    """Loss.cu: the same block, which only has to wait for labels."""
    return ONCE if called.args[4] == 0 else Passes(alone=_steps(called.args[2]))


def _steps(labels: Tensor) -> int:
    return math.ceil(labels.numel() / 32)


def _last(x: Tensor) -> int:
    return x.shape[-1] * x.element_size() if x.ndim else x.element_size()


def _all(called: Called) -> int:
    return called.read_bytes()


TABLE: dict[str, Callable[[Called], Passes]] = {
    "_fused_rms_norm": _layer_norm,  # the same kernels, without the mean
    "_fused_rms_norm_backward": _layer_norm_backward,
    "_log_softmax": _softmax,  # measured as well: 3 reads from 48 KB on fit published times
    "_log_softmax_backward_data": _log_softmax_backward,
    "_safe_softmax": _softmax,
    "_softmax": _softmax,
    "_softmax_backward_data": _softmax_backward,
    "native_batch_norm": _statistics_first,
    "native_batch_norm_backward": _statistics_first,
    "native_group_norm": _statistics_first,
    "native_group_norm_backward": _statistics_first,
    "native_layer_norm": _layer_norm,
    "native_layer_norm_backward": _layer_norm_backward,
    "nll_loss_backward": _nll_loss_backward,
    "nll_loss_forward": _nll_loss,
}
