"""Ordinary wrappers around ordinary kernels, on CPU tensors. The truth is torch's."""

import os

import pytest
import torch
import triton
import triton.language as tl
from torch.testing import assert_close
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, make_backend
from triton.tools.tensor_descriptor import TensorDescriptor

from clozekit.kernels import interpret, private

LOG2E = tl.constexpr(1.4426950408889634)


@triton.jit
def scale_kernel(y_ptr, x_ptr, n, factor, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    tl.store(y_ptr + i, x * factor, mask=i < n)


def scale(x, kernel=scale_kernel, block=128, **options):
    y = torch.empty(x.shape, dtype=x.dtype)
    blocks = {"BLOCK": block} if block else {}
    kernel[lambda meta: (triton.cdiv(x.numel(), meta["BLOCK"]),)](y, x, x.numel(), 2.5, **blocks, **options)
    return y


def test_every_program_runs_and_the_launch_is_on_record():
    x = torch.randn(2, 150)
    assert_close(scale(x, num_warps=8), x * 2.5)
    assert interpret.launches == [
        interpret.Launch(
            kernel="scale_kernel",
            grid=(3, 1, 1),
            arguments={"y_ptr": "float32[2, 150]", "x_ptr": "float32[2, 150]", "n": "300", "factor": "2.5"},
            constexprs={"BLOCK": 128},
            num_warps=8,
            num_stages=3,
        )
    ]
    interpret.forget()
    assert interpret.launches == []


def test_a_strided_argument_is_described_with_its_strides():
    o = torch.zeros(1)
    scale_kernel[(1,)](o, torch.zeros(4, 6).T, 1, 1.0, BLOCK=1)
    assert interpret.launches[0].arguments["x_ptr"] == "float32[6, 4] strides [1, 6]"


def test_an_autotuner_takes_its_first_configuration_and_launches_once():
    configs = [triton.Config({"BLOCK": block}, num_warps=2) for block in (64, 256)]
    x = torch.randn(100)
    assert_close(scale(x, triton.autotune(configs, key=["n"])(scale_kernel), block=None), x * 2.5)
    [launch] = interpret.launches
    assert (launch.constexprs, launch.num_warps) == ({"BLOCK": 64}, 2)


def test_heuristics_decide_per_launch():
    sized = triton.heuristics({"BLOCK": lambda args: triton.next_power_of_2(args["n"])})(scale_kernel)
    for n in (5, 100):
        x = torch.randn(n)
        y = torch.empty(n)
        sized[(1,)](y, x, n, 2.0)
        assert_close(y, x * 2)
    assert [launch.constexprs["BLOCK"] for launch in interpret.launches] == [8, 128]


@triton.jit
def squash(x, steep: tl.constexpr = 2):
    return tl.sigmoid(x * steep), x.max(axis=0)


@triton.jit
def apply_kernel(y_ptr, x_ptr, FUNCTION: tl.constexpr, N: tl.constexpr):
    i = tl.arange(0, N)
    y, peak = FUNCTION(tl.load(x_ptr + i))
    tl.store(y_ptr + i, y + peak)


def test_helpers_are_called_with_defaults_as_arguments_and_as_methods():
    x, y = torch.randn(16), torch.empty(16)
    apply_kernel[(1,)](y, x, squash, 16)
    assert_close(y, torch.sigmoid(2 * x) + x.max())


@triton.jit
def persistent_kernel(y_ptr, x_ptr, stride, rows, cols, BLOCK: tl.constexpr, num_stages: tl.constexpr):
    for row in tl.range(tl.program_id(0), rows, tl.num_programs(0), num_stages=num_stages):
        col = tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * stride + col, mask=col < cols, other=-float("inf"))
        x = tl.exp(x - tl.max(x, axis=0))
        tl.store(y_ptr + row * stride + col, x / tl.sum(x, axis=0), mask=col < cols)


