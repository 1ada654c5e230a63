"""A class run on a Ray cluster: a judge on every node; the store and the progress stay where the command runs.

    cloze grade submissions/ --out results/ --executor ray      the cluster of RAY_ADDRESS, else one made of this machine

                    ┌──Job──> Judge on node a, as many at a time as it has processors
    collect ─submit─┤  <─Line─
                    └──Job──> Judge on node b

Every node has the kit and, at the same paths, the content. A node whose reports would follow from something else (another torch,
another tier, other graders) is left out. When a judge is lost, with its node or without, each of its jobs is tried again with a
judge for itself: one that takes three along is to blame, and no other.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Set
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayActorError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from clozekit.catalog import Catalog
from clozekit.classroom.executors import Executor
from clozekit.classroom.handed import Line
from clozekit.classroom.judging import Job, Judging
from clozekit.engine import Engine
from clozekit.errors import CannotCheck
from clozekit.report import Problem

TRIES = 3  # judges that one job may lose
AHEAD = 4  # jobs for each processor that are with their judge: the network takes longer than a queue
Follows = tuple[Any, Any]  # what reports follow from: versions, tier and seed; the files of each exercise


class Judge:
    """The actor of one node."""

    def __init__(self, seed: int, roots: list[Path], told: tuple[str, Any], device: str | None, slots: int):
        processors = sorted(os.sched_getaffinity(0))
        shares = slots < len(processors)  # the machine with others: nobody here knows whose a processor is
        self.engine = Engine(seed)
        self.judging = Judging(self.engine, Catalog(roots), *told, device, [None] * slots if shares else processors)

    def follows(self) -> Follows:
        return self.judging.follows()

    def judge(self, job: Job) -> Line:
        return self.judging.judge(job)

    def close(self) -> None:
        self.engine.close()


class Cluster:
    """The judges of a cluster, by node, and what each of them has to do.

    starting: nodes whose judge has not answered yet. left_out: nodes that cannot take part. complain: hears why. one_suspect: of
    the jobs that have lost a judge one at a time is tried again. reserved: the node that it has for itself.
    """

    def __init__(self, judging: Judging, roots: list[Path], complain: Callable[[str], None]):
        self.follows, self.complain = judging.follows(), complain
        self.given = (judging.engine.seed, roots, (judging.language, judging.reveal), judging.device)
        self.lost_job = lambda job: judging.told(judging.nothing(job.exercise, LOST))
        self.changed = threading.Condition()
        self.judges: dict[str, Any] = {}
        self.slots: dict[str, int] = {}
        self.under_way: dict[str, int] = {}
        self.starting: set[str] = set()
        self.one_suspect = threading.Lock()
        self.reserved: str | None = None
        self.left_out: set[str] = set()
        self.look_around()

    def look_around(self) -> None:
        """Start a judge on every node that has none."""
        resource = "GPU" if self.given[-1] else "CPU"
        for node in ray.nodes():
            id, slots = node["NodeID"], int(node["Resources"].get(resource, 0))
            with self.changed:
                if not (node["Alive"] and slots) or id in self.left_out | self.starting | self.judges.keys():
                    continue
                self.starting.add(id)
                self.slots[id] = 1 if resource == "GPU" else slots
            self._start(id, node["NodeManagerAddress"])

    def _start(self, id: str, address: str) -> None:
        """One judge takes the node for itself; where there is a GPU, one job has it at a time."""
        slots = self.slots[id]
        wanted = {"num_gpus": 1} if self.given[-1] else {"num_cpus": slots}
        actor: Any = ray.remote(Judge).options(
            **wanted, max_concurrency=slots, scheduling_strategy=NodeAffinitySchedulingStrategy(id, soft=False)
        )
        judge = actor.remote(*self.given, slots)
        judge.follows.remote().future().add_done_callback(lambda found: self._greet(id, address, judge, found))

    def _greet(self, id: str, address: str, judge: Any, found: Future[Follows]) -> None:
        error, complaint = found.exception(), ""
        if error:
            complaint = f"no judge starts there: {str(error).strip().splitlines()[-1]}"
        elif found.result() != self.follows:
            complaint = f"it grades by other things than this machine: {_difference(found.result(), self.follows)}"
        if complaint:  # before anybody gives up for want of nodes
            self.complain(f"the node {address} is left out: {complaint}")
        with self.changed:
            self.starting.discard(id)
            if complaint:
                self.left_out.add(id)
            else:
                self.judges[id], self.under_way[id] = judge, 0
            self.changed.notify_all()

    def submit(self, job: Job) -> Future[Line]:
        answer: Future[Line] = Future()
        try:
            id, judge = self._free()
        except CannotCheck as error:
            answer.set_exception(error)
            return answer
        judge.judge.remote(job).future().add_done_callback(lambda told: self._hear(id, judge, job, answer, told))
        return answer

    def _free(self) -> tuple[str, Any]:
        """A judge for one more job.

        Raises:
            CannotCheck: there is none, and none is starting.
        """
        with self.changed:
            self.changed.wait_for(lambda: self.judges.keys() - {self.reserved} or not (self.judges or self.starting))
            return self._take(self.judges.keys() - {self.reserved})

    def _alone(self) -> tuple[str, Any]:
        """A judge that has no other job, and gets none until `reserved` is None again. Raises as `_free`."""
        with self.changed:
            while True:
                self.changed.wait_for(lambda: self.judges or not self.starting)
                self.reserved = self._least(self.judges.keys())
                self.changed.wait_for(lambda: self.reserved not in self.judges or not self.under_way[self.reserved])
                if self.reserved in self.judges:
                    return self._take({self.reserved})

    def _take(self, among: Set[str]) -> tuple[str, Any]:
        id = self._least(among)
        self.under_way[id] += 1
        return id, self.judges[id]

    def _least(self, among: Set[str]) -> str:
        """The node that has the least to do for its size."""
        if not among:
            raise CannotCheck("no node of the Ray cluster can judge; `ray status` shows which there are")
        return min(among, key=lambda id: self.under_way[id] / self.slots[id])

    def _hear(self, id: str, judge: Any, job: Job, answer: Future[Line], told: Future[Line]) -> None:
        error = told.exception()
        if isinstance(error, RayActorError):  # not in Ray's own thread, in which nothing may be asked of Ray
            threading.Thread(target=self._try_alone, args=(id, judge, job, answer), daemon=True).start()
            return
        with self.changed:
            self.under_way[id] -= 1
            self.changed.notify_all()
        if error:
            answer.set_exception(error)
        else:
            answer.set_result(told.result())

    def _try_alone(self, id: str, judge: Any, job: Job, answer: Future[Line]) -> None:
        """A judge has gone, and this may be why: from now on the job has a judge for itself, and takes no other along."""
        self._lose(id, judge)
        with self.one_suspect:
            for _ in range(TRIES - 1):
                try:
                    id, judge = self._alone()
                    answer.set_result(ray.get(judge.judge.remote(job)))
                except RayActorError:
                    self._lose(id, judge)
                except Exception as error:
                    answer.set_exception(error)
                else:
                    self.under_way[id] = 0
                with self.changed:
                    self.reserved = None
                    self.changed.notify_all()
                if answer.done():
                    return
        answer.set_result(self.lost_job(job))

    def _lose(self, id: str, judge: Any) -> None:
        """Its node may be there still, and others may have come."""
        with self.changed:
            if self.judges.get(id) is judge:  # another job may have told, and another judge be there
                del self.judges[id]
            self.changed.notify_all()
        self.look_around()

    def close(self) -> None:
        with contextlib.suppress(Exception):  # the command has what it wants; a judge that is gone closes no better
            ray.get([judge.close.remote() for judge in self.judges.values()], timeout=10)
        for judge in self.judges.values():
            ray.kill(judge)


LOST = Problem("engine", {"error": f"{TRIES} judges were lost while they graded this file"})


@contextlib.contextmanager
def on_ray(judging: Judging, roots: list[Path], complain: Callable[[str], None]) -> Iterator[Executor]:
    """All nodes of a Ray cluster.

    Raises:
        CannotCheck: none of them can judge.
    """
    ours = not ray.is_initialized()
    if ours:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    try:
        cluster = Cluster(judging, roots, complain)
        try:
            yield cluster.submit, AHEAD * sum(cluster.slots.values())
        finally:
            cluster.close()
    finally:
        if ours:
            ray.shutdown()


def _difference(theirs: Follows, ours: Follows) -> str:
    if theirs[0] != ours[0]:
        pairs = [pair for pair in zip(theirs[0], ours[0], strict=True) if pair[0] != pair[1]]
        return "; ".join(f"{there} there, {here} here" for there, here in pairs)
    return "the files of " + ", ".join(sorted(id for id in ours[1] if theirs[1].get(id) != ours[1][id]))
