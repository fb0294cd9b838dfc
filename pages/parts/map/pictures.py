"""Pictures for maps that a browser fetches when it needs them, and then keeps: the test images, of which it may show
any of thousands at once, in strips of a hundred, and a whole map.
"""

import io

import numpy as np
import streamlit as st
from PIL import Image
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from core.datasets.catalogue import DATASETS
from core.datasets.loading import DatasetUnavailable
from core.datasets.sheets import to_picture
from core.explain.embedding import positions
from core.palette import colours
from core.runs.run import RunError, open_run

PER_STRIP = 100
_STRIPS, _MAPS = "test-images", "maps"
# They are in the address, so that a browser never shows what was another version's.
_VERSION_DIGITS = 12
_SIDE = 600


def strips(dataset):
    """Where the strips of a dataset are, as a page of the lab calls it; the strip of images 100 N and on is N.png in
    it.
    """
    return f"{_STRIPS}/{dataset}-{DATASETS[dataset]['sha256']['test_images'][:_VERSION_DIGITS]}"


def picture(run):
    """Where the picture of a run's map is, as a page of the lab calls it."""
    return f"{_MAPS}/{run.id}/{run.map_path.stat().st_mtime_ns}.png"


def _data():
    # Here, and not above: app.py is imported before the server is there, and nothing can be kept until then.
    from pages.parts import data

    return data


def _strip(request):
    dataset = next((name for name in DATASETS if strips(name) == f"{_STRIPS}/{request.path_params['dataset']}"), None)
    start = PER_STRIP * request.path_params["strip"]
    if not dataset or start >= DATASETS[dataset]["test_examples"]:
        return PlainTextResponse("There is no such strip of test images.", 404)
    return _answer(to_picture(_data().test_images(dataset)[start : start + PER_STRIP]))


def _map(request):
    run, data = open_run(request.path_params["run"]), _data()
    arrays, labels = data.test_map(run), data.verdicts(run).labels
    if arrays is None:
        return PlainTextResponse(f"{run.id} has no map.", 404)
    return _answer(draw(positions(arrays), labels))


def draw(positions, labels, side=_SIDE):
    """A map as a picture without a background: a dot for each image, in the colour of its class.

    Args:
        positions: (N, 2) in 0..1, right and down.
        labels: (N,) the classes.
        side: pixels.
    """
    shades = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] + [230] for colour in colours(10)], np.uint8)
    pixels = np.zeros((side, side, 4), np.uint8)
    x, y = np.rint(positions * (side - 5) + 2).astype(int).T
    for right in range(-1, 2):
        for down in range(-1, 2):
            pixels[y + down, x + right] = shades[labels % len(shades)]
    return Image.fromarray(pixels)


def _answer(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return Response(buffer.getvalue(), media_type="image/png", headers={"Cache-Control": "max-age=31536000, immutable"})


def _guarded(send):
    """Answers a request; with one sentence where there is nothing for it."""

    def answer(request):
        if not is_host_allowed(request.headers.get("host")):
            return PlainTextResponse("This lab does not answer to that name.", 403)
        try:
            return send(request)
        except (RunError, DatasetUnavailable) as error:
            return PlainTextResponse(str(error), 404)

    return answer


def routes():
    """What the server answers besides its pages."""
    base = st.get_option("server.baseUrlPath").strip("/")
    start = f"/{base}{'/' * bool(base)}"
    return [
        Route(f"{start}{_STRIPS}/{{dataset}}/{{strip:int}}.png", _guarded(_strip)),
        Route(f"{start}{_MAPS}/{{run}}/{{version:int}}.png", _guarded(_map)),
    ]