def test_the_persistent_softmax_of_tutorial_2_may_ask_the_driver_and_warm_up():
    x = torch.randn(7, 30)
    active = triton.runtime.driver.active
    properties = active.utils.get_device_properties(active.get_active_torch_device().index)
    y = torch.empty_like(x)
    compiled = persistent_kernel.warmup(y, x, 30, *x.shape, BLOCK=32, num_stages=2, num_warps=8, grid=(1,))
    compiled._init_handles()
    occupancy = properties["max_num_regs"] // (compiled.n_regs * properties["warpSize"] * 8)
    assert interpret.launches == []
    grid = (min(properties["multiprocessor_count"] * occupancy, 3), 1, 1)
    for launch in (persistent_kernel[grid], compiled[grid]):
        y.zero_()
        launch(y, x, 30, 7, 30, 32, 2)
        assert_close(y, x.softmax(-1))
    y.zero_()
    compiled[grid](y, x, 30, 7, 30)  # as the tutorial had it: the constants are the warm-up's
    assert_close(y, x.softmax(-1))


@triton.jit
def control_kernel(y_ptr, n, flag, nothing, pair, wide: tl.int64, DEPTH: tl.constexpr):
    total = tl.zeros([4], tl.float32)
    for i in range(n):
        if i > 0 and not i == 2:  # noqa: SIM201
            total += i.to(tl.float32)  # the counter is a tensor, as in compiled code
    for step in tl.static_range(DEPTH):
        total += step
    count = 0
    while count < 3:
        count += 1
    if (nothing is None or nothing > 0) and (flag or n > 100):
        total += 100.0 * count
    both = (tl.arange(0, 4) > 0) and (tl.arange(0, 4) < 3)
    total += both.to(tl.float32) * 1000
    total += LOG2E * total * 0 + min(DEPTH, 2) + max(pair[0], pair[1])
    tl.static_assert(wide.dtype == tl.int64)
    tl.store(y_ptr + tl.arange(0, 4), total if n > 1 else -total)


def test_control_flow_and_arguments_mean_what_the_compiler_says():
    y = torch.empty(4)
    control_kernel[(1,)](y, 4, True, None, (5, 6), 1, DEPTH=3)
    same = 1 + 3 + (0 + 1 + 2) + 300 + 2 + 6
    assert y.tolist() == [same, same + 1000, same + 1000, same]


def test_libdevice_works_however_it_is_imported(load):
    module = load("""
        from triton.language.extra import libdevice
        from triton.language.extra.libdevice import rsqrt
        from triton.language.extra.cuda.libdevice import fast_expf

        @triton.jit
        def kernel(y_ptr, x_ptr, eps, N: tl.constexpr):
            i = tl.arange(0, N)
            x = tl.load(x_ptr + i)
            y = rsqrt(x * x + eps.to(tl.float32)) + libdevice.tanh(x) + fast_expf(x) + libdevice.pow(x, 2.0)
            y += libdevice.erf(x) + libdevice.div_rn(x, 3.0) + libdevice.isnan(x).to(tl.float32)
            tl.store(y_ptr + i, y)
    """)
    x, y = torch.randn(64), torch.empty(64)
    module.kernel[(1,)](y, x, 1e-5, 64)
    assert_close(y, (x * x + 1e-5).rsqrt() + x.tanh() + x.exp() + x**2 + x.erf() + x / 3)


@triton.jit
def bfloat16_kernel(y_ptr, x_ptr, w_ptr, N: tl.constexpr):
    i = tl.arange(0, N)
    x, w = tl.load(x_ptr + i), tl.load(w_ptr + i)
    y = tl.where(x > w, x * w + x - 3.0 * w, -x)
    tl.store(y_ptr + i, y)
    tl.store(y_ptr + N + i, y.to(tl.int16, bitcast=True).to(tl.bfloat16, bitcast=True) * i.to(tl.bfloat16))
    tl.store(y_ptr + 2 * N, tl.sum(x.to(tl.float32)))


def test_bfloat16_is_rounded_after_every_operation():
    x, w = torch.randn(2, 64).bfloat16()
    y = torch.empty(129).bfloat16()
    bfloat16_kernel[(1,)](y, x, w, 64)
    expected = torch.where(x > w, x * w + x - 3.0 * w, -x)
    assert torch.equal(y[:64], expected)
    assert torch.equal(y[64:128], expected * torch.arange(64).bfloat16())
    assert_close(y[128], x.float().sum().bfloat16())


