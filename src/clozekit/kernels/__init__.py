"""Triton kernels on a machine without a GPU: every program of every launch runs in this process, on the CPU.

    interpret.py    install(), launches: a kernel called on CPU tensors runs through Triton's interpreter
    grammar.py      what the compiler refuses, refused here too
    rewrite.py      a kernel's source, made runnable by Python with the compiler's meaning
    language.py     triton.language, callable from an interpreted kernel as well as by the compiler
    builder.py      what each operation computes, in numpy
    reductions.py   tl.sum, tl.max, tl.cumsum and every other reduce and scan
    libdevice.py    the functions of CUDA's libdevice, in numpy
    undefined.py    what lanes hold that a mask kept from loading
    bounds.py       which addresses a launch may touch; OutOfBounds
    plan.py         what the host did in one call, as data
    record.py       writes it down
    alone.py        a submission's kernels without its host code
    replay.py       runs a plan with these, and counts what they load and store
    driver.py       the GPU that is not there, for wrappers that ask about it
    private.py      what Triton does not promise: the one place that names it

Nothing is imported here: torch and triton come with the first module that needs them.
"""
