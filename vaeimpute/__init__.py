"""Genomic data imputation with variational autoencoders.

Nothing is imported here, so that each part costs only what it needs: see `vaeimpute.cohorts`,
`vaeimpute.missingness`, `vaeimpute.imputers`, `vaeimpute.evaluation` and `vaeimpute.experiments`.
"""


def __getattr__(name: str) -> str:
    """Read the version when it is asked for: that takes longer than all else here."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("vaeimpute")
