"""For whatever there may be in a run's files: sound values or one sentence, and nothing else."""

import contextlib
import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.config.fields import Choice, Switch
from core.config.run_config import FIELDS, RunConfig
from core.jobs import liveness
from core.jobs.estimate import seconds_left
from core.results.table import table
from core.runs.integrity import problems
from core.runs.run import RunError, create_run
from core.runs.schema import HISTORY_COLUMNS
from pages.parts.charts.live_chart import epoch_points, ranges, sentences, step_points
from tests.damages import SENSELESS
from tests.folders import finished_run, mapped, record_epochs

ARRAYS = ("test_predictions.npz", "map.npz", "epoch_predictions.bin")
FILES = (*SENSELESS, *ARRAYS, "log.txt", "model.keras", "model.tflite")
# The same examples each time: a test that fails should fail for whoever looks into it.
COMMON = {"derandomize": True, "deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}

NUMBERS = st.integers() | st.floats() | st.integers(-2, 12)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=20),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=5,
)


def look_at_everything(run):
    """All that pages and commands make of a run's files. What is not sound is a RunError; what is must be of use."""
    with contextlib.suppress(RunError):
        config, status = run.read_config(), liveness.state(run)
        history, (steps, _) = run.read_history(), run.read_progress()
        assert list(history) == list(HISTORY_COLUMNS)
        sentences(config, history), ranges(history, step_points(steps, config), {}), epoch_points(history)
        seconds_left(config, status, history, steps)
    readers = run.read_record, run.read_position, run.read_log
    for reader in (*readers, run.read_predictions, run.read_map, run.read_epoch_predictions, run.read_note):
        with contextlib.suppress(RunError):
            reader()
    for which in ("best", "last"):
        rows, said = table([run], which)
        assert len(rows) + len(said) == 1
    for name, sentence in problems(run).items():
        assert sentence.startswith((f"{run.id}: {name} ", f"{run.id}: {name}: "))
        assert sentence.isprintable()
        assert len(sentence) < 300


@contextlib.contextmanager
def replaced(path, content):
    """A file with other content, for a moment."""
    before = path.read_bytes() if path.exists() else None
    path.write_bytes(content)
    try:
        yield
    finally:
        path.unlink() if before is None else path.write_bytes(before)


@pytest.fixture
def run(artifacts):
    run = mapped(finished_run(examples=20), features=9, examples=20)
    run.write_position(1.0, {"KERAS_BACKEND": "jax"})
    run.write_note("mine", "As good as any.")
    record_epochs(run, examples=20)
    return run


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=30, **COMMON)
@given(content=st.binary(max_size=200))
def test_any_bytes_in_a_file_are_survived(run, name, content):
    with replaced(run.path / name, content):
        look_at_everything(run)


@pytest.mark.parametrize("name", [*SENSELESS, *ARRAYS])
@settings(max_examples=30, **COMMON)
@given(data=st.data())
def test_any_damage_inside_a_file_is_survived(run, name, data):
    content = (run.path / name).read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 40)))
    with replaced(run.path / name, content[:start] + data.draw(st.binary(max_size=20)) + content[end:]):
        look_at_everything(run)


@pytest.mark.parametrize("name", ["config.json", "status.json", "metrics.json", "progress.jsonl", "queue.json"])
@settings(max_examples=50, **COMMON)
@given(data=st.data(), value=JSON)
def test_any_json_in_a_file_or_in_one_of_its_values_is_survived(run, name, data, value):
    whole = json.loads((run.path / name).read_text())
    inner = data.draw(st.sampled_from([whole, *(part for part in whole.values() if isinstance(part, dict))]))
    if data.draw(st.booleans()):
        inner[data.draw(st.sampled_from(sorted(inner)) | st.text(max_size=8))] = value
    else:
        whole = value
    with replaced(run.path / name, (json.dumps(whole) + "\n").encode()):
        look_at_everything(run)


SMALL = st.floats(1e-6, 1e6)
LOSS = st.floats()
SHARE = st.floats(0, 1)
ROW = st.fixed_dictionaries(
    {
        name: LOSS if name.endswith("loss") else SHARE if name.endswith("accuracy") else SMALL
        for name in HISTORY_COLUMNS[1:]
    }
)


@settings(max_examples=40, **COMMON)
@given(rows=st.lists(ROW, max_size=5))
def test_the_history_that_is_written_is_read(run, rows):
    rows = [{"epoch": epoch} | row for epoch, row in enumerate(rows, start=1)]
    with replaced(run.history_path, b""):
        for row in rows:
            run.append_history(row)
        pd.testing.assert_frame_equal(
            run.read_history(), pd.DataFrame(rows, columns=HISTORY_COLUMNS, dtype=float).astype({"epoch": int})
        )


SENTENCE = st.none() | st.text(st.characters(codec="utf-8"), max_size=200)
COUNT = st.none() | st.integers(1, 10**4)
STATUS = {"phase": SENTENCE, "error": SENTENCE, "epoch": COUNT, "epochs": COUNT, "step": COUNT, "steps": COUNT}


@settings(max_examples=30, **COMMON)
@given(changes=st.fixed_dictionaries({}, optional=STATUS))
def test_the_status_that_is_written_is_read(run, changes):
    run.write_status(**changes)
    assert run.read_status().items() >= changes.items()


def values_of(field):
    """Every value that a field of RunConfig takes."""
    kind = field.metadata["kind"]
    if isinstance(kind, Switch):
        return st.booleans()
    if isinstance(kind, Choice):
        return st.sampled_from(kind.names)
    numbers = st.integers if kind.whole else st.floats
    return numbers(kind.low, kind.high) | (st.just(field.type(0)) if kind.zero_means else st.nothing())


@settings(max_examples=30, **COMMON)
@given(config=st.builds(RunConfig, **{name: values_of(field) for name, field in FIELDS.items()}))
def test_the_config_that_is_written_is_read(artifacts, config):
    run = create_run(config)
    assert run.read_config() == config
    assert problems(run) == {}
