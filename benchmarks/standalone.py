"""A standalone Spark cluster on this machine: a master and two workers on the loopback address."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pyspark

WORKERS = 2
MAX_WAIT_SECONDS = 60


class Cluster:
    """A master and its workers, each in a process group."""

    def __init__(self, folder: Path, memory: str = "1g") -> None:
        """Start the master; `memory` is that of each worker."""
        self.folder, self.memory = folder, memory
        self.port, self.page = _find_free_port(), _find_free_port()
        self._workers: list[subprocess.Popen[bytes]] = []
        folder.mkdir(parents=True, exist_ok=True)
        ports = ["--port", str(self.port), "--webui-port", str(self.page)]
        self._master = self._start("master.Master", *ports)

    @property
    def address(self) -> str:
        """The value of `spark.master`."""
        return f"spark://127.0.0.1:{self.port}"

    def require_workers(self) -> None:
        """Start missing workers and wait until the master has registered all."""
        while len(self._workers) < WORKERS:
            page = str(_find_free_port())
            options = ["--cores", "1", "--memory", self.memory, "--webui-port", page]
            options += ["--work-dir", str(self.folder / "work"), self.address]
            self._workers.append(self._start("worker.Worker", *options))
        end = time.monotonic() + MAX_WAIT_SECONDS
        while self.count_workers() < WORKERS:
            if time.monotonic() > end:
                raise TimeoutError(f"no {WORKERS} workers within {MAX_WAIT_SECONDS} s")
            time.sleep(0.5)

    def count_workers(self) -> int:
        """Return how many workers are registered."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.page}/json/") as page:
                return int(json.load(page)["aliveworkers"])
        except OSError:
            return 0

    def kill_worker(self) -> None:
        """Kill a worker with its executors, as if a machine was lost, and start another."""
        _kill(self._workers.pop(0))
        self.require_workers()

    def stop(self) -> None:
        """End all processes of the cluster."""
        for process in [*self._workers, self._master]:
            _kill(process)

    def _start(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        home = Path(pyspark.__file__).parent
        environment = {
            **{key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "256m",
        }  # without PYTHONPATH, workers have only the code that is shipped to them
        program = [home / "bin/spark-class", f"org.apache.spark.deploy.{name}"]
        with (self.folder / "output.txt").open("a", encoding="utf-8") as output:
            return subprocess.Popen(
                [*program, "--host", "127.0.0.1", *options],
                cwd=self.folder,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


def _kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _find_free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
