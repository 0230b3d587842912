from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import measured, plot, report, tables
from tests.benchmarks.results import RESULT

SVG = "{http://www.w3.org/2000/svg}"
PAGE = f"# Benchmarks\n\nHow.\n\n{report.BEGIN}\n\nold\n\n{report.END}\n\nWhy.\n"


def test_what_was_measured_survives_its_file(tmp_path: Path) -> None:
    measured.write(tmp_path / "benchmarks.json", RESULT)
    assert measured.read(tmp_path / "benchmarks.json") == RESULT


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    page = report.replaced(PAGE, "new")
    assert page == PAGE.replace("old", "new")
    assert report.replaced(page, "new") == page


@pytest.mark.parametrize("marker", [report.BEGIN, report.END])
def test_a_page_without_a_marker_is_left_alone(marker: str) -> None:
    with pytest.raises(ValueError, match="The page needs"):
        report.replaced(PAGE.replace(marker, ""), "new")


def test_the_page_can_be_drawn_again_from_the_figures(tmp_path: Path) -> None:
    (tmp_path / "benchmarks.md").write_text(PAGE, encoding="utf-8")
    report.publish(RESULT, tmp_path)
    first = [(tmp_path / name).read_text(encoding="utf-8") for name in ("benchmarks.md", "benchmarks.svg")]
    report.draw(measured.read(tmp_path / "benchmarks.json"), tmp_path)
    assert [(tmp_path / name).read_text(encoding="utf-8") for name in ("benchmarks.md", "benchmarks.svg")] == first
    assert "1.00 (1.00 to 2.00)" in first[0]


def test_the_page_in_docs_is_drawn_from_the_figures_beside_it() -> None:
    result = measured.read(report.DOCS / "benchmarks.json")
    page = (report.DOCS / "benchmarks.md").read_text(encoding="utf-8")
    assert report.replaced(page, tables.every(result)) == page
    assert (report.DOCS / "benchmarks.svg").read_text(encoding="utf-8") == plot.draw(result)


def test_the_picture_is_an_svg_with_words_for_who_can_not_see_it() -> None:
    drawing = ET.fromstring(plot.draw(RESULT))  # noqa: S314 - made one line above
    assert drawing.tag == f"{SVG}svg"
    assert drawing.get("role") == "img"
    assert drawing.findtext(f"{SVG}title")
    assert "Nothing changed: pytest-deploy 1.0 s, pyinfra 5.0 s, Ansible 7.0 s." in str(drawing.findtext(f"{SVG}desc"))


def test_bars_are_as_long_as_their_seconds() -> None:
    drawing = ET.fromstring(plot.draw(RESULT))  # noqa: S314 - made one line above
    bars = [float(str(bar.get("width"))) for bar in drawing.iter(f"{SVG}rect")][1:]
    ours, pyinfra, ansible = bars[:3]
    assert pyinfra == pytest.approx(5 * ours, rel=0.01)
    assert ansible == pytest.approx(7 * ours, rel=0.01)


def test_nothing_is_drawn_outside_the_sheet() -> None:
    drawing = ET.fromstring(plot.draw(RESULT))  # noqa: S314 - made one line above
    for bar in drawing.iter(f"{SVG}rect"):
        assert float(str(bar.get("x"))) + float(str(bar.get("width"))) <= plot.WIDTH
