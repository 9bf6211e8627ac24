"""Versions of the installed packages, as a parameter."""

import platform
from importlib.metadata import version

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog, MemoryDataset

# Other versions of these may fit or predict differently.
PACKAGES = ["pyspark", "xgboost-cpu", "scikit-learn", "numpy", "pandas"]


class PackageVersionsHooks:
    """Adds the versions of Python and of packages to the parameters, for model cards."""

    @hook_impl
    def after_catalog_created(self, catalog: DataCatalog) -> None:
        """Add `params:package_versions` before a run."""
        catalog["params:package_versions"] = MemoryDataset(read_package_versions())


def read_package_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that fit and predict."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
