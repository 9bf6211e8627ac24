"""Save what a benchmark measured, without the paths of the machine that measured it."""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ABSOLUTE_PATH = re.compile(r"(?<![\w./:<>])(?:/[\w.@+~-]+)+/?")  # and no part of a URL


def save_results(file: Path, results: dict[str, Any]) -> None:
    """Write results as JSON: paths of the project are relative, and any other is `<path>`."""
    text = json.dumps(results, indent=1, ensure_ascii=False)
    relative = text.replace(f"{ROOT}/", "").replace(str(ROOT), "<path>")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(ABSOLUTE_PATH.sub("<path>", relative) + "\n", encoding="utf-8")
