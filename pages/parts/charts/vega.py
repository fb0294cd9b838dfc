"""What the charts that Vega-Lite draws have in common; each is a dict, as https://vega.github.io/vega-lite/docs/ says.

Altair would build the same dicts, but to check one against Vega-Lite's schema takes longer than the rest of a page.
"""


def over(rows):
    """The part of a chart that says what it draws: a DataFrame."""
    return {"data": {"name": "rows"}, "datasets": {"rows": rows}}


def quantity(field, **options):
    """An encoding by a column of numbers."""
    return {"field": field, "type": "quantitative", **options}


def category(field, **options):
    """An encoding by a column of names."""
    return {"field": field, "type": "nominal", **options}


def layer(mark, encoding, where=None, **options):
    """A layer of a chart: marks of one kind, with these options, for those rows where an expression is true, or all."""
    rows = {"transform": [{"filter": where}]} if where else {}
    return {"mark": {"type": mark, **options}, "encoding": encoding, **rows}


def selection(name, *fields):
    """The parameters of a layer whose marks can be clicked; the clicked row's fields arrive under the name."""
    return [{"name": name, "select": {"type": "point", "fields": list(fields), "toggle": False}}]
