"""Genomic data imputation with variational autoencoders.

Nothing is imported here, so that each part costs only what it needs: see `vaeimpute.cohorts`,
`vaeimpute.missingness`, `vaeimpute.imputers`, `vaeimpute.evaluation` and `vaeimpute.experiments`.
"""

from importlib.metadata import version

__version__ = version("vaeimpute")
