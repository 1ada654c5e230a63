"""A launch, compiled to PTX for a GPU that is not there.

    compile(softmax_kernel, {"y_ptr": y, "x_ptr": x, ..., "BLOCK": 1024}, "sm_90", 87, num_warps=4)
        Compiled(ptx=".version 8.7 ...", shared_bytes=16, num_warps=4, seconds=0.12)

What a GPU's own launch would compile: the same specialisation (a pointer or a size divisible by 16 is known to be), the
same options. Stops before ptxas, which is another program: assembling.py starts it, on the trusted side.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, CompilationError

from clozekit.kernels.private import CUDABackend, JITFunction, create_function_from_signature, ir, pack_arguments
from clozekit.meters.costs import PTX_LIMIT, Compiled, Target

WARPS = 32  # of 32 threads: a GPU starts no program of more than 1024, though a compiler makes it

SCRATCH = ("global_scratch_size", "profile_scratch_size")  # bytes of a program; a kernel takes a pointer for each


def compile(
    kernel: JITFunction,
    given: dict[str, Any],
    target: Target,
    ptx_version: int,
    seen: Callable[[str], None] = lambda ttgir: None,
    **options: int,
) -> Compiled:
    """Compile one launch. `given`: its arguments by name, CPU tensors among them; options: num_warps, num_stages.

    ptx_version: that of the ptxas to come, which is another program. seen: gets the TritonGPU IR, where layouts show.

    What the compiler refuses is the error of the result.
    """
    began = time.perf_counter()
    if options.get("num_warps", 0) > WARPS:
        return Compiled(error=f"num_warps={options['num_warps']}: a program has {WARPS} warps at most")
    try:
        ptx, metadata = _ptx(kernel, given, int(target.removeprefix("sm_")), ptx_version, seen, options)
    except CompilationError as error:
        return Compiled(error=_complaint(error)[:4000], seconds=time.perf_counter() - began)
    except Exception as error:  # MLIR's failures come as RuntimeError, those of a learner's constants as anything
        return Compiled(error=f"{type(error).__name__}: {error}"[:4000], seconds=time.perf_counter() - began)
    if len(ptx) > PTX_LIMIT:
        return Compiled(error=f"{len(ptx)} characters of PTX", seconds=time.perf_counter() - began)
    shared, warps = metadata.get("shared") or 0, metadata.get("num_warps") or 4
    scratch = [metadata.get(name) or 0 for name in SCRATCH if name in metadata]
    signature = dict(_flat(metadata["signature"]))
    seconds = time.perf_counter() - began
    return Compiled(ptx, int(shared), int(warps), seconds, signature=signature, scratch=scratch)


def key(kernel: JITFunction, given: dict[str, Any], **options: int) -> str:
    """The same for two launches only if the compiler makes the same of them."""
    return f"{kernel.cache_key} {_specialised(kernel, given, CUDABackend(GPUTarget('cuda', 90, 32)))[1]} {options}"


def _specialised(kernel: JITFunction, given: dict[str, Any], backend: CUDABackend) -> tuple[dict[str, Any], list[Any]]:
    binder = create_function_from_signature(kernel.signature, kernel.params, backend)
    bound, specialization, _ = binder(**given, debug=False)
    return bound, specialization


def _ptx(
    kernel: JITFunction,
    given: dict[str, Any],
    arch: int,
    ptx_version: int,
    seen: Callable[[str], None],
    options: dict[str, int],
) -> tuple[str, dict[str, Any]]:
    target = GPUTarget("cuda", arch, 32)
    backend = CUDABackend(target)
    bound, specialization = _specialised(kernel, given, backend)
    fixed = {"debug": False, "instrumentation_mode": "", "enable_fp_fusion": True}
    wanted: dict[str, Any] = {**options, **fixed, "ptx_version": ptx_version}
    parsed, signature, constexprs, attributes = pack_arguments(kernel, backend, wanted, bound, specialization)
    source = ASTSource(kernel, signature, constexprs, attributes)
    context = ir.context()
    ir.load_dialects(context)
    backend.load_dialects(context)
    module: Any = source.make_ir(
        target, parsed, backend.get_codegen_implementation(parsed), backend.get_module_map(), context
    )
    stages: dict[str, Callable[[Any, dict[str, Any]], Any]] = {}
    backend.add_stages(stages, parsed, source.language)
    metadata: dict[str, Any] = {"target": target, **vars(parsed), "signature": signature}
    for name, stage in stages.items():
        if name == "cubin":
            break
        module = stage(module, metadata)
        if name == "ttgir":
            seen(str(module))
    return module, metadata


def _flat(types: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A type for each parameter that PTX takes: of a tuple, which has none of its own, those of its items, `strides[0]`."""
    for name, type in types.items():
        if isinstance(type, tuple):
            yield from _flat({f"{name}[{place}]": item for place, item in enumerate(type)})
        else:
            yield name, str(type)


def _complaint(error: CompilationError) -> str:
    """Triton's message without its picture of the source: `at 12:8: ... only integers can be used as ...`."""
    cause = error.__cause__
    said = getattr(error, "error_message", None) or (str(cause) if cause else "") or str(error)
    line = getattr(error.node, "lineno", None)
    return f"line {line} of the kernel: {said}" if line else said
