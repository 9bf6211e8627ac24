import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from sparkify import __main__, cli
from sparkify.inspection.command import inspect

ROOT = Path(__file__).parents[2]
LOG = '{"ts": 1541105830, "userId": "a", "page": "Größe"}\n'


def test_the_command_prints_both_files(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text(LOG, encoding="utf-8")
    result = CliRunner().invoke(inspect, [str(tmp_path / "log.json")])
    assert result.exit_code == 0
    _, parameters = yaml.safe_load_all(result.stdout)
    assert parameters["feature_engineering"]["pages"] == {"next_song": "Größe"}
    assert parameters["data_processing"]["fields"]["page"] == "page"


def test_the_error_for_an_unreadable_log_is_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(inspect, [str(tmp_path / "nowhere")])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: there is no file or folder at {tmp_path / 'nowhere'}.\n"


def test_the_packaged_command_does_not_import_kedro(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text(LOG, encoding="utf-8")
    program = (
        "import sys; from sparkify.__main__ import main\n"
        "try: main()\n"
        "finally: print(*{'kedro', 'pyspark', 'pandas'} & {*sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "inspect", str(tmp_path / "log.json")],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "LC_ALL": "C", "PYTHONUTF8": "0"},
        capture_output=True,
        check=True,
    )
    assert "next_song: Größe" in done.stdout.decode("utf-8")
    assert done.stderr == b"\n"


def test_the_docs_show_the_output(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "own_log.md").read_text(encoding="utf-8")
    (log,) = re.findall(r"^```csv\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "lessons.csv").write_text(log, encoding="utf-8")
    result = CliRunner().invoke(inspect, [str(tmp_path / "lessons.csv")])
    assert f"```yaml\n{result.stdout.replace(str(tmp_path), '/data')}```" in page


def test_the_kedro_command_line_does_not_have_inspect() -> None:
    assert [*cli.cli.commands] == ["run"]


def test_the_command_has_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["sparkify", "inspect", "--help"])
    with pytest.raises(SystemExit):
        __main__.main()
    assert "Usage: sparkify inspect [OPTIONS] LOG" in capsys.readouterr().out
