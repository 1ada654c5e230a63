"""What a confined process may use up, how its end is told, and that nothing inside outlives what is around it."""

import _thread
import ctypes
import mmap
import os
import signal

import pytest

from clozekit.protocol import Layers, Limits
from clozekit.sandbox import enter, namespaces, prepare

TIERS = {"A": ("namespaces", "landlock", "seccomp"), "B": ("landlock", "seccomp"), "C": ()}


@pytest.fixture(params=TIERS)
def tier(request, need):
    """The layers of each tier that this machine has, or can imitate."""
    need(*TIERS[request.param])
    return {name: name in TIERS[request.param] for name in TIERS["A"]}


# Limits


def take_memory(place):
    taken = []
    try:
        while len(taken) < 100:
            taken.append(bytearray(32 << 20))
    except MemoryError:
        return len(taken) * 32


def test_memory_ends(inside, tier):
    assert 0 < inside(take_memory, **tier).value <= 1024


def reserve_addresses(place):
    reserved = mmap.mmap(-1, 64 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=0)
    size = len(reserved)
    reserved.close()
    return size


def test_for_a_gpu_addresses_are_free_and_memory_is_not(inside, tier):
    """CUDA reserves addresses for everything that there is."""
    limits = Limits(memory=1 << 30, device="cuda")
    assert 0 < inside(take_memory, limits=limits, **tier).value <= 1024
    assert inside(reserve_addresses, limits=limits, **tier).value == 64 << 30
    assert inside(reserve_addresses, **tier).error == "OSError"


def write_a_long_file(place):
    with open("long", "wb") as file:
        for _ in range(100):
            file.write(bytes(1 << 20))


def test_a_file_ends(inside, tier):
    assert inside(write_a_long_file, **tier).error == "OSError"


def fill(place):
    """Bytes written to many files until no more fit."""
    written = 0
    try:
        for number in range(1000):
            with open(f"file {number}", "wb", buffering=0) as file:
                written += file.write(bytes(512 << 10))
    except OSError as error:
        return written, error.strerror


def test_the_disk_of_its_own_is_small(inside, need):
    need("namespaces")
    written, why = inside(fill, namespaces=True).value
    assert 0 < written <= 1 << 20
    assert why == "No space left on device"


def make_directories(place):
    for number in range(5000):
        os.mkdir(f"directory {number}")


def test_the_disk_of_its_own_takes_few_files(inside, need):
    need("namespaces")
    assert inside(make_directories, namespaces=True).number == 28


def open_many(place):
    return [os.dup(0) for _ in range(1000)]


def test_descriptors_end(inside, tier):
    assert inside(open_many, **tier).number == 24


def start_threads(place, count):
    """How many of these threads start, all of which wait."""
    wait = _thread.allocate_lock()
    wait.acquire()
    for started in range(count):
        try:
            _thread.start_new_thread(wait.acquire, ())
        except RuntimeError:
            return started
    return count


def test_threads_end(inside, need, ordinary):
    """For root the kernel has no such limit."""
    need("namespaces", "landlock", "seccomp")
    assert 8 < inside(start_threads, 200, uid=ordinary).value < 32


def test_there_are_threads(inside, tier):
    assert inside(start_threads, 8, **tier).value == 8


def raise_limits(place):
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_limits_cannot_be_raised(inside, tier):
    assert inside(raise_limits, **tier).error in ("ValueError", "PermissionError")


def privileges(place):
    lines = dict(line.split(":\t") for line in open("/proc/self/status"))
    return [lines[name].strip() for name in ("CapEff", "CapPrm", "CapInh", "CapAmb", "NoNewPrivs")]


def test_there_are_no_privileges(inside, need):
    *capabilities, no_new = inside(privileges, landlock=False).value
    assert {int(each, 16) for each in capabilities} == {0}
    assert no_new == "1"


# Its own place


def look_around(place):
    with open("here", "w") as file:
        file.write("text")
    os.mkdir("below")
    os.rename("here", "below/there")
    here = os.getcwd(), os.listdir(), os.listdir("below"), open("below/there").read()
    os.unlink("below/there")
    os.rmdir("below")
    os.close(os.open("/dev/null", os.O_WRONLY))
    return here


def test_scratch_is_for_files(inside, tier, place):
    outcome = inside(look_around, **tier)
    assert outcome.value == [f"{place}/home/ours", ["below"], ["there"], "text"], outcome


def test_scratch_is_for_files_of_an_ordinary_user(inside, need, ordinary, place):
    need("landlock", "seccomp")
    assert inside(look_around, uid=ordinary).value[0] == f"{place}/home/ours"


def write_here(place):
    (place.scratch / "left").write_text("behind")


def test_the_disk_of_its_own_is_gone_afterwards(inside, need, place):
    need("namespaces")
    inside(write_here, namespaces=True)
    assert os.listdir(place / "home/ours") == []
    assert not any(str(place) in line for line in open("/proc/mounts"))


def identity(place):
    return os.getpid(), os.getppid(), os.getuid(), os.uname().nodename


def test_it_is_nobody_in_namespaces_of_its_own(inside, need):
    need("namespaces")
    assert inside(identity, namespaces=True).value[:3] == [2, 0, 65534]


# How it ends

ENDS = {
    "exits": (lambda place: os._exit(7), 7),
    "terminates itself": (lambda place: os.kill(os.getpid(), signal.SIGTERM), -signal.SIGTERM),
    "aborts": (lambda place: os.abort(), -signal.SIGABRT),
    "reads address 0": (lambda place: ctypes.string_at(0), -signal.SIGSEGV),
    "kills itself": (lambda place: os.kill(os.getpid(), signal.SIGKILL), -signal.SIGKILL),
}


@pytest.mark.parametrize("name", ENDS)
def test_how_it_ended_is_told(name, inside, tier):
    does, code = ENDS[name]
    assert inside(does, **tier).ended == code


def shut_in(kill, scratch):
    """What is left when a worker's guard, or its zygote, is killed: a pipe tells, which ends when its last holder is dead."""
    read, write = os.pipe()
    told, tell = os.pipe()
    zygote = os.fork()
    if zygote == 0:
        os.close(read)
        os.close(tell)
        namespaces.nest()
        pid, guard = namespaces.fork()
        if pid == 0:
            enter(prepare(Layers(namespaces=True), scratch, ()), Limits(), scratch)
            os.write(write, b"confined")
            signal.pause()
        os.close(write)
        os.read(told, 1)
        os.kill(guard, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.waitpid(guard, 0)
        os._exit(0)
    os.close(write)
    said = os.read(read, 100).decode()
    if kill == "zygote":
        os.kill(zygote, signal.SIGKILL)
    else:
        os.write(tell, b"kill")
    end = os.read(read, 100).decode()
    return said, end, os.waitstatus_to_exitcode(os.waitpid(zygote, 0)[1])


@pytest.mark.parametrize(("kill", "code"), {"guard": 0, "zygote": -signal.SIGKILL}.items())
def test_nothing_inside_outlives_its(kill, code, apart, need, place):
    need("namespaces")
    assert apart(shut_in, kill, f"{place}/home/ours") == ["confined", "", code]
