"""Archives that strangers made: what is fine in them is found, all else is a line or an error, and nothing else is touched."""

import gzip
import io
import os
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clozekit.classroom import archives, layouts, trees
from clozekit.describe import describe
from clozekit.errors import ClozeError
from clozekit.submission import LIMIT

KNOWN = ["lab/cube", "lab/square"]
RIGHT = b"def square(x): ...\n"
PACKED = ("w:gz", "w:xz", "w:bz2", "w")
SUFFIX = {"zip": ".zip", "w": ".tar", "w:gz": ".tar.gz", "w:xz": ".tar.xz", "w:bz2": ".tar.bz2"}


def zipped(files, **options) -> bytes:
    """A zip file. Of files each is a name or a ZipInfo, with bytes."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, content)
    return raw.getvalue()


def tarred(files, mode="w") -> bytes:
    """A tar file. Of files each is a name or a TarInfo, with bytes."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode=mode) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return raw.getvalue()


def packed(how, files) -> bytes:
    return zipped(files) if how == "zip" else tarred(files, how)


@pytest.fixture
def found(tmp_path, monkeypatch):
    """found({"ada.zip": bytes}): of all that is found the student, the file, and its bytes or what is said of it.

    Nothing may be left of what was unpacked, and nothing else may have changed.
    """
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))

    def found(files):
        home = tmp_path / "class"
        for name, content in files.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_bytes(content)
        source = home / name if files.keys() == {"class.zip"} else home
        before = sorted(tmp_path.rglob("*"))
        with trees.opened(source, tmp_path / "out") as tree:
            handed = layouts.find(tree, KNOWN).handed
            told = [(each.student, each.file, told_of(each)) for each in handed]
        assert sorted(tmp_path.rglob("*")) == before
        return told

    return found


def told_of(handed):
    return describe(handed.problem, "en") if handed.problem else handed.path.read_bytes()


@pytest.mark.parametrize("how", SUFFIX)
def test_an_archive_stands_for_the_folder_of_a_student(how, found):
    name = f"ada{SUFFIX[how]}"
    files = {name: packed(how, {"./lab/square.py": RIGHT, "README.md": b"", "lab/": b""}), "bob/lab/cube.py": b"#"}
    assert found(files) == [("ada", f"{name}/lab/square.py", RIGHT), ("bob", "lab/cube.py", b"#")]


@pytest.mark.parametrize("how", SUFFIX)
def test_what_an_archive_is_its_first_bytes_say(how, found):
    for name in ("ada.zip", "ada.tar", "ada.tgz"):
        assert found({name: packed(how, {"lab/square.py": RIGHT})}) == [("ada", f"{name}/lab/square.py", RIGHT)]
        os.unlink(Path(archives.tempfile.tempdir).parent / "class" / name)


def test_zst_is_read_where_python_can(found):
    if not find_spec("compression"):
        told = found({"ada.tar.zst": b"\x28\xb5\x2f\xfd"})
        assert told[0][2] == (
            "ada.tar.zst cannot be unpacked: only Python 3.14 and later read .zst; pack it as .zip or .tar.gz"
        )
        pytest.skip("this Python has no compression.zstd: only that it says so was tested")
    from compression import zstd

    raw = zstd.compress(tarred({"lab/square.py": RIGHT}))
    assert found({"ada.tar.zst": raw}) == [("ada", "ada.tar.zst/lab/square.py", RIGHT)]


def test_a_folder_and_an_archive_of_one_student(found):
    told = found({"ada.zip": zipped({"lab/square.py": b"#", "lab/cube.py": b"#"}), "ada/lab/square.py": RIGHT})
    assert told == [
        ("ada", "ada.zip/lab/cube.py", b"#"),
        (
            "ada",
            "ada.zip/lab/square.py",
            "ada.zip/lab/square.py is not graded: lab/square.py is for the same exercise; hand in one of them",
        ),
        ("ada", "lab/square.py", RIGHT),
    ]


