"""What is told of the machine and of the code: names that mean something, and "unknown" where nothing is known."""

import subprocess

import pytest

from core.jobs import machine

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")


def git(folder, *arguments):
    return subprocess.check_output([*GIT, *arguments], cwd=folder, text=True).strip()


@pytest.fixture
def clone(tmp_path):
    """A small repository with code and a page, committed."""
    folder = tmp_path / "clone"
    for name in ("core/train.py", "pages/look.py"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("1\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


@pytest.fixture(params=["with git", "without git"])
def maybe_git(request, monkeypatch, tmp_path):
    """Whether git is there to be asked."""
    if request.param == "without git":
        monkeypatch.setattr(machine, "_said", lambda *command: "")
    return request.param == "with git"


def test_the_code_is_named_by_its_commit(clone, maybe_git):
    commit = git(clone, "rev-parse", "HEAD")
    assert machine.code_version(clone) == commit[:10]
    git(clone, "pack-refs", "--all")
    assert machine.code_version(clone) == commit[:10]
    git(clone, "checkout", "--quiet", "--detach")
    assert machine.code_version(clone) == commit[:10]


def test_a_further_work_tree_has_a_commit_of_its_own(clone, maybe_git, tmp_path):
    git(clone, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "tree"))
    (tmp_path / "tree" / "core" / "train.py").write_text("2\n")
    git(tmp_path / "tree", "commit", "--quiet", "--all", "--message", "second")
    commit = git(tmp_path / "tree", "rev-parse", "HEAD")
    assert machine.code_version(tmp_path / "tree") == commit[:10] != machine.code_version(clone)


@pytest.mark.parametrize(
    ("name", "changes"), [("core/train.py", "+changes"), ("core/new.py", "+changes"), ("pages/look.py", "")]
)
def test_changes_are_told_where_they_change_a_training(clone, name, changes):
    (clone / name).write_text("2\n")
    assert machine.code_version(clone) == git(clone, "rev-parse", "HEAD")[:10] + changes


def test_another_repository_around_the_project_or_in_the_environment_is_not_its_own(clone, monkeypatch):
    inside = clone / "unpacked"
    inside.mkdir()
    monkeypatch.setenv("GIT_DIR", str(clone / ".git"))
    assert machine.code_version(inside) == "unknown"


@pytest.mark.parametrize("content", ["", "gitdir: nowhere", b"\xff\xfe"])
def test_a_repository_that_cannot_be_read_is_unknown(tmp_path, maybe_git, content):
    (tmp_path / ".git").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert machine.code_version(tmp_path) == "unknown"


@pytest.mark.parametrize("said", ["0123456789", "0123456789+changes"])
def test_a_copy_says_of_which_version_it_is_one(tmp_path, said):
    (tmp_path / machine.COPY_OF).write_text(f"{said}\n")
    assert machine.code_version(tmp_path) == said


@pytest.mark.parametrize("said", ["", "the newest", "0123456789" * 50])
def test_a_copy_that_says_something_else_is_unknown(tmp_path, said):
    (tmp_path / machine.COPY_OF).write_text(said)
    assert machine.code_version(tmp_path) == "unknown"


def cpuinfo(monkeypatch, tmp_path, text):
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(machine.platform, "system", lambda: "Linux")


def test_a_processor_is_named_with_the_instructions_that_decide_its_speed(monkeypatch, tmp_path):
    processor = "model name\t: AMD EPYC 9R14\nflags\t\t: fpu avx2 avx512f avx512_bf16\n"
    cpuinfo(monkeypatch, tmp_path, f"processor\t: 0\n{processor}\nprocessor\t: 1\n{processor}")
    assert machine.processor() == "AMD EPYC 9R14"
    assert machine.instructions() == ["avx2", "avx512f", "avx512_bf16"]


def test_a_processor_without_a_name_is_called_by_its_kind_or_unknown(monkeypatch, tmp_path):
    cpuinfo(monkeypatch, tmp_path, "processor\t: 0\nBogoMIPS\t: 243.75\n")
    monkeypatch.setattr(machine.platform, "processor", lambda: "")
    monkeypatch.setattr(machine.platform, "machine", lambda: "aarch64")
    assert (machine.processor(), machine.instructions()) == ("aarch64", [])
    monkeypatch.setattr(machine.platform, "machine", lambda: "")
    assert machine.processor() == "unknown"


DRIVER = "0, GPU-aaaa, NVIDIA H100 80GB HBM3\n1, GPU-bbbb, NVIDIA A10G\n2, GPU-cccc, NVIDIA A10G"


@pytest.mark.parametrize(
    ("mask", "devices", "names"),
    [
        (None, [], []),
        (None, ["gpu:0", "gpu:1", "gpu:2"], ["NVIDIA H100 80GB HBM3", "NVIDIA A10G", "NVIDIA A10G"]),
        ("1", ["gpu:0"], ["NVIDIA A10G"]),
        ("2,0", ["gpu:0", "gpu:1"], ["NVIDIA A10G", "NVIDIA H100 80GB HBM3"]),
        ("GPU-aa", ["gpu:0"], ["NVIDIA H100 80GB HBM3"]),
        # Which of the three it is cannot be told.
        ("MIG-7", ["gpu:0"], ["gpu:0"]),
    ],
)
def test_gpus_are_named_as_the_driver_does_and_only_those_that_are_trained_on(monkeypatch, mask, devices, names):
    monkeypatch.setattr(machine, "_said", lambda *command: DRIVER)
    if mask is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", mask)
    assert machine.gpu_names(devices) == names


def test_without_a_driver_a_gpu_is_called_as_keras_does(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.gpu_names(["gpu:0"]) == ["gpu:0"]