@triton.jit
def matmul_kernel(c_ptr, a_ptr, b_ptr, N: tl.constexpr):
    i, j = tl.arange(0, N)[:, None], tl.arange(0, N)[None, :]
    a, b = tl.load(a_ptr + i * N + j), tl.load(b_ptr + i * N + j)
    acc = tl.zeros((N, N), c_ptr.dtype.element_ty)
    acc = tl.dot(a, b.T, acc, out_dtype=c_ptr.dtype.element_ty)
    tl.store(c_ptr + i * N + j, tl.dot(a, tl.trans(b), acc, out_dtype=c_ptr.dtype.element_ty))


DOTS = [
    (torch.float32, torch.float32),
    (torch.float16, torch.float32),
    (torch.float16, torch.float16),
    (torch.bfloat16, torch.float32),
    (torch.int8, torch.int32),
]


@pytest.mark.parametrize(("inputs", "output"), DOTS, ids=str)
def test_dot_multiplies_every_dtype(inputs, output):
    a, b = torch.randint(-4, 5, (2, 32, 32)).to(inputs)  # small whole numbers: every sum is exact
    c = torch.empty(32, 32, dtype=output)
    matmul_kernel[(1,)](c, a, b, 32)
    assert torch.equal(c, (2 * a.double() @ b.double().T).to(output))


@triton.jit
def descriptor_kernel(y, x_ptr, rows, cols, BLOCK: tl.constexpr):
    x = tl.make_tensor_descriptor(x_ptr, [rows, cols], [cols, 1], [BLOCK, BLOCK])
    at = [tl.program_id(0) * BLOCK, tl.program_id(1) * BLOCK]
    y.store(at, x.load(at) * 2)


@triton.jit
def block_pointer_kernel(y_ptr, x_ptr, rows, cols, BLOCK: tl.constexpr):
    x = tl.make_block_ptr(x_ptr, (rows, cols), (cols, 1), (0, 0), (BLOCK, BLOCK), (1, 0))
    y = tl.make_block_ptr(y_ptr, (rows, cols), (cols, 1), (0, 0), (BLOCK, BLOCK), (1, 0))
    at = (tl.program_id(0) * BLOCK, tl.program_id(1) * BLOCK)
    value = tl.load(tl.advance(x, at), boundary_check=(0, 1), padding_option="zero")
    tl.store(tl.advance(y, at), value * 2, boundary_check=(0, 1))


DTYPES = [torch.float32, torch.bfloat16]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_descriptors_stop_at_the_edge(dtype):
    x = torch.randn(20, 40).to(dtype)
    y = torch.zeros_like(x)
    descriptor_kernel[(2, 3)](TensorDescriptor.from_tensor(y, [16, 16]), x, 20, 40, 16)
    assert torch.equal(y, 2 * x)


@pytest.mark.skipif(not private.BLOCK_POINTERS, reason="this Triton has no block pointers")
@pytest.mark.filterwarnings("ignore:tl.make_block_ptr is deprecated")
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_block_pointers_stop_at_the_edge(dtype):
    x = torch.randn(20, 40).to(dtype)
    y = torch.zeros_like(x)
    block_pointer_kernel[(2, 3)](y, x, 20, 40, 16)
    assert torch.equal(y, 2 * x)


@triton.jit
def chain(a, b, c, d):
    return a * c, b * c + d


@triton.jit
def collect_kernel(y_ptr, at_ptr, x_ptr, w_ptr, N: tl.constexpr):
    i, j = tl.arange(0, 4), tl.arange(0, N)
    x = tl.load(x_ptr + i[:, None] * N + j[None, :])
    w = tl.load(w_ptr + j)
    tl.store(y_ptr + i, x.sum(axis=-1))
    tl.store(y_ptr + 4 + i, tl.max(tl.min(x, 1, keep_dims=True), 1))
    tl.store(y_ptr + 8, tl.sum(x))
    _, last = tl.reduce((w, w), 0, chain)
    tl.store(y_ptr + 9, last)
    _, partial = tl.associative_scan((w, w), 0, chain)
    tl.store(y_ptr + 10 + j, partial)
    tl.store(y_ptr + 10 + N + j, tl.cumsum(w, 0, reverse=True))
    tl.store(at_ptr + i, tl.argmax(x, 1))


