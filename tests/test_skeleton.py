"""What `cloze new` writes is a small exercise that needs no repair."""

import pytest

from clozekit.catalog import Catalog
from clozekit.errors import ClozeError
from clozekit.exercise import Exercise
from clozekit.skeleton import write_skeleton
from clozekit.verify import prove


def test_a_fresh_exercise_is_proven_mutants_included(author, engine):
    proof = prove(author(), engine)
    assert not proof.complaints
    assert not proof.notes
    assert set(proof.mistakes) == {"forgets_scale", "forgets_square", "scales_first"}
    assert all(margin.mistake for margin in proof.margins)


def test_a_track_grows_and_a_new_one_is_opened(tmp_path):
    for id in ("lab/square", "lab/cube", "kitchen/knife", "lab/sphere"):
        files = write_skeleton(tmp_path, id)
        assert all(path.exists() for path in files)
    assert [exercise.id for exercise in Catalog([tmp_path])] == [
        "lab/square",
        "lab/cube",
        "lab/sphere",
        "kitchen/knife",
    ]


def test_a_triton_exercise_has_its_solution_in_kernels(tmp_path):
    write_skeleton(tmp_path, "triton/add")
    assert (tmp_path / "kernels" / "add.py").exists()
    assert not (tmp_path / "solutions").exists()


@pytest.mark.parametrize(
    "id", ["square", "Lab/square", "lab/square/deep", "../lab/square", "lab/sqüare", "lab/", "1lab/a"]
)
def test_a_name_that_cannot_be_a_path_and_a_module_is_refused(id, tmp_path):
    with pytest.raises(ClozeError, match="is no TRACK/NAME"):
        write_skeleton(tmp_path, id)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path):
    write_skeleton(tmp_path, "lab/square")
    words = Exercise(tmp_path, "lab/square").words_path
    words.write_text("mine")
    with pytest.raises(ClozeError, match="exists; choose another name or edit it"):
        write_skeleton(tmp_path, "lab/square")
    assert words.read_text() == "mine"
