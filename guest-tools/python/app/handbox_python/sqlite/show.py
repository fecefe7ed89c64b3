"""How rows are shown: the output modes."""

import html

from handbox_python.sqlite.basics import Refused, centred, jsoned, literal, name_of, quoted, real

ALIGNED = ("column", "table", "box", "markdown")
PLAIN = ("list", "csv", "tabs", "json", "line", "quote", "insert", "html")


class Shown:
    """What a result looks like, and where it goes."""

    def __init__(self, out):
        self.mode, self.header, self.header_given = "list", False, False
        self.column, self.row, self.null = "|", "\n", ""
        self.table = "table"
        self.widths = []
        self.out = out

    def set_mode(self, mode, row_of_csv):
        """`row_of_csv`: what ends a row of `csv`; it is another by an option than by `.mode`."""
        if mode not in ALIGNED + PLAIN:
            raise Refused(f"mode should be one of: {' '.join(sorted(ALIGNED + PLAIN))}")
        self.mode = mode
        if mode in ("csv", "tabs", "list", "quote"):
            self.column = {"csv": ",", "tabs": "\t", "list": "|", "quote": ","}[mode]
            self.row = row_of_csv if mode == "csv" else "\n"

    def text(self, value):
        if value is None:
            return self.null
        if isinstance(value, bytes):
            return value.partition(b"\0")[0].decode("utf-8", "surrogateescape")
        return real(value) if isinstance(value, float) else str(value)

    def show(self, names, rows):
        if self.mode in ALIGNED:
            if rows:
                self.show_aligned(names, [[self.text(value) for value in row] for row in rows])
        elif self.mode == "json":
            between = "["
            for row in rows:
                pairs = ",".join(f"{quoted(name)}:{jsoned(value)}" for name, value in zip(names, row))
                self.out.write(f"{between}{{{pairs}}}")
                between = ",\n"
            if between != "[":
                self.out.write("]\n")
        elif self.mode == "line":
            width, between = max(5, *map(len, names)), ""
            for row in rows:
                self.out.write(between + "".join(f"{name:>{width}} = {self.text(value)}\n" for name, value in zip(names, row)))
                between = "\n"
        else:
            self.show_plain(names, rows)
        self.out.flush()

    def show_plain(self, names, rows):
        shown = self.text if self.mode in ("list", "tabs", "html") else self.separated if self.mode == "csv" else literal
        first = self.header and self.mode != "insert"
        for row in rows:
            if first:
                titles = map(literal, names) if self.mode == "quote" else map(shown, names)
                self.out.write(self.line_of([*titles], "TH"))
                first = False
            self.out.write(self.line_of([shown(value) for value in row], "TD"))

    def line_of(self, texts, cell):
        if self.mode == "insert":
            return f"INSERT INTO {name_of(self.table)} VALUES({','.join(texts)});\n"
        if self.mode == "html":
            return "<TR>" + "\n".join(f"<{cell}>{html.escape(text, quote=True)}</{cell}>" for text in texts) + "\n</TR>\n"
        return self.column.join(texts) + self.row

    def separated(self, value):
        text = self.text(value)
        special = not text or any(sign <= " " or sign in "\"'" or sign >= "\x7f" for sign in text) or self.column in text
        return '"' + text.replace('"', '""') + '"' if value is not None and special else text

    def show_aligned(self, names, rows):
        least = [*self.widths, *[0] * len(names)]
        widths = [max(at_least, *map(len, column)) for at_least, column in zip(least, zip(names, *rows))]
        bars = {"table": ("| ", " | ", " |"), "markdown": ("| ", " | ", " |"), "box": ("│ ", " │ ", " │")}
        start, between, end = bars.get(self.mode, ("", "  ", ""))

        def line(texts):
            self.out.write(start + between.join(text.ljust(width) for text, width in zip(texts, widths)) + end + "\n")

        def rule(left, cross, right, dash="-"):
            self.out.write(left + cross.join(dash * (width + 2) for width in widths) + right + "\n")

        if self.mode == "column":
            if self.header:
                line(names)
                line(["-" * width for width in widths])
        else:
            if self.mode != "markdown":
                rule(*("+++" if self.mode == "table" else "┌┬┐"), "-" if self.mode == "table" else "─")
            self.out.write(start + between.join(centred(name, width) for name, width in zip(names, widths)) + end + "\n")
            rule(*{"table": "+++-", "markdown": "|||-", "box": "├┼┤─"}[self.mode])
        for row in rows:
            line(row)
        if self.mode in ("table", "box"):
            rule(*{"table": "+++-", "box": "└┴┘─"}[self.mode])

    def show_plan(self, rows):
        """The rows of `EXPLAIN QUERY PLAN`, as a tree."""
        children = {}
        for number, parent, _, detail in rows:
            children.setdefault(parent, []).append((number, detail))

        def branch(parent, lead):
            entries = children.get(parent, [])
            for place, (number, detail) in enumerate(entries):
                last = place + 1 == len(entries)
                self.out.write(f"{lead}{'`--' if last else '|--'}{detail}\n")
                branch(number, lead + ("   " if last else "|  "))

        self.out.write("QUERY PLAN\n")
        branch(0, "")
