"""The pages, for tests that go through all of them."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

# In the navigation's order: page -> its title, and what stands on it only when its slowest part is drawn.
DRAWN = {
    "overview": ("Deeper Networks Lab", ".score"),
    "networks": ("Networks", ".stGraphVizChart svg"),
    "train": ("Train", ".live-chart .legendtext"),
    "compare": ("Compare", ".js-plotly-plot .js-line"),
    "claims": ("Claims", ".claim .picture"),
    "gallery": ("Gallery", "svg.marks"),
    "inside": ("Inside", ".filmstrip .bars"),
    "draw": ("Draw", ".predictions article"),
    "round": ("Round", ".round-board"),
    "lesson": ("Lesson", ".lesson-question"),
}
PAGES = tuple(DRAWN)
APP = str(Path(__file__).parents[1] / "app.py")


def opened(name, **query):
    """A page as its script draws it, at an address with this query."""
    page = AppTest.from_file(APP, default_timeout=60).switch_page(f"pages/{name}.py")
    for key, value in query.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception
    return page
