"""Folder trees in the layout of PGR and GDPR, with a small ontology beside them, and with traps.

Every training split has more units than the forget lists of the task contract take.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow
from pyarrow import parquet

PHENOTYPES = {
    "HP:0000118": ("Phenotypic abnormality", ()),
    "HP:0000002": ("Abnormality of height", ("HP:0000118",)),
    "HP:0000003": ("Short stature", ("HP:0000002",)),
    "HP:0000004": ("Tall stature", ("HP:0000002",)),
    "HP:0000005": ("Neoplasm", ("HP:0000118",)),
    "HP:0000006": ("Glioma", ("HP:0000005",)),
    "HP:0000007": ("Seizure", ("HP:0000118",)),
    "HP:0000008": ("Hypotonia", ("HP:0000118",)),
}
"""Names and parents by id."""

FORMER = "HP:0009999"
"""What Hypotonia's id once was."""

ASKED = [*list(PHENOTYPES)[2:], FORMER]
GENES = {100 + number: f"GEN{number}" for number in range(24)}
"""Symbols by NCBI's id."""

UNKNOWN = 123
"""A gene that HPO does not have."""

DISEASES = {f"OMIM:{600 + number}": f"Syndrome {number}" for number in range(8)}

POSITIONS = [f"{kind}_{end}_POSITION" for kind in ("GENE", "PHENOTYPE") for end in ("START", "END")]
PGR_COLUMNS = ["FILE_ID", "SENTENCE", "GENE", "PHENOTYPE", "GENE_ID", "PHENOTYPE_ID", *POSITIONS, "RELATION"]
CONFIRMATION = "CONFIRMATION (CORRECT(C) | INCORRECT(I) | UNCERTAIN(U))"
GDPR_COLUMNS = ("gene", "disease", "phenotype", "text", "relation")


def write_all(root: Path) -> Path:
    """Both data sets."""
    for write in WRITERS.values():
        write(root)
    return root


