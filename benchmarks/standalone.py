"""Spark's own cluster on this machine: a master and two workers on loopback."""

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
PATIENCE_SECONDS = 60


class Cluster:
    """A master and its workers, each a process group of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.page = _free_port(), _free_port()
        self._workers: list[subprocess.Popen[bytes]] = []
        folder.mkdir(parents=True, exist_ok=True)
        place = ["--host", "127.0.0.1", "--port", str(self.port), "--webui-port", str(self.page)]
        self._master = self._started("master.Master", *place)

    @property
    def address(self) -> str:
        """What `spark.master` is."""
        return f"spark://127.0.0.1:{self.port}"

    def require_workers(self) -> None:
        """Start workers until there are two, and wait until the master knows them."""
        while len(self._workers) < WORKERS:
            options = ["--host", "127.0.0.1", "--cores", "1", "--memory", "1g"]
            options += ["--webui-port", str(_free_port()), "--work-dir", str(self.folder / "work")]
            self._workers.append(self._started("worker.Worker", *options, self.address))
        until = time.monotonic() + PATIENCE_SECONDS
        while self.alive() < WORKERS:
            if time.monotonic() > until:
                raise TimeoutError(f"no {WORKERS} workers within {PATIENCE_SECONDS} s")
            time.sleep(0.5)

    def alive(self) -> int:
        """Return how many workers the master counts on."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.page}/json/") as page:
                return int(json.load(page)["aliveworkers"])
        except OSError:
            return 0

    def kill_worker(self) -> None:
        """Kill a worker and all that it started, as when a machine is lost; start another."""
        _killed(self._workers.pop(0))
        self.require_workers()

    def stop(self) -> None:
        """End all processes of the cluster."""
        for process in [*self._workers, self._master]:
            _killed(process)

    def _started(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        home = Path(pyspark.__file__).parent
        environment = {
            **os.environ,
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "256m",
        }
        environment.pop("PYTHONPATH", None)  # no sources: workers know what is shipped to them
        with (self.folder / "output.txt").open("a", encoding="utf-8") as output:
            return subprocess.Popen(
                [home / "bin/spark-class", f"org.apache.spark.deploy.{name}", *options],
                cwd=self.folder,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


def _killed(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
