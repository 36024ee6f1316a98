# SPDX-License-Identifier: Apache-2.0
"""Bar charts as SVG, without a library. They read on light and on dark pages."""

from xml.sax.saxutils import escape

COLOURS = (
    "#0a7d5a", "#3fae8c", "#c2571a", "#8a5fb0", "#4a76b8", "#a08416", "#7a7a7a",
    "#d1495b", "#2a9d8f", "#6d597a",
)
BAR, GAP, GROUP_GAP, LEFT, WIDTH, TOP, LINE = 13, 2, 14, 120, 760, 46, 18


def legend(series):
    """Returns the legend's elements, broken into lines, and the height that they take."""
    elements, x, y = [], LEFT, TOP
    for i, name in enumerate(series):
        width = 15 + 7.2 * len(name) + 16
        if x > LEFT and x + width > WIDTH:
            x, y = LEFT, y + LINE
        elements.append(f'<rect x="{x:.1f}" y="{y - 12}" width="11" height="11" fill="{COLOURS[i % len(COLOURS)]}"/>'
                        f'<text x="{x + 15:.1f}" y="{y - 2}">{escape(name)}</text>')
        x += width
    return elements, y - TOP


def bars(title, unit, groups, series, limit=None):
    """Returns a bar chart: groups = [(name, [value or None per series])]; longer bars are worse.

    Values above limit are cut, with their number beside the bar.
    """
    biggest = max((v for _, values in groups for v in values if v), default=1)
    top = min(biggest, limit) if limit else biggest
    scale = (WIDTH - LEFT - 70) / top
    names, height = legend(series)
    body, y = [], TOP + height + 22
    for name, values in groups:
        present = [(i, v) for i, v in enumerate(values) if v]
        height = len(present) * (BAR + GAP)
        body.append(f'<text x="{LEFT - 8}" y="{y + height / 2 + 4:.1f}" text-anchor="end">'
                    f"{escape(name)}</text>")
        for i, value in present:
            length = max(min(value, top) * scale, 1)
            body.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" '
                        f'fill="{COLOURS[i % len(COLOURS)]}"><title>{escape(series[i])}: '
                        f"{value:.2f}</title></rect>")
            more = " …" if value > top else ""
            body.append(f'<text class="n" x="{LEFT + length + 4:.1f}" y="{y + BAR - 2}">'
                        f"{value:.1f}{more}</text>")
            y += BAR + GAP
        y += GROUP_GAP
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img" '
            f'font-family="sans-serif" font-size="12">')
    style = ("<style>text{fill:#333}.n{font-size:10px}.t{font-size:14px;font-weight:bold}"
             "@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>")
    return "\n".join([
        head,
        f"<title>{escape(title)}</title>",
        style,
        f'<text class="t" x="{LEFT}" y="18">{escape(title)}</text>',
        f'<text class="n" x="{WIDTH - 4}" y="18" text-anchor="end">{escape(unit)}</text>',
        *names, *body, "</svg>", ""])
