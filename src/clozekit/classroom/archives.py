"""Archives that strangers made: what is in them, member by member, in a directory of ours.

unpack(hw1.zip, …)  ->  [Entry("lab/square.py", /tmp/cloze-x/7/square.py),
                         Entry("../../etc/passwd", None, Problem("archive", {"reason": "its name leads out of the archive", …}))]

No name in an archive becomes a path of ours: each file that counts has a numbered directory of its own, so that no name can
lead anywhere, or stand for another one. Sizes that an archive declares are not believed. Nothing is read whole: of a file as
much as may be handed in and one byte more, of a header HEADER bytes. A ratio is no limit: notebooks of zeros are honest.
"""

import bz2
import gzip
import lzma
import math
import os
import re
import stat
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from clozekit.classroom.handed import IGNORED, Entry, ignored, packed, readable
from clozekit.errors import ClozeError
from clozekit.report import Problem
from clozekit.submission import LIMIT, NOTEBOOK_LIMIT

# What the archives of one student may take, with all that are in them; and the one that holds the class.
ENTRIES, BYTES = 50_000, 1 << 29
CLASS_ENTRIES, CLASS_BYTES = 200_000, 1 << 34
STREAM = 1 << 32  # bytes of a tar file that was compressed
DIRECTORY = 32 << 20  # bytes of a zip file's table of contents: about 200 000 entries
HEADER = 1 << 16  # bytes of all headers of one member of a tar file
MEMORY = 128 << 20  # bytes that an xz stream may make us allocate
NAME = 1000  # characters
PIECE = 1 << 16  # bytes at a time
LOCAL = 30  # bytes of the header before a member of a zip file, its name aside

METADATA = ("timestamp.txt", "submission_metadata.yml")  # of nbgrader, of Gradescope
METADATA_LIMIT = 64 << 20
PLAIN = re.compile(r"\w[\w.-]{0,60}")


class Refused(Exception):
    """The whole archive is not taken; the text says why."""


class Unpacked(NamedTuple):
    """repositories: folders that have a .git, "" for the root."""

    entries: list[Entry]
    folders: set[str]
    repositories: set[str]


class Share:
    """How much somebody's archives may still take."""

    def __init__(self, entries: int, size: int):
        self.entries, self.size = entries, size

    def count(self) -> None:
        self.entries -= 1
        if self.entries < 0:
            raise Refused("there are too many files in it")

    def take(self, size: int) -> None:
        self.size -= size
        if self.size < 0:
            raise Refused("it takes too much space when it is unpacked")


def of_student() -> Share:
    return Share(ENTRIES, BYTES)


def whole() -> Share:
    return Share(CLASS_ENTRIES, CLASS_BYTES)


class Box:
    """A directory of ours that fills up with files, each in a numbered one of its own."""

    def __init__(self, place: Path):
        self.place, self.files = place, 0
        self.share = whole()

    def keep(self, name: str, file: IO[bytes], limit: int, share: Share) -> Path:
        """Copy a file; of one that is larger than `limit` only as much as shows that."""
        self.files += 1
        home = self.place / str(self.files)
        home.mkdir()
        path = home / (name if PLAIN.fullmatch(name) else f"file{Path(name).suffix}")
        with open(path, "xb") as copy:
            for piece in _pieces(file, limit + 1):
                share.take(len(piece))
                self.share.take(len(piece))
                self.write(copy, piece)
        return path

    def write(self, copy: IO[bytes], piece: bytes) -> None:
        try:
            copy.write(piece)
            copy.flush()
        except OSError as error:
            raise ClozeError(
                f"{self.place} cannot hold what is unpacked: {error.strerror}; name another place in TMPDIR"
            ) from None


class Metered:
    """A file of which no more is read than was allowed: libraries read whatever size an archive declares."""

    def __init__(self, file: IO[bytes]):
        self.file, self.left = file, 0.0

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self.left:
            size = -1 if self.left == math.inf else int(self.left) + 1
        raw = self.file.read(size)
        self.left -= len(raw)
        if self.left < 0:
            raise Refused("its table of contents is too large")
        return raw

    def seek(self, place: int, whence: int = 0) -> int:
        return self.file.seek(place, whence)

    def tell(self) -> int:
        return self.file.tell()

    def seekable(self) -> bool:
        return True


