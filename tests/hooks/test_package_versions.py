from kedro.io import DataCatalog

from sparkify.hooks.package_versions import PackageVersionsHooks


def test_versions_are_of_the_packages_that_fit_and_predict() -> None:
    catalog = DataCatalog()
    PackageVersionsHooks().after_catalog_created(catalog)
    versions = catalog.load("params:package_versions")
    assert {"python", "pyspark", "xgboost-cpu", "scikit-learn"} <= set(versions)
