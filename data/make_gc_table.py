"""Make the table of GC content that comes with the package: python data/make_gc_table.py TABLE...

A table has a gene and a GC column, as `vaeimpute.cohorts.annotation.read_gc_table` reads it: the
mean counts where a gene has several rows. Of a gene that several tables have, the first one counts.
README.md says which tables the packaged one is made of.
"""

import sys
from pathlib import Path

import pandas as pd

from vaeimpute.cohorts.annotation import read_gc_table
from vaeimpute.files import replacing
from vaeimpute.tables.text import open_for_text

TABLE = Path(__file__).parents[1] / "vaeimpute" / "cohorts" / "gene_gc_content.csv.gz"
# Names of clones and of copies of small RNAs, which no cohort has, and what a spreadsheet took for
# dates: four names of ten.
UNWANTED = r"\.|^(?:RP\d+|CT[A-D])-|^(?:RNU\d+-|RNA5|RN7|Y_RNA|snoU)|^\d+-(?:Mar|Sep|Dec)$"


def make_table(paths: list[str], output: Path = TABLE) -> None:
    """Write the table, sorted, with fractions of three decimals."""
    gc = pd.concat([read_gc_table(Path(path)) for path in paths])
    gc = gc[~gc.index.duplicated() & ~gc.index.str.contains(UNWANTED)].sort_index()
    with replacing(output) as unfinished, open_for_text(unfinished) as file:
        gc.to_csv(file, header=["gc"], index_label="gene", float_format="%.3f", lineterminator="\n")


if __name__ == "__main__":
    make_table(sys.argv[1:])
