"""A picture as SVG text; whatever a user wrote is escaped."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
FONT = "system-ui, sans-serif"


class Picture:
    """Shapes on a white ground; coordinates in pixels from the top left corner.

    Args:
        width, height: pixels.
        title: what a screen reader says.
    """

    def __init__(self, width: int, height: int, title: str) -> None:
        self._size = (width, height)
        self._title = title
        self._shapes: list[str] = []

    def line(self, start: tuple[float, float], end: tuple[float, float], stroke: str, width: float = 1.0) -> None:
        """Draw a straight line."""
        ends = f'x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
        self._shapes.append(f'<line {ends} stroke="{stroke}" stroke-width="{width:g}"/>')

    def box(self, corner: tuple[float, float], size: tuple[float, float], stroke: str, *, filled: float = 0.0) -> None:
        """Draw a rectangle, filled with its colour at an opacity."""
        place = f'x="{corner[0]:.1f}" y="{corner[1]:.1f}" width="{size[0]:.1f}" height="{size[1]:.1f}"'
        paint = f'stroke="{stroke}" stroke-width="2" fill="{stroke}" fill-opacity="{filled:g}"'
        self._shapes.append(f"<rect {place} {paint}/>")

    def dot(self, at: tuple[float, float], radius: float, stroke: str, fill: str = "none") -> None:
        """Draw a circle."""
        place = f'cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:g}"'
        self._shapes.append(f'<circle {place} stroke="{stroke}" stroke-width="1.5" fill="{fill}"/>')

    def cross(self, at: tuple[float, float], reach: float, stroke: str) -> None:
        """Draw a small ×."""
        x, y = at
        self.line((x - reach, y - reach), (x + reach, y + reach), stroke, 1.5)
        self.line((x - reach, y + reach), (x + reach, y - reach), stroke, 1.5)

    def text(
        self, at: tuple[float, float], words: str, *, anchor: str = "middle", size: int = 12, turn: int = 0
    ) -> None:
        """Write words; `anchor` is start, middle or end, `turn` degrees clockwise."""
        turned = f' transform="rotate({turn} {at[0]:.1f} {at[1]:.1f})"' if turn else ""
        style = f'font-family="{FONT}" font-size="{size}" fill="#222" text-anchor="{anchor}"'
        self._shapes.append(f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" {style}{turned}>{safe(words)}</text>')

    def svg(self) -> str:
        """Return the whole picture as text."""
        width, height = self._size
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img">'
        )
        ground = f'<rect width="{width}" height="{height}" fill="#fff"/>'
        return "\n".join([head, f"<title>{safe(self._title)}</title>", ground, *self._shapes, "</svg>", ""])


def safe(words: str) -> str:
    """Text as XML has it: markup escaped, characters that XML forbids replaced."""
    return escape(_NOT_XML.sub("�", words), {'"': "&quot;", "'": "&#39;"})
