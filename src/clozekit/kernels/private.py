"""The one door to what Triton does not promise: its interpreter, its launcher, what its compiler knows of the language.

    from clozekit.kernels.private import JITFunction, unwrap        the same under all of SUPPORTED

    UnsupportedTriton: triton 3.10.0: cannot import name 'mangle_type' from 'triton.runtime.jit'; this clozekit knows
    triton>=3.7,<3.10

No other module imports or reads a private name of Triton's. So a release that moved one is met here, when the judge
starts, and not in the middle of somebody's kernel. What others replace or read by name is listed in NEEDED.
"""

# ruff: noqa: F401  what is imported here is for others

import types
from typing import Any

import triton
import triton.language as tl

SUPPORTED = ">=3.7,<3.10"

# what not all of them compile
_VERSION = tuple(int(part) for part in triton.__version__.split(".")[:2])
BLOCK_POINTERS = _VERSION < (3, 9)
CHAINED_COMPARISONS = _VERSION >= (3, 9)
BARE_CONSTANTS = _VERSION >= (3, 8)  # `size: tl.constexpr` makes a constant of what is assigned to size later on


class UnsupportedTriton(ImportError):
    """The Triton that is installed lacks something."""

    def __init__(self, lack: str):
        super().__init__(f"triton {triton.__version__}: {lack}; this clozekit knows triton{SUPPORTED}")


try:
    from triton._C.libtriton import interpreter as memory
    from triton._C.libtriton import ir
    from triton._utils import is_namedtuple
    from triton.backends.driver import DriverBase
    from triton.backends.nvidia.compiler import CUDABackend, CUDAOptions, min_dot_size
    from triton.compiler.code_generator import CodeGenerator
    from triton.language import core
    from triton.language.core import _unwrap_if_constexpr as unwrap
    from triton.language.core import _wrap_axis as wrap_axis
    from triton.language.semantic import TritonSemantic
    from triton.language.standard import _argmax_combine_tie_break_fast as argmax_fast
    from triton.language.standard import _argmax_combine_tie_break_left as argmax_left
    from triton.language.standard import _argmin_combine_tie_break_fast as argmin_fast
    from triton.language.standard import _argmin_combine_tie_break_left as argmin_left
    from triton.language.standard import _elementwise_max as maximum
    from triton.language.standard import _elementwise_min as minimum
    from triton.language.standard import _or_combine as bitwise_or
    from triton.language.standard import _prod_combine as product
    from triton.language.standard import _sum_combine as total
    from triton.language.standard import _xor_combine as bitwise_xor
    from triton.runtime import driver, interpreter, jit
    from triton.runtime.autotuner import Autotuner
    from triton.runtime.interpreter import InterpreterBuilder, InterpreterOptions, TensorHandle
    from triton.runtime.interpreter import _get_np_dtype as stored_dtype
    from triton.runtime.jit import (
        JITCallable,
        JITFunction,
        KernelInterface,
        KernelParam,
        TensorWrapper,
        create_function_from_signature,
        mangle_type,
    )
except ImportError as error:
    raise UnsupportedTriton(str(error).partition(" (")[0]) from error

NEEDED: tuple[tuple[Any, str], ...] = (
    (memory, "load store"),
    (ir, "context load_dialects"),
    (ir.INPUT_PRECISION, "TF32"),
    (ir.ROUNDING_MODE, "RTZ"),
    (CUDABackend, "add_stages get_codegen_implementation get_module_map load_dialects"),
    (CUDAOptions, "__dataclass_fields__"),
    (CodeGenerator, "builtin_namespace statically_implemented_functions"),
    (core, "builtin_max builtin_min is_builtin tensor_descriptor_base"),
    (core.dtype, "to_ir"),
    (core.tensor, "T"),
    (TritonSemantic, "integer_promote_impl make_tensor_descriptor permute tensor to_tensor"),
    (driver, "_active"),
    (interpreter, "InterpretedFunction _validate_np_data_size"),
    (InterpreterBuilder(), "codegen_fns options set_grid_dim set_grid_idx"),
    (InterpreterBuilder, "binary_op cast_impl create_atomic_cas create_atomic_rmw create_bitcast create_dot unary_op"),
    (InterpreterBuilder, "create_fp_to_fp create_load create_masked_load create_select create_store"),
    (TensorHandle, "get_element_ty"),
    (Autotuner, "_bench check_disk_cache"),
    (JITFunction, "_pack_args run"),
    (tl.sum, "arg_names fn get_capture_scope module params parse pre_run_hooks signature"),  # a jitted function
    (tl.sum.params[0], "annotation_type is_constexpr name"),
)


def lacking() -> list[str]:
    """What of NEEDED is not there: "JITFunction has no run"."""
    return [
        f"{(owner if isinstance(owner, type | types.ModuleType) else type(owner)).__name__} has no {name}"
        for owner, names in NEEDED
        for name in names.split()
        if not hasattr(owner, name)
    ]


if lacks := lacking():
    raise UnsupportedTriton(", ".join(lacks))


def defined_at(kernel: JITFunction) -> tuple[str, int]:
    """The file of a kernel, and the line of its `def`."""
    if hasattr(kernel, "def_file_line_number"):  # since 3.9
        return kernel.file_name, kernel.def_file_line_number
    file, line = jit.get_jit_fn_file_line(kernel)
    return file, line


def pack_arguments(
    kernel: JITFunction, backend: CUDABackend, options: dict[str, Any], bound: dict[str, Any], specialization: list[Any]
) -> tuple[Any, dict[str, str], dict[Any, Any], dict[Any, Any]]:
    """What the compiler needs of a launch: options, types, constants and attributes."""
    parsed, signature, constants, attributes = kernel._pack_args(backend, options, bound, specialization, None)
    return parsed, signature, constants, attributes
