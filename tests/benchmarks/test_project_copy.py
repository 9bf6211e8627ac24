from pathlib import Path

from kedro.config import OmegaConfigLoader

from benchmarks.project_copy import ENV, ProjectCopy
from sparkify.settings import CONFIG_LOADER_ARGS


def find_record(project: ProjectCopy) -> Path:
    """Return the path of the simulation record in the project's catalog."""
    loader = OmegaConfigLoader(str(project.folder / "conf"), env=ENV, **CONFIG_LOADER_ARGS)
    return Path(loader["catalog"]["simulation_record"]["filepath"])


def test_a_linked_log_has_the_record_of_its_simulation(tmp_path: Path) -> None:
    first, other = (ProjectCopy(tmp_path / name, {}, {}) for name in ("first", "other"))
    find_record(first).parent.mkdir(parents=True)
    first.log.write_text('{"ts": 1}\n')
    find_record(first).write_text('{"users": 7}')
    other.link_log(first.log)
    assert other.log.read_text() == '{"ts": 1}\n'
    assert find_record(other).read_text() == '{"users": 7}'
