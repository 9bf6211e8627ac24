"""Make the results of linear algebra independent of the number of cores."""

from kedro.framework.hooks import hook_impl
from threadpoolctl import threadpool_limits


class BlasThreadsHooks:
    """Gives the driver's linear algebra one thread during a run.

    With more threads, NumPy's BLAS sums in another order, so that the last digits depend on the
    number of cores. Its waiting threads also take time from Spark's tasks.
    """

    def __init__(self) -> None:
        self._limits: threadpool_limits | None = None

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Limit BLAS to one thread."""
        self._limits = threadpool_limits(limits=1, user_api="blas")

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Restore the number of threads."""
        self._restore()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Restore the number of threads."""
        self._restore()

    def _restore(self) -> None:
        if self._limits is not None:
            self._limits.restore_original_limits()
