#!/usr/bin/env python3
"""Makes a picture (SVG) of a terminal's screen: reads what `tmux capture-pane -e -p` writes, which is text with the colours and
weights as SGR sequences. Usage: ansi-to-svg.py TITLE <SCREEN >PICTURE"""

import re
import sys
import unicodedata
from html import escape

# The sixteen colours of a dark terminal; the rest of the 256 is computed.
NAMED = ("#1e2430 #e06c75 #98c379 #e5c07b #61afef #c678dd #56b6c2 #c8ccd4 "
         "#6b7280 #f0838b #a9d68b #f2d08b #7fc1ff #d998ef #6fd0dc #ffffff").split()
FOREGROUND, BACKGROUND = "#c8ccd4", "#1e2430"
WIDTH, HEIGHT, SIZE, PAD, BAR = 8.4, 18, 14, 14, 30


def indexed(number):
    if number < 16:
        return NAMED[number]
    if number < 232:
        levels = (0, 95, 135, 175, 215, 255)
        number -= 16
        return "#%02x%02x%02x" % (levels[number // 36], levels[number // 6 % 6], levels[number % 6])
    return "#" + "%02x" % (8 + (number - 232) * 10) * 3


def apply(style, codes):
    """The style after the codes of one SGR sequence."""
    codes = [int(code or 0) for code in re.split("[;:]", codes)]
    while codes:
        code = codes.pop(0)
        if code == 0:
            style = {}
        elif code in (1, 2, 3, 4, 7):
            style = {**style, code: True}
        elif code in (22, 23, 24, 27):
            off = (1, 2) if code == 22 else (code - 20,)
            style = {key: value for key, value in style.items() if key not in off}
        elif code in (38, 48):
            kind = codes.pop(0)
            color = indexed(codes.pop(0)) if kind == 5 else "#%02x%02x%02x" % tuple(codes.pop(0) for _ in range(3))
            style = {**style, "fg" if code == 38 else "bg": color}
        elif code in (39, 49):
            style = {key: value for key, value in style.items() if key != ("fg" if code == 39 else "bg")}
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style = {**style, "fg": NAMED[code - 30 if code < 90 else code - 82]}
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style = {**style, "bg": NAMED[code - 40 if code < 100 else code - 92]}
    return style


def columns(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def line(text, row, style):
    """A line's elements, and the style that the next one begins with."""
    elements, column = [], 0
    for part in re.split("(\x1b\\[[0-9;:]*m)", text):
        if part.startswith("\x1b["):
            style = apply(style, part[2:-1])
            continue
        part = re.sub("\x1b\\].*?(\x07|\x1b\\\\)|\x1b.|[\x0e\x0f]", "", part)
        if not part:
            continue
        wide = columns(part)
        fg, bg = style.get("fg", FOREGROUND), style.get("bg")
        if style.get(7):
            fg, bg = bg or BACKGROUND, fg
        x, y = PAD + column * WIDTH, BAR + PAD + row * HEIGHT
        if bg:
            elements.append(f'<rect x="{x:.1f}" y="{y}" width="{wide * WIDTH:.1f}" height="{HEIGHT}" fill="{bg}"/>')
        if part.strip():
            look = f' fill="{fg}"'
            look += ' font-weight="bold"' if style.get(1) else ""
            look += ' opacity=".6"' if style.get(2) else ""
            look += ' font-style="italic"' if style.get(3) else ""
            look += ' text-decoration="underline"' if style.get(4) else ""
            elements.append(f'<text x="{x:.1f}" y="{y + 13}" textLength="{wide * WIDTH:.1f}"{look}>{escape(part)}</text>')
        column += wide
    return elements, style, column


def main():
    title = sys.argv[1]
    rows = sys.stdin.read().rstrip("\n").split("\n")
    elements, style, widest = [], {}, 60
    for row, text in enumerate(rows):
        found, style, wide = line(text, row, style)
        elements += found
        widest = max(widest, wide)
    width, height = round(2 * PAD + widest * WIDTH), BAR + 2 * PAD + len(rows) * HEIGHT
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">')
    print(f"<title>{escape(title)}</title>")
    print(f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>')
    for at, color in enumerate(("#e06c75", "#e5c07b", "#98c379")):
        print(f'<circle cx="{20 + 18 * at}" cy="17" r="5.5" fill="{color}"/>')
    print(f'<text x="{width / 2:.0f}" y="21" text-anchor="middle" font-family="sans-serif" font-size="12" fill="#6b7280">{escape(title)}</text>')
    print(f'<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{SIZE}" xml:space="preserve">')
    print("\n".join(elements))
    print("</g>\n</svg>")


main()
