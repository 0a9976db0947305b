"""Work on a Dask cluster of two workers, and in buckets of an S3 server: the bytes are those of this machine."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from openhdr import io
from openhdr.batch.card import read_bucket
from openhdr.batch.process import end_processes
from openhdr.batch.run import Call, Workers, on_cluster, on_this_machine
from openhdr.batch.storage import Folder, open_storage
from openhdr.color.transfer import srgb_encode
from openhdr.core.errors import FileError
from openhdr.core.image import Image

pytestmark = pytest.mark.slow
FAST = ("--method", "mle", "--align", "none")
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def _openhdr(*words: object) -> subprocess.CompletedProcess[str]:
    start = "import sys; from openhdr.cli import main; sys.argv[0] = 'openhdr'; main()"
    return subprocess.run([sys.executable, "-c", start, *map(str, words)], capture_output=True, text=True)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _digests(out: Path) -> dict[str, str]:
    files = [path for path in out.rglob("*") if path.suffix in (".exr", ".jpg")]
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def card(make_card, tmp_path_factory):
    return make_card(tmp_path_factory.mktemp("elsewhere") / "card", 4, 0)


@pytest.fixture(scope="module")
def quiet(card):
    """Results of this machine."""
    out = card.parent / "quiet"
    assert _openhdr("batch", card, "-o", out, *FAST).returncode == 0
    return _digests(out)


@pytest.fixture
def cluster():
    """Address of a scheduler, and a function that starts a worker."""
    pytest.importorskip("distributed")
    port, started = _free_port(), []

    def start(*words: str) -> subprocess.Popen[bytes]:
        words = (sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:])
        started.append(subprocess.Popen(words, **QUIET))
        return started[-1]

    start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    address = f"tcp://127.0.0.1:{port}"
    worker = ("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0")
    yield address, lambda: start(*worker)
    for process in reversed(started):
        process.kill()
        process.wait()


def test_a_cluster_whose_worker_dies(cluster, card, quiet, tmp_path):
    address, start_worker = cluster
    first = start_worker()
    start = "import sys; from openhdr.cli import main; sys.argv[0] = 'openhdr'; main()"
    words = ("batch", card, "-o", tmp_path / "out", "--cluster", address, *FAST)
    batch = subprocess.Popen([sys.executable, "-c", start, *map(str, words)], **QUIET)
    until = time.monotonic() + 60
    while not list((tmp_path / "out").glob("2026*.json")) and time.monotonic() < until:
        time.sleep(0.05)
    first.kill()
    start_worker()
    assert batch.wait(120) == 0
    assert _digests(tmp_path / "out") == quiet


def test_workers_in_the_process_of_an_earlier_run(tmp_path, monkeypatch):
    """As in a notebook: a run of this machine, which ends its processes, then a cluster of threads."""
    distributed = pytest.importorskip("distributed")
    (tmp_path / "that_answers.py").write_text("def work():\n    return {'made': True}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with on_this_machine(Workers(1, 1, 1.0)) as run:
        assert [answer for _, answer in run([(Call("that_answers:work", {}), 0.1)])] == [{"made": True}]
    quiet = {"n_workers": 1, "processes": False, "dashboard_address": None}
    with (
        distributed.LocalCluster(**quiet) as cluster,
        on_cluster(cluster.scheduler_address) as run,
    ):
        assert [answer for _, answer in run([(Call("that_answers:work", {}), 0.1)])] == [{"made": True}]
    end_processes()


def test_simulated_brackets_and_their_benchmark(cluster, tmp_path):
    """Made and scored on a cluster as on this machine."""
    address, start_worker = cluster
    start_worker()
    y, x = np.mgrid[0:64, 0:128]
    light = np.exp(np.sin(x / 9) + np.cos(y / 7))[..., None] * np.float32([0.5, 0.6, 0.4])
    io.write(tmp_path / "scene.hdr", Image(light.astype(np.float32)))
    scores = {}
    for where, by in (("here", ("--workers", "2")), ("there", ("--cluster", address))):
        out = tmp_path / where
        made = _openhdr(
            *("simulate", tmp_path / "scene.hdr", "-o", out, "--count", 2, "--size", "48x32", "--ev=-2,0,2"),
            *by,
        )
        assert made.returncode == 0, made.stderr
        words = (
            "--method",
            "photo",
            "--method",
            "mle",
            "--metric",
            "psnr-mu@shortest",
            "--pictured",
            "scene-0",
        )
        ran = _openhdr("bench", out, "-o", tmp_path / f"{where}-bench", *words, *by)
        assert ran.returncode == 0, ran.stderr
        runs = json.loads((tmp_path / f"{where}-bench" / "results.json").read_text())["runs"]
        scores[where] = [(run["scene"], run["method"], run["scores"]) for run in runs]
    made = [
        {str(p.relative_to(out)): p.read_bytes() for p in out.glob("*/*")}
        for out in (tmp_path / "here", tmp_path / "there")
    ]
    assert made[0] == made[1] and len(made[0]) > 8
    assert scores["here"] == scores["there"] and len(scores["here"]) == 4


def _without_times(value: object) -> object:
    if isinstance(value, dict):
        times = ("time_s", "cpu_s", "peak_memory_mb")
        return {key: _without_times(one) for key, one in value.items() if key not in times}
    return [_without_times(one) for one in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def brackets(tmp_path_factory):
    """Two brackets of a tripod, five photos each; the camera's curve is that of sRGB."""
    folder = tmp_path_factory.mktemp("brackets")
    y, x = np.mgrid[0:180, 0:192]  # TMQI wants 176 a side
    for number in range(2):
        light = np.exp(1.5 * np.sin(x / (7 + number)) + np.cos(y / 7))[..., None] * np.float32(
            [0.3, 0.4, 0.2]
        )
        (folder / f"set {number}").mkdir()
        (folder / f"set {number}" / "ev.txt").write_text("-4 -2 0 2 4")
        for place, ev in enumerate((-4, -2, 0, 2, 4)):
            codes = np.rint(255 * srgb_encode(np.clip(light * 2.0**ev, 0, 1))).astype(np.uint8)
            io.write(folder / f"set {number}" / f"{place}.png", Image(codes, "srgb"))
    return folder


