import json
from pathlib import Path

from benchmarks.program import ROOT, save_results


def test_results_have_no_absolute_path(tmp_path: Path) -> None:
    file = tmp_path / "new" / "speed.json"
    save_results(
        file,
        {
            "command": f"python -m benchmarks.speed --logs {ROOT}/build/bench --results /tmp/s3",
            "lost": [f'File "{ROOT}/.venv/lib/x.py", line 5', "(/home/jos\u00e9/log.json)"],
            "folder": str(ROOT),
        },
    )
    assert json.loads(file.read_text(encoding="utf-8")) == {
        "command": "python -m benchmarks.speed --logs build/bench --results <path>",
        "lost": ['File ".venv/lib/x.py", line 5', "(<path>)"],
        "folder": "<path>",
    }


def test_everything_else_is_saved_unchanged(tmp_path: Path) -> None:
    results = {
        "sizes": {"mini": {"cores": 2, "share": 0.25, "rows": None}},
        "text": "read and/or written, see https://kedro.org/docs/x, 3 / 5",
    }
    save_results(tmp_path / "results.json", results)
    assert json.loads((tmp_path / "results.json").read_text()) == results
    assert (tmp_path / "results.json").read_text().endswith("}\n")
