"""Write what an outsider needs to certify, archive or cite: from the provenance of every table.

``python book/manifests.py`` writes, at the top of the checkout,

- ``codecheck.yml``: every table with the command that makes it again (https://codecheck.org.uk);
  who checked it, and the certificate, stay empty until someone has;
- ``ro-crate-metadata.json``: the same for programs (https://w3id.org/ro/crate), with cohort,
  versions, machine and checksum;
- ``.zenodo.json``: title, licence and paper, from ``CITATION.cff``, for the archive of a release.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from rocrate.model import ContextEntity
from rocrate.rocrate import ROCrate

from stored import command_for, stored_tables
from vaeimpute.files import write_atomically

ROOT = Path(__file__).resolve().parents[1]


def tables(root: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the path from the top, the command and the provenance of every stored table."""
    for file, provenance in stored_tables(root / "results"):
        command = command_for(file, provenance) or "a script that is not kept"
        yield file.relative_to(root).as_posix(), command, provenance


def codecheck(root: Path) -> str:
    """Return ``codecheck.yml``."""
    citation = _citation(root)
    paper = citation["references"][0]
    manifest = [
        {"file": path, "comment": f"{command} ({_when(made)})"}
        for path, command, made in tables(root)
    ]
    content = {
        "version": "https://codecheck.org.uk/spec/config/1.0/",
        "paper": {
            "title": f"Replication of: {paper['title']}",
            "authors": [{"name": author["name"]} for author in citation["authors"]],
            "reference": f"https://doi.org/{paper['doi']}",
        },
        "manifest": manifest,
        "codechecker": None,
        "summary": None,
        "repository": None,
        "check_time": None,
        "certificate": None,
        "report": None,
    }
    head = "# Written by book/manifests.py. What is null is for whoever checks it to fill in.\n"
    return head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def crate(root: Path) -> str:
    """Return ``ro-crate-metadata.json``."""
    citation = _citation(root)
    made = list(tables(root))
    crate = ROCrate()
    crate.name, crate.description = citation["title"], " ".join(citation["abstract"].split())
    crate.license = f"https://spdx.org/licenses/{citation['license']}"
    crate.datePublished = max(provenance["date"] for *_, provenance in made)
    paper = citation["references"][0]
    article = {"@type": "ScholarlyArticle", "name": paper["title"]}
    crate.root_dataset["citation"] = crate.add(
        ContextEntity(crate, f"https://doi.org/{paper['doi']}", properties=article)
    )
    for path, command, provenance in made:
        table = crate.add_file(
            dest_path=path,
            properties={
                "name": Path(path).stem,
                "encodingFormat": "text/csv",
                "sha256": hashlib.sha256((root / path).read_bytes()).hexdigest(),
            },
        )
        versions = ", ".join(f"{name} {number}" for name, number in provenance["versions"].items())
        action = {
            "@type": "CreateAction",
            "name": command,
            "description": f"commit {provenance['commit']}; Python {provenance['python']}, "
            f"{versions}; {_machine(provenance)}",
            "endTime": provenance["date"],
            "result": table,
        }
        crate.add(ContextEntity(crate, f"#{path}", properties=action))
    return json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False) + "\n"


def zenodo(root: Path) -> str:
    """Return ``.zenodo.json``."""
    citation = _citation(root)
    doi = citation["references"][0]["doi"]
    content = {
        "title": citation["title"],
        "description": " ".join(citation["abstract"].split()),
        "version": citation["version"],
        "upload_type": citation["type"],
        "license": citation["license"],
        "creators": [{"name": author["name"]} for author in citation["authors"]],
        "keywords": citation["keywords"],
        "related_identifiers": [
            {"identifier": doi, "relation": "isSupplementTo", "scheme": "doi"},
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


FILES = {"codecheck.yml": codecheck, "ro-crate-metadata.json": crate, ".zenodo.json": zenodo}


def _citation(root: Path) -> dict[str, Any]:
    return yaml.safe_load((root / "CITATION.cff").read_text("utf-8"))


def _when(provenance: dict[str, Any]) -> str:
    seconds = provenance.get("seconds")  # older tables do not say
    time = f"{seconds / 3600:.1f} h on " if seconds else ""
    return f"{time}{_machine(provenance)}; commit {provenance['commit'][:10]}"


def _machine(provenance: dict[str, Any]) -> str:
    return provenance.get("hardware", "a machine that is not recorded")


if __name__ == "__main__":
    for name, make in FILES.items():
        write_atomically(ROOT / name, make(ROOT))
