"""Runs: the stored tables of one cohort, one profile and one network, from the closest on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import ceil, inf
from pathlib import Path
from typing import Any

import pandas as pd

#: Cohorts from the closest to the paper's data on; others come after them.
COHORTS = (
    "tcga-glioma",
    "blueprint-wgbs",
    "glioma-gliovis",
    "glioma-gliovis-uncentred",
    "tcga-small-cohorts",
    "breast-gse1992",
    "breast-gse4335",
    "brain-gse74193",
    "simulated-methylome",
)
#: Widths of the hidden layers and latent dimension of the paper's network.
PAPER_NETWORK = "6000-2000-200"
#: Steps of Adam that it is trained for: 250 epochs of three batches, by the text.
PAPER_STEPS = 750


@dataclass(frozen=True, eq=False)
class Run:
    """The tables of one cohort, one profile and one network, with where they come from.

    Attributes
    ----------
    cohort, profile : str
        The folder and, in it, the one of the tables, if they are in one.
    network : str
        Widths of the hidden layers and latent dimension, such as ``"6000-2000-200"``, and epochs;
        empty where none was trained.
    tables : dict of str to DataFrame
        By the name of the file.
    provenance : dict of str to dict
        By the same names.
    """

    cohort: str
    profile: str
    network: str
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    provenance: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: What checks found in the tables: see `vaeimpute.claims.judge`.
    findings: dict[Any, list] = field(default_factory=dict, init=False, repr=False)

    @property
    def name(self) -> str:
        """Cohort, network and, in brackets, the profile."""
        profile = f" ({self.profile})" if self.profile else ""
        return ", ".join(filter(None, (self.cohort, self.network))) + profile

    @property
    def simulated_gc(self) -> bool:
        """Whether the GC content of the genes was simulated."""
        return "simulated" in (found.get("gc_source") for found in self._parameters())

    @property
    def n_splits(self) -> str:
        """How many splits the tables are of, such as ``"1 split"`` or ``"1 to 10 splits"``."""
        numbers = [
            table[name].nunique()
            for table in self.tables.values()
            for name in ("split", "seed")
            if name in table
        ]
        numbers = numbers or [1] * bool(self.network)
        text = " to ".join(map(str, sorted({min(numbers), max(numbers)}))) if numbers else ""
        return text and f"{text} split" + ("s" if text != "1" else "")

    @property
    def steps(self) -> int | None:
        """Of Adam, in the longest training, an epoch's last batch included; None if not known."""
        steps = [
            found["n_epochs"] * ceil(found["n_training_rows"] / found["batch_size"])
            for found in self._parameters()
            if "n_training_rows" in found
        ]
        return max(steps, default=None)

    @property
    def description(self) -> str:
        """Name, steps and splits, and whether the GC content of the genes was simulated."""
        steps = f"{self.steps} steps" if self.steps else ""
        gc = "simulated GC content" if self.simulated_gc else ""
        splits = self.n_splits if self.network else ""
        return ", ".join(filter(None, (self.name, steps, splits, gc)))

    def has(self, tables: Iterable[str]) -> bool:
        """Whether at least one of the tables is there."""
        return not self.tables.keys().isdisjoint(tables)

    def only(self, tables: Iterable[str]) -> Run:
        """Return the run with some of its tables and what goes with them."""
        names = [f"{name}{of}" for name in tables for of in ("", "_samples", "_draws", "_epochs")]
        kept = [name for name in names if name in self.tables]
        tables, provenance = (
            {name: found[name] for name in kept} for found in (self.tables, self.provenance)
        )
        return replace(self, tables=tables, provenance=provenance)

    @classmethod
    def together(cls, runs: Iterable[Run]) -> Run:
        """Put the tables of runs together, of which each has others; their names are joined."""
        runs = list(runs)
        tables = {name: table for run in runs for name, table in run.tables.items()}
        provenance = {name: found for run in runs for name, found in run.provenance.items()}
        return cls(" and ".join(dict.fromkeys(r.name for r in runs)), "", "", tables, provenance)

    def _parameters(self) -> list[dict[str, Any]]:
        return [found.get("parameters", {}) for found in self.provenance.values()]


def load_runs(folder: str | Path) -> dict[str, Run]:
    """Load the tables of a folder such as ``results/<cohort>``, with their provenance.

    Tables of different networks are different runs and never share one; nor do tables of different
    profiles, which have folders of their own.

    Parameters
    ----------
    folder : str or path
        Of ``<profile>/<table>.csv`` and, beside each, ``<table>.provenance.json``.

    Returns
    -------
    dict of str to Run
        By name; empty if there is no table.
    """
    runs: dict[str, Run] = {}
    for file in sorted(Path(folder).rglob("[!.]*.csv")):
        if file.name.endswith(".failures.csv"):
            continue
        origin = file.with_suffix(".provenance.json")
        if not origin.exists():  # errors by sample and draws may share that of their table
            origin = origin.with_name(origin.name.replace("_samples.", ".").replace("_draws.", "."))
        provenance = json.loads(origin.read_text("utf-8")) if origin.exists() else {}
        profile = "" if file.parent == Path(folder) else file.parent.name
        run = Run(Path(folder).name, profile, describe_network(provenance.get("parameters", {})))
        run = runs.setdefault(run.name, run)
        # Learning rates are names of methods, too.
        run.tables[file.stem] = pd.read_csv(file, dtype={"method": str})
        run.provenance[file.stem] = provenance
    return runs


def load_all_runs(results: str | Path) -> list[Run]:
    """Load all runs of a folder such as ``results``, the closest to the paper first.

    First counts the network, then the cohort, then the number of training steps.
    """
    folders = [path for path in Path(results).iterdir() if path.is_dir()]
    runs = [run for folder in folders for run in load_runs(folder).values()]

    def distance(run: Run) -> tuple[Any, ...]:
        place = COHORTS.index(run.cohort) if run.cohort in COHORTS else len(COHORTS)
        steps = inf if run.steps is None else abs(run.steps - PAPER_STEPS)
        return run.network.partition(",")[0] != PAPER_NETWORK, place, steps, run.name

    return sorted(runs, key=distance)


def closest_run(results: str | Path, table: str) -> Run:
    """Return the stored run closest to the paper that has a table, with that table alone.

    If there is none, it is a run without tables whose name says so.

    Examples
    --------
    >>> run = closest_run("results", "errors_of_bats")
    >>> run.tables, run.description
    ({}, 'No run in results/ has errors_of_bats yet')
    """
    runs = (run.only([table]) for run in load_all_runs(results) if run.has([table]))
    return next(runs, Run(f"No run in results/ has {table} yet", "", ""))


def describe_network(parameters: Mapping[str, Any]) -> str:
    """Say which network a profile's parameters are of, and for how many epochs it is trained.

    Examples
    --------
    >>> describe_network({"hidden_sizes": [6000, 2000], "latent_dim": 200, "n_epochs": 250})
    '6000-2000-200, 250 epochs'
    """
    if "hidden_sizes" not in parameters:
        return ""
    sizes = "-".join(map(str, (*parameters["hidden_sizes"], parameters["latent_dim"])))
    epochs = parameters.get("n_epochs", "")
    return f"{sizes}, {epochs} epochs" if isinstance(epochs, int) else sizes
