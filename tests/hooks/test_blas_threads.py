from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from sparkify.hooks.blas_threads import BlasThreadsHooks


def list_threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    assert np.ones((2, 2)) @ np.ones(2) is not None  # NumPy has loaded BLAS
    with threadpool_limits(limits=2, user_api="blas"):
        yield


@pytest.mark.parametrize("ends_with", ["after_pipeline_run", "on_pipeline_error"])
def test_linear_algebra_has_one_thread_during_a_run(ends_with: str) -> None:
    hooks = BlasThreadsHooks()
    before = list_threads()
    assert before
    hooks.before_pipeline_run()
    assert set(list_threads()) == {1}
    getattr(hooks, ends_with)()
    assert list_threads() == before


def test_a_run_that_ends_before_it_starts_changes_nothing() -> None:
    before = list_threads()
    BlasThreadsHooks().on_pipeline_error()
    assert list_threads() == before