def test_a_pipe_a_loop_and_a_folder_that_are_called_like_archives(found, tmp_path):
    """A link of the teacher's is followed, of the student's it is not."""
    home = tmp_path / "class"
    (home / "ada").mkdir(parents=True)
    os.mkfifo(home / "ada/hw.zip")
    (home / "bob.zip").symlink_to("bob.zip")
    (tmp_path / "cyd.zip").write_bytes(ONE)
    (home / "cyd.zip").symlink_to("../cyd.zip")
    (home / "dan").mkdir()
    (home / "dan/hw.zip").symlink_to("../../cyd.zip")
    told = found({"eve.zip/lab/square.py": RIGHT})
    assert [(student, told) for student, _, told in told] == [
        ("ada", "hw.zip cannot be unpacked: it is no file"),
        ("bob", "bob.zip cannot be unpacked: Too many levels of symbolic links"),
        ("cyd", RIGHT),
        ("dan", "hw.zip is a link, which is not followed; hand in the file itself"),
        ("eve", RIGHT),
    ]


def test_a_class_in_an_archive_with_archives_in_it(found):
    """The folder that is called like the archive is no student."""
    inner = zipped({"homework/hw.tar": tarred({"lab/square.py": RIGHT})})
    assert found({"class.zip": zipped({"class/ada.zip": inner, "class/bob/lab/cube.py": b"#", "class/cyd/": b""})}) == [
        ("ada", "ada.zip/homework/hw.tar/lab/square.py", RIGHT),
        ("bob", "lab/cube.py", b"#"),
        ("cyd", "", "nothing was handed in: there is no TRACK/NAME.py"),
    ]


# Members that are not what they should be


def tar_member(name, **fields):
    member = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(member, field, value)
    return member


def zip_member(name, mode=0, **fields):
    member = zipfile.ZipInfo(name)
    member.external_attr = mode << 16
    for field, value in fields.items():
        setattr(member, field, value)
    return member


