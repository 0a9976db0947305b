"""Processes that end, memory that is shared out, records that are not what they should be."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from openhdr.batch import run as running
from openhdr.batch.job import RUN, Job, Record, settled
from openhdr.batch.process import Process, allow_processes, end_processes
from openhdr.batch.run import Call, Room, Workers, need_gb, on_this_machine
from openhdr.batch.storage import Folder, sole_writer
from openhdr.core.child import Ended
from openhdr.core.errors import FileError


@pytest.fixture
def process():
    started = Process(threads=1)
    yield started
    started.end()


@pytest.fixture
def job(make_card, tmp_path):
    photos = tuple(f"DSC_000{n}.jpg" for n in (1, 2, 3))
    card = make_card(tmp_path / "card", 1, 0)
    args = ("--method", "mle", "--align", "none")
    allow_processes()  # a command that another test ran has ended them
    yield Job("result", photos, str(card), str(tmp_path / "out"), args=args)
    end_processes()


def merge(*args: str) -> dict:
    return {"target": RUN, "given": {"command": "merge", "args": args}, "tells": False}


def test_a_process_answers_and_says_how_it_ended(process):
    photos = merge("a.jpg", "b.jpg", "-o", "c.exr")
    assert "a.jpg: does not exist" in process.ask(photos, 60)["error"]
    assert "Missing argument" in process.ask(merge(), 60)["error"]
    process.process.kill()
    with pytest.raises(Ended, match="SIGKILL: out of memory, or killed") as end:
        process.ask(photos, None)
    assert not end.value.late


def test_a_process_that_takes_too_long_is_given_up(process):
    with pytest.raises(Ended, match=r"took longer than 0.01 s") as end:
        process.ask(merge(), 0.01)
    assert end.value.late


def test_a_fault_says_its_last_line(process):
    with pytest.raises(Ended, match="KeyError"):
        process.ask({}, 60)


def test_a_job_whose_process_is_killed_is_tried_again(job, monkeypatch):
    asked = Process.ask
    killed = []

    def ask(self, request, seconds, hear):
        if not killed:
            killed.append(self)
            threading.Timer(0.2, self.process.kill).start()
        return asked(self, request, seconds, hear)

    monkeypatch.setattr(Process, "ask", ask)
    assert job.perform().status == "done" and len(killed) == 1


@pytest.mark.parametrize(
    ("dies", "answer"),
    [
        ("second", {"done": ["first"], "lost": ["second"]}),
        ("after", {"error": "its process ended (exit status 3)"}),
    ],
)
def test_a_step_that_ends_its_process_is_left_out(tmp_path, monkeypatch, dies, answer):
    """A process that dies when no step is running is nobody's fault."""
    (tmp_path / "in_two_steps.py").write_text(
        "import os\n"
        "def work(dies, *, lost, tell):\n"
        "    names = [name for name in ('first', 'second') if name not in lost]\n"
        "    for name in names:\n"
        "        tell({'step': name})\n"
        "        name == dies and os._exit(3)\n"
        "    tell({'step': None})\n"
        "    dies == 'after' and os._exit(3)\n"
        "    return {'done': names, 'lost': list(lost)}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    allow_processes()
    assert Call("in_two_steps:work", {"dies": dies}, in_steps=True).perform() == answer
    end_processes()


def test_what_waits_for_a_place_is_not_begun_at_the_end(tmp_path, monkeypatch):
    """The place of the process that is ended becomes free; nobody takes it."""
    (tmp_path / "that_sleeps.py").write_text(
        "import pathlib, time\ndef work(file):\n    pathlib.Path(file).touch()\n    time.sleep(60)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    files = [tmp_path / "first", tmp_path / "second"]
    calls = [(Call("that_sleeps:work", {"file": str(file)}), 0.1) for file in files]
    before = set(threading.enumerate())

    def work() -> None:
        with contextlib.suppress(Ended, CancelledError):
            next(run(calls))

    with on_this_machine(Workers(1, 1, 1.0)) as run:
        threading.Thread(target=work, daemon=True).start()
        while not any(file.exists() for file in files):
            time.sleep(0.05)
    for thread in set(threading.enumerate()) - before:
        thread.join(20)
        assert not thread.is_alive()
    assert sum(file.exists() for file in files) == 1


def test_one_that_is_always_killed_fails(job, monkeypatch):
    asked = Process.ask

    def ask(self, request, seconds, hear):
        self.process.kill()
        return asked(self, request, seconds, hear)

    monkeypatch.setattr(Process, "ask", ask)
    record = job.perform()
    assert record.status == "failed" and "SIGKILL" in record.error
    assert settled(job) == record


def test_records_that_cannot_be_used(job):
    assert settled(job) is None
    record = job.perform()
    assert settled(job) == record and record.result["output"] == "result.exr"
    folder = Path(job.out)
    out = Folder(folder)
    for text in (
        "",
        "[]",
        "{}",
        '{"openhdr": 1}',
        json.dumps({**json.loads(out.read("result.json")), "to": [".hdr"]}),
    ):
        (folder / "result.json").write_text(text)
        assert settled(job) is None
    assert Record.read(out, "nothing") is None


def test_workers_by_memory_and_cores(monkeypatch):
    monkeypatch.setattr(running, "free_gb", lambda: 10.0)
    monkeypatch.setattr(running, "cores", lambda: 8)
    assert Workers.for_needs([1.0]) == Workers(8, 1, 8.0)
    assert Workers.for_needs([1.0, 2.5]) == Workers(3, 2, 8.0)
    assert Workers.for_needs([50.0]) == Workers(1, 8, 8.0)
    assert Workers.for_needs([50.0], 2) == Workers(2, 1, 8.0)


def test_memory_of_merges_is_known():
    """Against peaks of a process that merged with a preview, twice: GB by megapixels, photos, and threads."""
    measured = {
        (1.5, 3, 1): 0.87, (1.5, 18, 1): 1.17, (6, 3, 1): 0.94, (6, 9, 1): 1.18, (12, 5, 1): 1.45, (24, 3, 1): 1.95,
        (21, 7, 1): 2.16, (21, 18, 1): 2.93, (1.5, 3, 2): 1.21, (1.5, 18, 2): 1.70, (6, 3, 2): 1.48, (6, 9, 2): 1.67,
        (24, 3, 2): 2.15, (21, 18, 2): 3.29,
    }  # fmt: skip
    for facts, peak in measured.items():
        assert need_gb(*facts) == pytest.approx(peak, rel=0.11)


def test_what_needs_much_memory_waits_for_room():
    room, most, now = Room(Workers(3, 1, 4.0)), [], []

    def work(need: float) -> None:
        with room.slot(need):
            now.append(need)
            most.append((len(now), sum(now)))
            time.sleep(0.02)
            now.remove(need)

    threads = [threading.Thread(target=work, args=(need,)) for need in [1.0, 3.0, 9.0, 1.0, 2.0] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(count for count, _ in most) == 3
    assert all(total <= 4 or count == 1 for count, total in most)


def test_results_come_as_they_are_finished(job):
    with on_this_machine(Workers(2, 1, 4.0)) as make:
        jobs = [(Job(f"r{n}", job.inputs, job.folder, job.out, args=job.args), 1.0) for n in range(5)]
        found = {made.name: record.status for made, record in make(jobs)}
    assert found == {f"r{n}": "done" for n in range(5)}


def test_one_batch_a_folder(tmp_path):
    with (
        sole_writer(str(tmp_path)),
        pytest.raises(FileError, match="another batch"),
        sole_writer(str(tmp_path)),
    ):
        pass
    with sole_writer(str(tmp_path)):
        pass