class Member(NamedTuple):
    """One entry, as an archive declares it. refusal: why it is not read."""

    name: str
    kind: Literal["file", "folder", "link", "other"]
    read: Callable[[], IO[bytes]]
    refusal: str = ""


def stem(name: str) -> str:
    """ada.tar.gz -> ada"""
    while packed(name):
        name = name.rpartition(".")[0]
    return name


def unpack(path: Path, name: str, box: Box, share: Share) -> Unpacked:
    """Every file of an archive; what it is, its first bytes say, as suffixes lie.

    Raises:
        Refused: it is none, is damaged, or takes too much.
        OSError: it cannot be opened.
        ClozeError: there is no space for it.
    """
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb") as file:  # a pipe must not make us wait
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Refused("it is no file")
        try:
            return _members(_opened(file, name.lower(), box), box, share)
        except (Refused, ClozeError):
            raise
        except EOFError:
            raise Refused("it ends in the middle") from None
        except Exception as error:  # of hostile bytes the libraries raise whatever comes
            raise Refused(f"it is damaged ({_reason(error)})") from None


def _members(members: Iterator[Member], box: Box, share: Share) -> Unpacked:
    found = Unpacked([], set(), set())
    for member in members:
        share.count()
        name, wrong = _name(member.name)
        *above, last = name.split("/")
        if not wrong and ".git" in (parts := [*above, last]):
            found.repositories.add("/".join(parts[: parts.index(".git")]))
        if not wrong and (any(map(ignored, above)) or last.startswith(IGNORED)):
            continue
        if member.kind == "folder" and not wrong:
            found.folders.add(name)
            continue
        if not wrong:
            found.folders.update("/".join(above[: count + 1]) for count in range(len(above)))
        told = readable(member.name)[:200]
        if wrong or member.refusal:
            refusal = wrong or member.refusal
            where = name if not wrong else told.replace("/", "\\")  # a name that lies in no folder
            found.entries.append(Entry(where, None, Problem("archive", {"file": told, "reason": refusal})))
        elif member.kind == "link":
            found.entries.append(Entry(name, None, Problem("link", {"file": told})))
        elif member.kind == "other":
            found.entries.append(Entry(name, None, Problem("archive", {"file": told, "reason": "it is no file"})))
        else:
            found.entries.append(_kept(name, member, box, share))
    return found


def _kept(name: str, member: Member, box: Box, share: Share) -> Entry:
    """The entry of a file, copied if it can be of use."""
    last = name.rpartition("/")[2]
    limits = {".py": LIMIT, ".ipynb": NOTEBOOK_LIMIT}
    limit = METADATA_LIMIT if last in METADATA else BYTES if packed(last) else limits.get(Path(last).suffix.lower(), 0)
    if not limit:
        return Entry(name)
    try:
        with member.read() as file:
            return Entry(name, box.keep(last, file, limit, share))
    except (Refused, ClozeError):
        raise
    except Exception as error:
        return Entry(name, None, Problem("archive", {"file": name, "reason": f"it is damaged ({_reason(error)})"}))


def _name(raw: str) -> tuple[str, str]:
    """A name with its superfluous parts left out; and what is wrong with it."""
    name = raw if "/" in raw else raw.replace("\\", "/")  # some programs of Windows write that
    parts = [readable(part) for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name):
        return "", "its name leads out of the archive"
    if "\0" in name or not parts:
        return "", "it has no name"
    if len(name) > NAME:
        return "", f"its name has more than {NAME} characters"
    return "/".join(parts), ""