ENDS_ITS_PROCESS = (
    f"ends={sys.executable} -c 'import os; os.kill(os.getppid(), 9)' {{inputs}} {{output:.png}}"
)


@pytest.mark.parametrize(
    ("case", "methods", "ends"),
    [
        ("heldout", ("mle:align=none", "debevec:align=none"), False),
        ("look", ("mle:align=none", "mertens"), True),
        ("tonemapping", ("drago", "mertens"), False),
    ],
)
def test_comparisons_without_truth(cluster, brackets, tmp_path, case, methods, ends):
    """Scores and pictures are those of this machine; a method that ends its process costs only itself."""
    address, start_worker = cluster
    start_worker()
    start_worker()
    found = {}
    for where, by in (("here", ()), ("there", ("--cluster", address))):
        words = [part for name in methods for part in ("--method", name)]
        words += ["--program", ENDS_ITS_PROCESS] if ends else []
        ran = _openhdr("bench", case, "--data", brackets, "-o", tmp_path / where, *words, *by)
        assert ran.returncode == (2 if ends else 0), ran.stderr
        if ends:
            *failed, last = ran.stderr.splitlines()
            assert len(failed) == 2 and all("ends" in line and "SIGKILL" in line for line in failed), failed
            assert "2 of 6 runs failed; the others are done" in last
        parts = {
            path.name: _without_times(json.loads(path.read_text())["answer"])
            for path in (tmp_path / where / "parts").iterdir()
        }
        results = json.loads((tmp_path / where / "results.json").read_text())
        found[where] = (parts, _without_times(results))
        assert (tmp_path / where / "report.html").stat().st_size > 10_000
    assert len(found["here"][0]) == 2
    assert found["here"] == found["there"]
    for answer in found["there"][0].values():
        done = answer["facts"]["methods"]
        assert [name for name in done if "error" not in done[name]] == list(methods)
        assert any(view["pictures"] for view in answer["set"]["views"])


def test_no_cluster_is_an_error_of_one_line(card, tmp_path):
    pytest.importorskip("distributed")
    ran = _openhdr("batch", card, "-o", tmp_path / "out", "--cluster", f"tcp://127.0.0.1:{_free_port()}")
    assert ran.returncode == 2 and ran.stderr.count("\n") == 1 and "no Dask scheduler answers" in ran.stderr


@pytest.fixture
def bucket(monkeypatch):
    """URL of an empty bucket of a server on this machine."""
    server = pytest.importorskip("moto.server")
    pytest.importorskip("obstore")
    running = server.ThreadedMotoServer(port=0, verbose=False)
    running.start()
    _, port = running.get_host_and_port()
    settings = {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "REGION": "us-east-1"}
    settings |= {"ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    for name, value in settings.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    import urllib.request

    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/cards", method="PUT")).close()
    yield "s3://cards"
    running.stop()


def test_photos_and_results_in_buckets(bucket, card, quiet):
    photos, results = open_storage(f"{bucket}/card"), open_storage(f"{bucket}/hdr")
    for path in card.iterdir():
        photos.write(path.name, path.read_bytes())
    assert len(read_bucket(f"{bucket}/card").photos) == 12
    ran = _openhdr("batch", f"{bucket}/card", "-o", f"{bucket}/hdr", *FAST)
    assert ran.returncode == 0, ran.stderr
    assert {name: hashlib.sha256(results.read(name)).hexdigest() for name in quiet} == quiet
    facts = json.loads(results.read("batch.json"))
    assert facts["brackets"][0]["photos"][0] == f"{bucket}/card/DSC_0001.jpg"
    assert "0 made, 4 done before" in _openhdr("batch", f"{bucket}/card", "-o", f"{bucket}/hdr", *FAST).stdout


def test_a_bucket_is_used_like_a_folder(bucket, tmp_path):
    for storage in (open_storage(f"{bucket}/plain"), Folder(tmp_path / "folder")):
        assert storage.read("a/b.txt") is None and storage.stamp("a/b.txt") is None
        storage.write("a/b.txt", b"12345")
        storage.write("a/b.txt", b"123456")
        assert storage.read("a/b.txt") == b"123456" and storage.read("a/b.txt", 2) == b"12"
        assert storage.stamp("a/b.txt")[0] == 6 and list(storage.names()) == ["a/b.txt"]
        assert storage.fetched("a/b.txt", tmp_path).read_bytes() == b"123456"
        staged = storage.staged("c.txt", tmp_path)
        staged.write_bytes(b"c")
        storage.deliver(staged, "c.txt")
        assert storage.read("c.txt") == b"c"


def test_of_two_writers_the_first_wins(bucket, monkeypatch):
    storage = open_storage(f"{bucket}/writers")
    storage.write("a", b"first")
    real = storage.store

    class Late:
        """Another writes between a look and a write."""

        def head(self, name):
            found = real.head(name)
            real.put(name, b"other")
            return found

        def put(self, *words, **options):
            return real.put(*words, **options)

    storage.store = Late()
    storage.write("a", b"mine")
    storage.store = real
    assert storage.read("a") == b"other"


def test_a_bucket_that_is_not_there(bucket):
    with pytest.raises(FileError, match="cannot be reached"):
        list(open_storage("s3://nowhere/card").names())
    assert os.environ["AWS_REGION"]
