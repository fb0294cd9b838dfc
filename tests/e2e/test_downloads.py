"""A run's files over the network: sent as they are on the disk, to nobody else's pages, and no other file."""

import csv
import io
import re

import pytest
from playwright.sync_api import expect

from core.export import export
from core.runs.run import RunError
from tests.e2e.conftest import lab_of
from tests.e2e.test_closed import ask
from tests.folders import finished_run


def whole_damaged_and_longer():
    whole, damaged, longer = finished_run(), finished_run("vgg16"), finished_run(epochs=7)
    whole.model_path.write_bytes(bytes(range(256)) * 1_000)
    (whole.path / "secret.txt").write_text("not a file of a run")
    damaged.predictions_path.write_bytes(b"no archive")
    return whole, damaged, longer


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """(three runs, the address of the app on them)."""
    with lab_of(whole_damaged_and_longer, tmp_path_factory) as found:
        yield found


def test_files_are_sent_as_they_are_and_what_there_is_not_is_a_sentence(lab):
    (run, *_), app_url = lab
    status, headers, body = ask(app_url, f"/download/{run.id}/model.keras")
    assert (status, body) == (200, run.model_path.read_bytes())
    assert headers["Content-Disposition"] == f'attachment; filename="{run.id}-model.keras"'
    status, _, body = ask(app_url, f"/download/{run.id}/test_predictions.csv")
    rows = list(csv.DictReader(io.StringIO(body.decode())))
    assert status == 200
    assert len(rows) == len(run.read_predictions()["labels"])
    assert rows[0]["label"] == "0"
    for name in ("secret.txt", "status.json", ".lock", "..%2fREADME.md", "%2e%2e/README.md", "model.tflite"):
        status, _, body = ask(app_url, f"/download/{run.id}/{name}")
        assert status in (400, 404), name
        assert b"not a file of a run" not in body
    status, _, body = ask(app_url, "/download/no-such-run/config.json")
    assert (status, body.decode()) == (404, "There is no run called no-such-run.")


def test_another_name_of_the_server_gets_no_file(lab):
    (run, *_), app_url = lab
    status, _, body = ask(app_url, f"/download/{run.id}/config.json", Host="lab.example")
    assert (status, body) == (403, b"This lab does not answer to that name.")


def test_what_is_damaged_is_a_sentence(lab):
    (_, run, _), app_url = lab
    status, _, body = ask(app_url, f"/download/{run.id}/test_predictions.csv")
    assert status == 404
    with pytest.raises(RunError) as error:
        run.read_predictions()
    assert body.decode() == str(error.value)


def test_a_click_on_a_file_saves_it_and_back_leads_back(lab, page, tmp_path):
    (*_, run), app_url = lab
    page.goto(f"{app_url}/train?run={run.id}")
    page.get_by_role("button", name="Settings, log and files").click()
    expect(page.get_by_text("7 changed")).to_be_visible()
    expect(page).to_have_url(re.compile(f"run={run.id}&details=settings"))
    page.get_by_text("Files", exact=True).click()
    expect(page).to_have_url(re.compile("details=files"))
    with page.expect_download() as download:
        page.get_by_role("link", name="history.csv").click()
    download.value.save_as(tmp_path / "history.csv")
    assert (tmp_path / "history.csv").read_bytes() == run.history_path.read_bytes()
    page.go_back()
    expect(page.get_by_text("7 changed")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="AlexNet on MNIST about")).to_be_visible()


def test_a_click_makes_what_takes_a_library_another_saves_it_and_it_is_deleted_when_the_server_ends(
    tmp_path, tmp_path_factory, page, monkeypatch
):
    (tmp_path / "made").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "made"))
    name = "events.out.tfevents"
    with lab_of(finished_run, tmp_path_factory) as (run, app_url):
        status, _, body = ask(app_url, f"/download/{run.id}/{name}")
        assert (status, body.decode()) == (404, f"{name} is not made yet: the page of the run has a button for it.")
        page.goto(f"{app_url}/train?run={run.id}&details=files")
        page.get_by_role("button", name=f"Make {name}").click()
        expect(page.get_by_role("link", name=name)).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        download.value.save_as(tmp_path / name)
        export(run, tmp_path / "here", ["tensorboard"])
        assert (tmp_path / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
        assert list((tmp_path / "made").rglob(name))
    assert not list((tmp_path / "made").glob("deeper-networks-*"))
