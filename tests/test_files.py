"""Tests of file writing: complete or not at all, whatever interrupts it; regular files only."""

from __future__ import annotations

import ast
import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import nn
from autograd import Value, draw, files
from autograd.extend import destination, read_whole, write_whole
from demos import digits, idx, lesson

OLD, NEW = b"old" * 1000, b"new" * 2000
posix = pytest.mark.skipif(os.name != "posix", reason="modes, names and locks of files differ here")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of an existing file."""
    found = tmp_path / "weights.npz"
    found.write_bytes(OLD)
    return found


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---------------------------------------------------------------------- interrupted


class Interrupter:
    """A trace function that raises KeyboardInterrupt at the n-th bytecode instruction."""

    def __init__(self, moment: int = 0) -> None:
        self.moment, self.count = moment, 0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Interrupter:
        frame.f_trace_opcodes = True
        if event == "opcode":
            self.count += 1
            if self.count == self.moment:
                raise KeyboardInterrupt
        return self


def traced(trace: Interrupter, path: Path) -> bool:
    """Write in a traced thread, as tracing disturbs a thread; return whether it was interrupted."""
    interrupted = []

    def write() -> None:
        sys.settrace(trace)
        try:
            write_whole(path, NEW)
        except KeyboardInterrupt:
            interrupted.append(True)
        finally:
            sys.settrace(None)

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    return bool(interrupted)


# A file that is open at the interrupt is closed by the garbage collector, with a warning
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_at_any_instruction_leaves_one_whole_file(path: Path) -> None:
    whole = Interrupter()
    assert not traced(whole, path)
    assert whole.count > 300
    found = []
    for moment in range(1, whole.count, 7):
        path.write_bytes(OLD)
        if traced(Interrupter(moment), path):  # the last few instructions are not always run
            assert names(path.parent) == [path.name], moment
            found.append(path.read_bytes())
    assert set(found) == {OLD, NEW} and len(found) > whole.count // 10


def test_a_second_ctrl_c_while_it_tidies_up_leaves_nothing_behind(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    presses = []
    unlink = Path.unlink

    def pressed(*arguments: Any, **options: Any) -> None:
        presses.append(arguments)
        if len(presses) <= 2:
            raise KeyboardInterrupt
        unlink(*arguments, **options)

    monkeypatch.setattr(os, "fsync", pressed)
    monkeypatch.setattr(Path, "unlink", pressed)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, NEW)
    assert len(presses) == 3 and names(path.parent) == [path.name] and path.read_bytes() == OLD


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no such timers")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_at_any_time_leaves_one_whole_file_and_stays_ctrl_c(path: Path) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    interrupted = 0
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for k in range(200):
            path.write_bytes(OLD)
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-5 * (k + 1))
                write_whole(path, NEW)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
            assert names(path.parent) == [path.name]
            assert path.read_bytes() in (OLD, NEW)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted


def test_a_full_disk_leaves_the_old_file_and_names_it(path: Path) -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        with pytest.raises(OSError, match=rf"too large: '{path}'$"):
            write_whole(path, NEW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(path.parent) == [path.name] and path.read_bytes() == OLD


@posix
def test_writers_side_by_side_leave_the_file_of_one(path: Path) -> None:
    contents = [bytes([k]) * 100_000 for k in range(8)]
    seen: set[bytes] = set()

    def write(content: bytes) -> None:
        for _ in range(10):
            write_whole(path, content)
            seen.add(path.read_bytes())

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen <= set(contents)
    assert names(path.parent) == [path.name]


# ---------------------------------------------------------------------- what stands there


def test_a_link_stays_a_link_and_its_file_is_written(path: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link, again, dangling = tmp_path / "link", tmp_path / "there" / "again", tmp_path / "dangling"
    link.symlink_to("weights.npz")
    again.symlink_to(link)
    dangling.symlink_to("there/new.npz")
    write_whole(again, NEW)
    write_whole(dangling, NEW)
    assert again.is_symlink() and link.is_symlink() and dangling.is_symlink()
    assert path.read_bytes() == NEW and (tmp_path / "there" / "new.npz").read_bytes() == NEW
    assert names(tmp_path) == ["dangling", "link", "there", "weights.npz"]
    assert names(tmp_path / "there") == ["again", "new.npz"]


def test_a_link_to_itself_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="loop"):
        write_whole(tmp_path / "loop", NEW)
    assert (tmp_path / "loop").is_symlink()


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755, 0o666, 0o222])
def test_the_mode_of_an_old_file_is_kept(path: Path, mode: int) -> None:
    path.chmod(mode)
    write_whole(path, NEW)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@posix
def test_a_new_file_is_as_open_to_others_as_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "ours", NEW)
    finally:
        assert os.umask(before) == 0o027
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == 0o640


@posix
def test_nobody_else_can_read_a_private_file_while_it_is_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.chmod(0o600)
    modes = []

    def look(descriptor: int) -> None:
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))

    monkeypatch.setattr(os, "fsync", look)
    write_whole(path, NEW)
    assert modes == [0o600]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives away")
def test_the_owner_and_group_of_an_old_file_are_kept(path: Path) -> None:
    os.chown(path, 1234, 2345)
    path.chmod(0o640)
    write_whole(path, NEW)
    status = path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 2345, 0o640)


def test_a_read_only_file_is_refused_even_to_root(path: Path) -> None:
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="this file is read-only: .*weights.npz"):
        write_whole(path, NEW)
    assert path.read_bytes() == OLD and stat.S_IMODE(path.stat().st_mode) == 0o444


AS_NOBODY = """
import os, sys
from autograd.extend import write_whole
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    write_whole(sys.argv[1], b"new")
except PermissionError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may become")
@pytest.mark.parametrize(
    ("file", "folder", "said"),
    [
        (0o644, 0o777, "this file is read-only"),
        (0o666, 0o555, "no file may be made in this folder"),
    ],
)
def test_what_may_not_be_written_is_untouched(file: int, folder: int, said: str) -> None:
    with tempfile.TemporaryDirectory() as place:  # other users cannot enter pytest's folder
        path = Path(place, "weights.npz")
        path.write_bytes(OLD)
        path.chmod(file)
        Path(place).chmod(folder)
        command = [sys.executable, "-c", AS_NOBODY, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert said in done.stdout
        assert names(Path(place)) == [path.name] and path.read_bytes() == OLD


@pytest.fixture(params=["pipe", "terminal"])
def special(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Yield a path that is not a regular file: a pipe or a terminal."""
    if request.param == "pipe":
        os.mkfifo(tmp_path / "pipe")
        yield tmp_path / "pipe"
    else:
        ours, theirs = os.openpty()
        yield Path(os.ttyname(theirs))
        os.close(ours)
        os.close(theirs)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
@pytest.mark.parametrize("use", [lambda path: write_whole(path, NEW), read_whole, destination])
def test_devices_and_pipes_are_refused_and_stay(special: Path, use: Callable[[Path], Any]) -> None:
    kind = stat.S_IFMT(special.stat().st_mode)
    with pytest.raises(OSError, match="this is a device or a pipe; only regular files will do"):
        use(special)
    assert stat.S_IFMT(special.stat().st_mode) == kind


def test_folders_and_missing_folders_are_named(path: Path) -> None:
    for use in (read_whole, destination, lambda p: write_whole(p, NEW)):
        with pytest.raises(IsADirectoryError, match="this is a folder, not a file"):
            use(path.parent)
    with pytest.raises(FileNotFoundError, match="there is no folder: '.*nowhere'"):
        write_whole(path.parent / "nowhere" / "weights.npz", NEW)
    with pytest.raises(OSError, match="weights.npz"):
        write_whole(path / "weights.npz", NEW)


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")
    x = Value(2.0, label="x")
    write_whole("~/weights.npz", NEW)
    draw(x * x).render("~/deep/chain.svg")
    (x * x).save_html("~/pages/chain.html")
    assert read_whole("~/weights.npz") == NEW
    assert names(tmp_path / "home") == ["deep", "pages", "weights.npz"]
    nn.plots.activations(["tanh"]).savefig("~/tanh.png")
    assert (x * x).save_html("~/square") == str(tmp_path / "home" / "square.html")
    assert (x * x).page().save("~/v1.htm") == str(tmp_path / "home" / "v1.htm")
    assert names(tmp_path / "home")[2:] == ["square.html", "tanh.png", "v1.htm", "weights.npz"]
    assert lesson.folder("~/deep") == digits.mnist_folder("~/deep") == "~/deep"
    with pytest.raises(FileNotFoundError, match="there is no train-images.*home.deep"):
        idx.mnist("~/deep", "train")
    assert names(tmp_path / "here") == []
    with pytest.raises(FileNotFoundError, match="no such home folder: '~nobody-at-all/x'"):
        write_whole("~nobody-at-all/x", NEW)


@posix
@pytest.mark.parametrize("name", ["w" * 255, "ü" * 127])
def test_the_longest_names_are_written(tmp_path: Path, name: str) -> None:
    write_whole(tmp_path / name, NEW)
    assert names(tmp_path) == [name]
    with pytest.raises(OSError, match="too long") as caught:
        write_whole(tmp_path / f"{name}{name}{name}", NEW)
    assert caught.value.errno == errno.ENAMETOOLONG


def test_the_file_is_forced_to_the_disk_before_it_takes_its_place(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = []
    monkeypatch.setattr(os, "fsync", lambda _: there.append(path.read_bytes()))
    write_whole(path, NEW)
    assert there == [OLD] and path.read_bytes() == NEW


WRITERS = {"open", "write_text", "write_bytes", "touch", "savez", "savetxt", "tofile", "dump"}
IN_MEMORY = {"archive", "Image"}  # of zipfile and of PIL, given bytes


@pytest.mark.parametrize("folder", ["autograd", "nn", "demos"])
def test_only_one_module_writes_files(folder: str) -> None:
    root = Path(files.__file__).parent.parent
    writing = {
        path.relative_to(root).as_posix()
        for path in (root / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) in WRITERS
        and ast.unparse(node.func).partition(".")[0] not in IN_MEMORY
    }
    assert writing <= {"autograd/files.py"}
