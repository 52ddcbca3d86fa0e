"""What the action compares a pull request with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from repositories import Repo, isolate
from runner_of_github import Job, made


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job in an empty checkout."""
    isolate(monkeypatch)
    return made(tmp_path)


@pytest.fixture
def origin(job: Job) -> dict[str, str]:
    """A pull request at a server: the commits of its base when it was pushed, of the base now, of
    its own, and of the merge that GitHub makes."""
    repo = Repo(job.temporary / "origin")
    commits = {"pushed": repo.commit(**{"model.onnx": b"1"})}
    repo.git("config", "uploadpack.allowReachableSHA1InWant", "true")
    repo.git("checkout", "--quiet", "-b", "change")
    commits["head"] = repo.commit(**{"model.onnx": b"2"})
    repo.git("checkout", "--quiet", "main")
    commits["base"] = repo.commit(**{"other.onnx": b"3"})
    repo.git("checkout", "--quiet", "--detach")
    repo.git("merge", "--quiet", "--no-ff", "--message", "merge", "change")
    commits["merge"] = repo.git("rev-parse", "HEAD")
    repo.git("update-ref", "refs/pull/1/merge", "HEAD")
    return commits


def clone(job: Job, reference: str, *options: str) -> Repo:
    """What actions/checkout makes."""
    repo = Repo(job.checkout)
    repo.git("remote", "add", "origin", f"file://{job.temporary / 'origin'}")
    repo.git("fetch", "--quiet", "--no-tags", *options, "origin", reference)
    repo.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    return repo


def pull_request(commits: Mapping[str, str]) -> dict[str, Any]:
    """The event."""
    return {"pull_request": {"number": 1, "base": {"sha": commits["pushed"]}}}


@pytest.mark.parametrize("options", [["--depth=1"], ["--depth=2"], []], ids=["1", "2", "all"])
def test_the_base_of_a_pull_request(options: list[str], job: Job, origin: dict[str, str]) -> None:
    """Is what GitHub has merged it into, which is fetched where the clone is too shallow."""
    repo = clone(job, "refs/pull/1/merge", *options)
    ran = job.check(pull_request(origin), GITHUB_SHA=origin["merge"])
    assert ran.code == 0, ran.log
    assert job.words == ["check", f"--base={origin['base']}", "--", "."]
    assert repo.git("show", f"{origin['base']}:model.onnx") == "1"
    assert repo.git("merge-base", "HEAD", origin["base"]) == origin["base"]


def test_the_base_of_a_head_that_is_checked_out(job: Job, origin: dict[str, str]) -> None:
    """Is that of the event; without the history between them there is none."""
    clone(job, "refs/heads/change")
    job.check(pull_request(origin), GITHUB_SHA=origin["merge"])
    assert job.words == ["check", f"--base={origin['pushed']}", "--", "."]


@pytest.mark.parametrize("reference", ["refs/heads/change", "refs/pull/1/merge"])
def test_a_base_that_cannot_be_had(reference: str, job: Job, origin: dict[str, str]) -> None:
    """Is wrong use, with what to do; never a run without a base."""
    clone(job, reference, "--depth=1").git("remote", "set-url", "origin", "file:///nowhere")
    ran = job.check(pull_request(origin), GITHUB_SHA=origin["merge"])
    assert ran.code == 2
    assert "'fetch-depth: 0'" in ran.told("error")[0]
    assert not (job.temporary / "words").exists()


def test_bases_of_other_events(job: Job, origin: dict[str, str]) -> None:
    """A merge group has one, a push none; one that is named holds everywhere."""
    clone(job, "refs/heads/main")
    event = {"merge_group": {"base_sha": origin["pushed"]}}
    job.check(event)
    assert job.words == ["check", f"--base={origin['pushed']}", "--", "."]
    job.check({"before": origin["pushed"]})
    assert job.words == ["check", "--", "."]
    job.check(event, {"BASE": "release.onnx"})
    assert job.words == ["check", "--base=release.onnx", "--", "."]
