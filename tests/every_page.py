"""The pages, for tests that go through all of them."""

# In the navigation's order: page -> its title, and what stands on it only when its slowest part is drawn.
DRAWN = {
    "overview": ("Deeper Networks Lab", ".score"),
    "networks": ("Networks", ".stGraphVizChart svg"),
    "train": ("Train", ".live-chart .legendtext"),
    "compare": ("Compare", ".js-plotly-plot .js-line"),
    "gallery": ("Gallery", "svg.marks"),
    "draw": ("Draw", ".predictions article"),
}
PAGES = tuple(DRAWN)