def test_reductions_and_scans_agree_with_torch_and_with_their_own_function():
    x, w = torch.randn(4, 8), torch.rand(8)
    y, at = torch.empty(26), torch.empty(4, dtype=torch.int32)
    collect_kernel[(1,)](y, at, x, w, 8)
    partial = [w[0]]
    for value in w[1:]:
        partial.append(partial[-1] * value + value)
    expected = [x.sum(1), x.min(1).values, x.sum()[None], partial[-1:], partial, w.flip(0).cumsum(0).flip(0)]
    assert_close(y, torch.cat([torch.as_tensor(part) for part in expected]))
    assert torch.equal(at, x.argmax(1).int())


@triton.jit
def count_kernel(counts_ptr, peak_ptr, x_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    tl.atomic_add(counts_ptr + i % 2, 1, mask=i < n)
    tl.atomic_max(peak_ptr, tl.max(x))


def test_atomics_of_all_programs_add_up():
    x = torch.randn(100)
    counts, peak = torch.zeros(2, dtype=torch.int32), torch.zeros(1)
    count_kernel[(4,)](counts, peak, x, 100, 32)
    assert counts.tolist() == [50, 50]
    assert peak == x.max()


def test_a_watcher_sees_each_access_before_it_happens():
    x, y = torch.randn(10), torch.zeros(10)
    seen = []
    interpret.watchers.append(lambda access: seen.append((access, y.sum().item())))
    scale_kernel[(1,)](y, x, 10, 1.0, BLOCK=16)
    (load, _), (store, before) = seen
    assert (load.kind, load.size, load.argument.name, int(load.mask.sum())) == ("load", 4, "x_ptr", 10)
    assert (store.kind, store.argument.name, before) == ("store", "y_ptr", 0)
    assert int(store.pointers[3]) == y.data_ptr() + 3 * 4
    assert store.line == load.line + 1 == scale_kernel.starting_line_number + 4


def test_uninstall_leaves_triton_as_it_was():
    interpret.uninstall()
    owners = [tl, tl.core, tl.tensor, tl.constexpr, tl.range, tl.static_range, tl.dtype, triton.JITFunction]
    before = [dict(vars(owner)) for owner in owners]
    interpret.install()
    interpret.install()
    assert [dict(vars(owner)) for owner in owners] != before
    interpret.uninstall()
    assert [dict(vars(owner)) for owner in owners] == before


def test_a_module_cannot_leave_the_interpreter_by_asking_for_another(load, monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    module = load("""
        @triton.jit
        def kernel(y_ptr):
            tl.store(y_ptr, 1.0)
    """)
    module.kernel[(1,)](torch.empty(1))
    assert [launch.kernel for launch in interpret.launches] == ["kernel"]


def test_nothing_is_added_to_the_module_of_a_kernel(load):
    module = load("""
        @triton.jit
        def kernel(y_ptr):
            tl.store(y_ptr, tl.sum(tl.arange(0, 4)))
    """)
    before = set(vars(module))
    module.kernel[(1,)](torch.empty(1, dtype=torch.int32))
    assert set(vars(module)) == before


def test_the_compiler_still_works_in_the_same_process():
    signature = {"y_ptr": "*fp32", "at_ptr": "*i32", "x_ptr": "*fp32", "w_ptr": "*fp32", "N": "constexpr"}
    target = GPUTarget("cuda", 90, 32)
    backend = make_backend(target)
    options = backend.parse_options({"enable_fp_fusion": True})
    context = triton._C.libtriton.ir.context()
    triton._C.libtriton.ir.load_dialects(context)
    backend.load_dialects(context)
    source = ASTSource(collect_kernel, signature, {(4,): 8})
    arguments = (options, backend.get_codegen_implementation(options), backend.get_module_map(), context)
    assert str(source.make_ir(target, *arguments)).count("tt.store") == 7


def test_a_fork_of_a_process_that_imported_triton_can_launch():
    x = torch.randn(100)
    child = os.fork()
    if not child:
        status = 1
        try:
            status = 0 if torch.equal(scale(x), x * 2.5) else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
