"""What benchmarks/ hands to the documents: the measured tables as they were measured, the published ones as published."""

from __future__ import annotations

from pathlib import Path

from benchmarks.reproduction import OUT, PUBLISHED, grouped, markdown, read


def test_the_document_has_every_table_that_was_measured() -> None:
    text = OUT.with_suffix(".md").read_text()
    tables = grouped(read())
    assert tables
    for kind, rows in tables.items():
        assert markdown(*kind, rows) in text


def test_the_published_table_is_the_papers(shared_data: Path) -> None:
    lines = (shared_data.parent / "METHOD.md").read_text().splitlines()
    for name, aug in {"CutOut": "cutout", "Flip": "flip", "Invert": "invert", "GEOM": "geom"}.items():
        line = next(line for line in lines if line.startswith(f"| {name} | ."))
        for detector, cell in zip(PUBLISHED, line.split("|")[2:5], strict=True):
            assert tuple(map(float, cell.split())) == PUBLISHED[detector][aug]