def write_hpo(folder: Path) -> None:
    """An ontology, its genes and its diseases: each gene but one has every other phenotype, and a disease."""
    folder.mkdir(parents=True, exist_ok=True)
    terms = ["format-version: 1.2"]
    for one, (name, parents) in PHENOTYPES.items():
        former = [f"alt_id: {FORMER}"] if name == "Hypotonia" else []
        terms.append(
            "\n".join(["[Term]", f"id: {one}", f"name: {name}", *former, *(f"is_a: {p}" for p in parents)])
        )
    (folder / "hp.obo").write_text("\n\n".join(terms) + "\n", encoding="utf-8")
    rows = ["ncbi_gene_id\tgene_symbol\thpo_id\thpo_name\tfrequency\tdisease_id"]
    for number, (gene, symbol) in enumerate(GENES.items()):
        for one in list(PHENOTYPES)[1 + number % 2 :: 2]:
            disease = list(DISEASES)[number % len(DISEASES)]
            if gene != UNKNOWN:
                rows.append(f"{gene}\t{symbol}\t{one}\t{PHENOTYPES[one][0]}\t-\t{disease}")
    (folder / "genes_to_phenotype.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    names = ["#version: x", "database_id\tdisease_name\tqualifier"]
    names += [f"{one}\t{name}\t" for one, name in DISEASES.items()]
    (folder / "phenotype.hpoa").write_text("\n".join(names) + "\n", encoding="utf-8")


def pgr_pairs() -> dict[str, list[tuple[int, str]]]:
    """Gene and phenotype ids by file; 6 of the 24 test pairs are in the training file, too.

    Neither asks about all of a gene's phenotypes, so that some of HPO's relations are left for the graph.
    """
    pairs = [(gene, one) for place, one in enumerate(ASKED) for gene in GENES if (gene + place) % 3]
    return {"train": pairs[:-18], "test": pairs[-24:]}


def holds(gene: int, phenotype: str) -> bool:
    """Whether the miniature says that they are related."""
    return (gene * 7 + int(phenotype[3:])) % 5 < 2


def pgr_row(gene: int, phenotype: str, number: int, relation: str) -> list[str]:
    """One row; its sentence has entities and white space to spare."""
    known = PHENOTYPES.get(phenotype, ("floppiness", ()))[0].lower()
    sentence = f"Loss of {GENES[gene]}  &lt;{number}&gt; and {known} &amp; more."
    cells = [str(20000000 + number), sentence, GENES[gene], known, str(gene), phenotype.replace(":", "_")]
    return [*cells, "8", "12", "20", "30", relation]


def write_pgr(root: Path) -> None:
    """Both releases: repeated rows, relations in mixed case, Windows line ends, a byte-order mark."""
    folder = root / "pgr"
    write_hpo(folder)
    (folder / "phenotype.hpoa").unlink()
    pairs = pgr_pairs()
    rows = [pgr_row(*pair, number, str(holds(*pair))) for number, pair in enumerate(pairs["train"])]
    rows += [pgr_row(*pair, 900, str(holds(*pair))) for pair in pairs["train"][:10]]
    rows += [rows[0], rows[0]]
    write_tsv(folder / "10_12_2018_corpus" / "train.tsv", PGR_COLUMNS, rows, start=b"\xef\xbb\xbf")
    write_tsv(folder / "11_03_2019_corpus" / "train.tsv", PGR_COLUMNS, rows[20:])
    tests = []
    for number, pair in enumerate(pairs["test"]):
        said = str(holds(*pair)).upper() if number % 2 else str(holds(*pair))
        tests.append([*pgr_row(*pair, 500 + number, said), "CIU"[number % 3]])
    write_tsv(folder / "10_12_2018_corpus" / "test.tsv", [*PGR_COLUMNS, CONFIRMATION], tests, end="\r\n")


def gdpr_rows() -> list[dict[str, str]]:
    """Triples of genes, diseases (by id or name) and phenotypes (by id, with an underscore, or by name)."""
    rows = []
    for number, symbol in enumerate(GENES.values()):
        for place, one in enumerate(ASKED[:-1]):
            disease, name = list(DISEASES.items())[(number + number % 2 + place // 3) % len(DISEASES)]
            if (number + place) % 4 != 1:
                rows.append(
                    {
                        "gene": symbol,
                        "disease": disease if number % 2 else name,
                        "phenotype": (one.replace(":", "_"), PHENOTYPES[one][0].upper(), one)[place % 3],
                        "text": f'{symbol} &amp; "{name}":  {PHENOTYPES[one][0].lower()}, case {number}',
                        "relation": (("FALSE", "no", "0"), ("True", "YES", "1"))[holds(number, one)][
                            place % 3
                        ],
                    }
                )
    return rows


def write_gdpr(root: Path) -> None:
    """Three files, one of them JSON lines; four rows of validation are in the training file, too."""
    folder = root / "gdpr"
    write_hpo(folder)
    rows = gdpr_rows()
    parts = {"train": rows[:76], "validation": rows[72:92], "test": rows[92:]}
    for split in ("train", "test"):
        write_tsv(folder / f"{split}.tsv", GDPR_COLUMNS, (row.values() for row in parts[split]))
    lines = "".join(json.dumps(row) + "\n" for row in parts["validation"])
    (folder / "validation.jsonl").write_text(lines, encoding="utf-8")


WRITERS: dict[str, Callable[[Path], None]] = {"pgr": write_pgr, "gdpr": write_gdpr}


def write_tsv(
    path: Path, header: Iterable[str], rows: Iterable[Iterable[str]], end: str = "\n", start: bytes = b""
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join("\t".join(cells) + end for cells in (header, *rows))
    path.write_bytes(start + text.encode())


class _Bomb:
    """Unpickling it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return Path.mkdir, (self.folder,)


def bomb(folder: Path, protocol: int) -> bytes:
    """A pickle that makes a folder when it is loaded."""
    return pickle.dumps(_Bomb(folder), protocol)


def rows_in(path: Path) -> list[dict[str, str]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    header, *lines = (line.split("\t") for line in path.read_text().splitlines())
    return [dict(zip(header, line, strict=True)) for line in lines]


def rewrite(path: Path, suffix: str, rows: Sequence[Mapping[str, object]] | None = None) -> Path:
    """Write the rows of a file, or others, in another form, and remove the file."""
    rows = rows_in(path) if rows is None else rows
    path.unlink(missing_ok=True)
    new = path.with_suffix(suffix)
    if suffix == ".parquet":
        parquet.write_table(pyarrow.Table.from_pylist(rows), new)
    elif suffix == ".jsonl":
        new.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        write_tsv(new, GDPR_COLUMNS, (map(str, row.values()) for row in rows))
    return new
