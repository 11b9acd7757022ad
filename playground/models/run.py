"""What a model did with a workload, and what several did, by name.

Both are questions to recordings: a run asks its trace, an experiment is a mapping of runs. They know nothing of how
the jobs were carried out, and open the doors to the views only when asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground import files
from playground.models.apart import Ending
from playground.models.parcel import Failure
from playground.models.workload import Workload
from playground.run import Run
from playground.trace import Trace

if TYPE_CHECKING:
    from playground.widgets import Stacked

__all__ = ["Experiment", "ModelRun"]


class ModelRun(Run):
    """What one model did with a workload.

    Attributes:
        model: the model's name.
        results: what each job returned, by its number; `None` for those that have not. If the model was ended before
            its jobs were done, those are there that had come back by then, and are no longer than 64 KiB.
        errors: by number, why a job has no result, of those that raised or whose process died.
        output: what the jobs printed.
        ending: "returned", or how the model ended before its jobs were done: "raised", "timed out", "crashed".
        failure: why, in words; `None` if it returned.
        wall_s: from the moment at which the model began until it had stopped, or was last heard of.
        cpu_s: processor time of its processes; `None` where the system does not tell.
        overhead_s: what it took besides: making the process, sending the jobs, fetching what came of them.
    """

    def __init__(
        self,
        model: str,
        trace: Trace,
        results: Sequence[Any],
        errors: Mapping[int, Failure],
        *,
        output: str = "",
        ending: Ending = "returned",
        failure: Failure | None = None,
        wall_s: float = 0.0,
        cpu_s: float | None = None,
        overhead_s: float = 0.0,
    ) -> None:
        super().__init__(model, None)
        self._recorded, self._trace = True, trace
        self.model = model
        self.results = list(results)
        self.errors = dict(errors)
        self.output = output
        self.ending = ending
        self.failure = failure
        self.wall_s = wall_s
        self.cpu_s = cpu_s
        self.overhead_s = overhead_s

    @property
    def parallel_share(self) -> float | None:
        """Of the time in which a worker could compute, the share in which two could: see `Trace.parallel_share`."""
        return self.trace.parallel_share

    @property
    def gil_share(self) -> float | None:
        """Of the time in which jobs wanted to compute, the share spent waiting for the lock: see `Trace.gil_share`."""
        return self.trace.gil_share

    @property
    def max_overlap(self) -> int:
        """The greatest number of jobs that had begun and not ended at one moment."""
        return self.trace.max_overlap

    @property
    def switches(self) -> int:
        """How often an interpreter went from one job to another: see `Trace.switches`."""
        return self.trace.switches

    def __repr__(self) -> str:
        done = sum(job.outcome == "returned" for job in self.trace.jobs)
        jobs = f"{done} of {len(self.results)} jobs returned in {self.wall_s * 1e3:.0f} ms"
        return f"<ModelRun {self.model!r}: {jobs}{'' if self.ending == 'returned' else f', {self.ending}'}>"


class Experiment(Mapping[str, ModelRun]):
    """A workload, and what each model did with it: a mapping from the model's name to its run.

    Attributes:
        workload: what there was to do.
    """

    def __init__(self, workload: Workload, runs: Mapping[str, ModelRun]) -> None:
        self.workload = workload
        self._runs = dict(runs)

    def __getitem__(self, model: str) -> ModelRun:
        return self._runs[model]

    def __iter__(self) -> Iterator[str]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    @property
    def traces(self) -> dict[str, Trace]:
        """The recordings by the models' names, in order."""
        return {model: run.trace for model, run in self._runs.items()}

    def view(self) -> "Stacked":
        """The models below one another on one axis, as a widget."""
        from playground.widgets import Stacked

        return Stacked(self.traces, title=self.workload.title)

    def to_svg(self, path: str | Path | None = None) -> str:
        """The same as a static SVG picture; also written to `path` if one is given."""
        from playground.views.stacked import stack  # whoever only measures does without
        from playground.views.stacked_svg import svg

        text = svg(stack(self.traces), title=self.workload.title)
        if path is not None:
            files.write_text(path, text)
        return text

    def to_html(self, path: str | Path) -> None:
        """Write the interactive view as one HTML file that needs no network."""
        from playground.widgets.page import stacked_page

        files.write_text(path, stacked_page(self.traces, self.workload.title))

    def __repr__(self) -> str:
        return f"<Experiment: {self.workload.title}; {', '.join(self)}>"

    def __str__(self) -> str:
        """The models below one another on one axis, as text."""
        from playground.views.stacked import stack  # as above
        from playground.views.stacked_text import text

        return text(stack(self.traces), title=self.workload.title)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        from playground.widgets.display import stacked_mimebundle

        return stacked_mimebundle(self.traces, self.workload.title)