def _opened(file: IO[bytes], name: str, box: Box) -> Iterator[Member]:
    head = file.read(512)
    file.seek(0)
    if reader := _decompressor(head, file):
        plain: IO[bytes] = tempfile.TemporaryFile(dir=box.place)  # noqa: SIM115  (who reads the members has it open)
        for size, piece in enumerate(_pieces(reader, STREAM + 1)):
            if size * PIECE >= STREAM:
                raise Refused("it takes too much space when it is unpacked")
            box.write(plain, piece)
        plain.seek(0)
        return _tar(plain)
    if head[257:262] == b"ustar" or (name.endswith(".tar") and not head.startswith(b"PK")):
        return _tar(file)
    if head.startswith(b"PK") or name.endswith(".zip"):
        return _zip(file)
    raise Refused("it is neither a zip file nor a tar file")


def _decompressor(head: bytes, file: IO[bytes]) -> Any:
    """What reads a compressed file by pieces; None if it is not compressed."""
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)
    if head.startswith(b"\xfd7zXZ\0"):
        return Stream(file, lzma.LZMADecompressor(memlimit=MEMORY))
    if head.startswith(b"BZh"):
        return Stream(file, bz2.BZ2Decompressor())
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        try:
            from compression.zstd import ZstdDecompressor  # type: ignore[import-not-found]
        except ImportError:
            raise Refused("only Python 3.14 and later read .zst; pack it as .zip or .tar.gz") from None
        return Stream(file, ZstdDecompressor())
    return None


class Stream:
    """A compressed file, decompressed by pieces: no more of it is in memory than was asked for."""

    def __init__(self, file: IO[bytes], decompressor: Any):
        self.file, self.decompressor = file, decompressor

    def read(self, size: int) -> bytes:
        while not self.decompressor.eof:
            raw = self.file.read(PIECE) if self.decompressor.needs_input else b""
            if not raw and self.decompressor.needs_input:
                raise EOFError
            if piece := self.decompressor.decompress(raw, size):
                return piece
        return b""


def _zip(file: IO[bytes]) -> Iterator[Member]:
    """Stored or deflated, as whatever makes a zip file does; other methods may take any memory."""
    metered: Any = Metered(file)
    metered.left = DIRECTORY
    with zipfile.ZipFile(metered) as archive:
        metered.left = math.inf
        members = archive.infolist()
        starts = Counter(member.header_offset for member in members)
        order = sorted(starts)
        ends = dict(zip(order, [*order[1:], archive.start_dir], strict=True))
        for member in members:
            refusal = ""
            if member.flag_bits & 0x41:
                refusal = "it is encrypted"
            elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                refusal = f"it is packed by method {member.compress_type}; use deflate"
            elif starts[at := member.header_offset] > 1 or at + LOCAL + member.compress_size > ends[at]:
                refusal = "it overlaps another one"
            form = stat.S_IFMT(member.external_attr >> 16)
            kind: Any = {0: "file", stat.S_IFREG: "file", stat.S_IFLNK: "link"}.get(form, "other")
            name = _zip_name(member)
            yield Member(name, "folder" if name.endswith("/") else kind, partial(archive.open, member), refusal)


def _zip_name(member: zipfile.ZipInfo) -> str:
    """As it was meant: many programs write UTF-8 without saying so, and zipfile ends a name at NUL."""
    if not member.flag_bits & 0x800:
        try:
            return member.orig_filename.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return member.orig_filename


def _tar(file: IO[bytes]) -> Iterator[Member]:
    metered: Any = Metered(file)
    metered.left = HEADER
    archive: Any = tarfile.TarFile(fileobj=metered, encoding="utf-8", errors="surrogateescape")
    while True:
        metered.left = HEADER
        if not (member := archive.next()):
            break
        metered.left = math.inf
        archive.members.clear()  # which would keep every header
        archive.pax_headers.clear()
        if member.size < 0:
            raise Refused("it is damaged (a negative size)")
        kind: Any = "file" if member.isreg() else "folder" if member.isdir() else "other"
        if member.issym() or member.islnk():
            kind = "link"
        yield Member(member.name, kind, partial(archive.extractfile, member))
    metered.seek(archive.offset)
    if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):  # tarfile takes what it cannot read for the end
        raise Refused("it ends in the middle")


def _pieces(file: Any, limit: int) -> Iterator[bytes]:
    while limit > 0 and (piece := file.read(min(PIECE, limit))):
        limit -= len(piece)
        yield piece


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200] if str(error) else type(error).__name__
