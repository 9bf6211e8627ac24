"""Write the pipelines' graph as a static site: `python -m docs.lineage_site --env mini`.

Like `kedro viz build --include-previews`, but for any environment and into build/site. It adds a
file that the page requests and the build lacks. It removes fonts from another host, and hides
hints and map on the first visit.
"""

import argparse
import contextlib
import logging
import re
import shutil
from pathlib import Path

import fsspec
from kedro.framework.startup import bootstrap_project
from kedro_viz.api.rest.responses.metadata import MetadataAPIResponse
from kedro_viz.api.rest.utils import get_package_compatibilities
from kedro_viz.integrations.deployment.base_deployer import BaseDeployer
from kedro_viz.server import load_and_populate_data

OTHER_HOSTS = re.compile(r'<link\s[^>]*href="https://fonts\.[^>]*>\s*')
FIRST_VISIT = """<script>
localStorage.KedroViz ??= JSON.stringify({
  showFeatureHints: false,
  visible: {graph: true, miniMap: false, sidebar: innerWidth > 1200, slicing: true},
});
</script>
</head>"""


class SiteDeployer(BaseDeployer):  # type: ignore[misc]  # Kedro-Viz has no types
    """Writes Kedro-Viz's pages and API responses into a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._path, self._fs = folder, fsspec.filesystem("file")

    def _ingest_heap_analytics(self) -> None:
        """Omit the script that reports visits to another host."""


def build_site(project: Path, folder: Path, env: str | None = None) -> None:
    """Replace a folder by the site of an environment, with previews and its last run.

    Args:
        project: the project's folder, with conf, data and .viz.
        folder: of the site; serve it over HTTP from its root.
        env: the environment whose data are shown, by default the project's default.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with contextlib.chdir(project):  # where Kedro-Viz looks for .viz
        load_and_populate_data(project, env, package_name="sparkify")
        deployer = SiteDeployer(folder)
        deployer.deploy(is_all_previews_enabled=True)
    versions = MetadataAPIResponse(package_compatibilities=get_package_compatibilities())
    (folder / "api" / "metadata").write_text(versions.model_dump_json(), encoding="utf-8")
    page = folder / "index.html"
    text = OTHER_HOSTS.sub("", page.read_text(encoding="utf-8"))
    text = text.replace("</head>", FIRST_VISIT)
    page.write_text(text, encoding="utf-8")
    # The view of the last run, whose page can then be reloaded: the same page, one folder deeper.
    (folder / "workflow").mkdir()
    deeper = text.replace("<head>", '<head><base href="../">')
    (folder / "workflow" / "index.html").write_text(deeper, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the lineage as a static site.")
    parser.add_argument("--env", help="the environment whose data are shown")
    root = Path.cwd()
    bootstrap_project(root)
    # Datasets without data have no preview and would each log a warning.
    logging.getLogger("kedro_viz.models").setLevel(logging.ERROR)
    build_site(root, root / "build" / "site", parser.parse_args().env)