OUT = "its name leads out of the archive"
HOSTILE = {
    "absolute": (tarred({"/etc/lab/square.py": b""}), OUT),
    "absolute in a zip file": (zipped({"/etc/lab/square.py": b""}), OUT),
    "upwards": (tarred({"lab/../../../square.py": b""}), OUT),
    "upwards in a zip file": (zipped({"../lab/square.py": b""}), OUT),
    "upwards by backslashes": (zipped({"..\\lab\\square.py": b""}), OUT),
    "a drive": (zipped({"C:\\lab\\square.py": b""}), OUT),
    "too long": (tarred({"a" * 4096 + ".py": b""}), "its name has more than 1000 characters"),
    "a link": (tarred([(tar_member("lab/square.py", type=tarfile.SYMTYPE, linkname="/etc/passwd"), b"")]), "is a link"),
    "a hard link": (tarred([(tar_member("lab/square.py", type=tarfile.LNKTYPE, linkname="x"), b"")]), "is a link"),
    "a link in a zip file": (
        zipped([(zip_member("lab/square.py", stat.S_IFLNK | 0o777), b"/etc/passwd")]),
        "is a link",
    ),
    "a device": (tarred([(tar_member("lab/square.py", type=tarfile.CHRTYPE, devmajor=1), b"")]), "it is no file"),
    "a pipe": (tarred([(tar_member("lab/square.py", type=tarfile.FIFOTYPE), b"")]), "it is no file"),
    "a pipe in a zip file": (zipped([(zip_member("lab/square.py", stat.S_IFIFO), b"")]), "it is no file"),
    "twice": (tarred([("lab/square.py", b"1"), ("lab/square.py", b"2")]), "square.py is there more than once"),
    "another method": (
        zipped([(zip_member("lab/square.py", compress_type=zipfile.ZIP_LZMA), RIGHT)]),
        "it is packed by method 14; use deflate",
    ),
    "no archive": (b"PK, or so they say", "it is damaged (BadZipFile: File is not a zip file)"),
    "another kind of archive": (b"Rar!\x1a\x07\x00", "it is neither a zip file nor a tar file"),
    "nothing": (b"", "it is neither a zip file nor a tar file"),
    "a compressed file that is no archive": (gzip.compress(RIGHT), "it is damaged (ReadError: "),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_bad_member_or_archive_costs_a_line_and_nobody_else_anything(name, found):
    raw, why = HOSTILE[name]
    suffix = {"another kind of archive": "rar", "nothing": "7z", "a compressed file that is no archive": "gz"}.get(
        name, "zip"
    )
    told = found({f"ada.{suffix}": raw, "bob/lab/square.py": RIGHT})
    assert [student for student, *_ in told] == ["ada", "bob"]
    assert why in told[0][2]
    assert told[1][2] == RIGHT


def test_the_good_members_beside_a_bad_one_are_found(found):
    bad = zip_member("lab/cube.py", stat.S_IFLNK)
    told = found({"ada.zip": zipped([("lab/square.py", RIGHT), (bad, b"x"), ("/../notes", b""), ("notes.jpg", b"")])})
    assert [each[2] for each in told] == [
        "/../notes cannot be unpacked: its name leads out of the archive",
        "lab/cube.py is a link, which is not followed; hand in the file itself",
        RIGHT,
    ]


def patched(raw: bytes, *changes) -> bytes:
    """The bytes of a zip file with one member, changed from the start of its central header: (offset, format, value)."""
    found, start = bytearray(raw), raw.index(b"PK\1\2")
    for offset, form, value in changes:
        struct.pack_into(form, found, start + offset, value)
    return bytes(found)


ONE = zipped({"lab/square.py": RIGHT})
FIELDS = {
    "encrypted": (patched(ONE, (8, "<H", 1)), "it is encrypted"),
    "larger than the archive": (patched(ONE, (20, "<I", 1 << 20)), "it overlaps another one"),
    "another checksum": (patched(ONE, (16, "<I", 1)), "it is damaged (BadZipFile: Bad CRC-32"),
    "another name than its own header has": (patched(ONE, (46, "<c", b"L")), "it is damaged (BadZipFile: "),
    "named by NUL": (patched(ONE, (46 + 3, "<c", b"\0")), "it has no name"),
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_header_that_lies_is_told(name, found):
    raw, why = FIELDS[name]
    assert why in found({"ada.zip": raw})[0][2]


def test_members_that_share_their_bytes_are_not_unpacked(found):
    """As in a bomb without recursion: a thousand names for the same megabytes."""
    raw = bytearray(zipped({"lab/square.py": RIGHT, "lab/cube.py": RIGHT}))
    struct.pack_into("<I", raw, raw.index(b"PK\1\2", raw.index(b"PK\1\2") + 1) + 42, 0)
    assert [each[2].partition(": ")[2] for each in found({"ada.zip": bytes(raw)})] == ["it overlaps another one"] * 2


def test_names_of_any_alphabet_and_case(found):
    """UTF-8 is UTF-8 whether or not the archive says so. Two names that differ in case are two files."""
    raw = zipped({"é李/lab/square.py": RIGHT, "LAB/Square.py": b"#"})
    unsaid = raw.replace(struct.pack("<H", 0x800) + b"\x08\0", struct.pack("<H", 0) + b"\x08\0")
    assert unsaid != raw
    for each in (raw, unsaid):
        assert [file for _, file, _ in found({"ada.zip": each})] == [
            "ada.zip/LAB/Square.py",
            "ada.zip/é李/lab/square.py",
        ]


def test_a_name_that_is_no_text(found):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("\udce9/lab/square.py"))
    assert found({"ada.tar": raw.getvalue()})[0][1] == "ada.tar/\\xe9/lab/square.py"


def test_times_and_modes_do_not_matter(found):
    odd = tar_member("lab/square.py", mtime=-(1 << 40), mode=0, uid=1 << 30)
    assert found({"ada.tar": tarred([(odd, RIGHT)])})[0][2] == RIGHT


# Bombs


def test_of_a_file_as_much_is_unpacked_as_shows_that_it_is_too_large(found):
    told = found({"ada.zip": zipped({"lab/square.py": bytes(64 * LIMIT), "data.bin": bytes(64 * LIMIT)})})
    assert [len(raw) for _, _, raw in told] == [LIMIT + 1]


BOMBS = {
    "too many files": ("ENTRIES", 50, zipped({f"{number}.txt": b"" for number in range(51)}), "too many files"),
    "too many files, archives and all": (
        "ENTRIES",
        50,
        zipped({f"{number}.zip": zipped({"a": b"", "b": b""}) for number in range(20)}),
        "too many files",
    ),
    "too much": ("BYTES", 1 << 20, zipped({f"{n}.py": bytes(300_000) for n in range(4)}), "too much space"),
    "a large stream": ("STREAM", 1 << 20, tarred({"a.bin": bytes(1 << 21)}, "w:gz"), "too much space"),
    "a large table of contents": ("DIRECTORY", 1000, zipped({f"{n}.txt": b"" for n in range(50)}), "table of contents"),
    "a large header": (
        "HEADER",
        1 << 12,
        tarred([("a.py", b""), (tar_member("b.py", pax_headers={"comment": "x" * (1 << 13)}), b"")]),
        "table of contents",
    ),
    "an archive in an archive in an archive": (
        "NAME",
        1000,
        zipped({"1.zip": zipped({"2.zip": zipped({"3.zip": zipped({"lab/square.py": RIGHT})})})}),
        "it lies in more than 3 others",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_its_student_a_line(name, found, monkeypatch):
    limit, value, raw, why = BOMBS[name]
    monkeypatch.setattr(archives, limit, value)
    told = found({"ada.zip": raw, "bob.zip": ONE})
    assert why in " ".join(str(each[2]) for each in told if each[0] == "ada")
    assert told[-1] == ("bob", "bob.zip/lab/square.py", RIGHT)


def test_a_header_of_any_declared_size_takes_little_memory(found):
    header = tar_member("x", type=tarfile.XHDTYPE, size=1 << 30).tobuf()
    raw = gzip.compress(tar_member("lab/square.py").tobuf() + header + bytes(64 << 20), 1)
    tracemalloc.start()
    told = found({"ada.tgz": raw})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "table of contents is too large" in told[0][2]
    assert peak < 8 << 20


def test_a_full_disk_is_no_fault_of_the_student(tmp_path):
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(ClozeError, match=r"No space left .* in TMPDIR"):
        archives.Box(tmp_path).write(full, b"x")


# Any bytes


GOOD = [packed(how, {"lab/square.py": RIGHT, "hw.zip": ONE}) for how in SUFFIX]


@pytest.mark.parametrize("raw", GOOD, ids=SUFFIX)
def test_an_archive_that_was_cut_off_is_never_half_believed(raw, tmp_path):
    """Whatever is found of one that is cut anywhere is what was packed, or it is refused."""
    for size in range(0, len(raw), 61):
        assert contents(raw[:size], tmp_path) in ([], [RIGHT, RIGHT]), size


def contents(raw: bytes, place: Path) -> list[bytes]:
    """What is found in an archive that is the class itself, or nothing if it is refused."""
    path = place / "class.zip"
    path.write_bytes(raw)
    try:
        with trees.opened(path, place / "out") as tree:
            handed = layouts.find(tree, KNOWN).handed
            return [each.path.read_bytes() for each in handed if not each.problem]
    except ClozeError:
        return []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(GOOD), st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=6), st.integers(0, 40))
@example(b"\x1f\x8b", [], 0)
def test_any_bytes_are_lines_or_an_error(tmp_path, raw, changes, cut):
    changed = bytearray(raw)
    for place, value in changes:
        changed[place % len(raw)] = value
    contents(bytes(changed[: len(raw) - cut]), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["class.zip"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([b"", b"PK\3\4", b"\x1f\x8b\x08\0", b"\xfd7zXZ\0", b"BZh9", bytes(257) + b"ustar"]), st.binary())
def test_bytes_of_nobodys_making_are_refused(tmp_path, magic, rest):
    assert contents(magic + rest, tmp_path) == []
