"""The words of the trade: each is found where it stands, and means something."""

import html
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.config.recipes import RECIPES
from core.runs.run import Run
from pages.parts import glossary
from tests.every_page import opened
from tests.folders import finished_run, started_run


def test_each_word_is_found_in_a_text_and_explained_without_itself():
    assert len(glossary.WORDS) >= 12
    for word in glossary.WORDS:
        assert glossary.words_in(f"Of {word}, and {word.upper()}.") == [word]
        assert glossary.meaning(word).endswith(".")
        assert word not in glossary.meaning(word).lower()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Validation losses of two epochs", ["validation", "loss", "epoch"]),
        ("augmented batches", ["augmentation", "batch"]),
        ("a lossless glossary", []),
        ("", []),
    ],
)
def test_words_are_found_in_their_forms_and_not_inside_others(text, words):
    assert glossary.words_in(text) == words
    assert bool(glossary.help_on(text)) == bool(words)


def test_a_marked_text_is_html_with_each_word_explained_once():
    marked = glossary.marked("<b>Loss</b> & loss after an epoch")
    assert marked.startswith('&lt;b&gt;<span class="term" tabindex="0" aria-description="')
    assert marked.count("aria-description") == 2
    assert ">Loss</span>&lt;/b&gt; &amp; loss after an " in marked


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_words_of_a_recipe_are_explained_beside_it(artifacts, recipe):
    page = AppTest.from_file(str(Path(__file__).parents[2] / "app.py"), default_timeout=60)
    page.switch_page("pages/train.py")
    page.query_params["recipe"] = recipe
    page.run()
    (caption,) = [each for each in page.caption if each.value == RECIPES[recipe]["about"]]
    assert caption.help == (glossary.help_on(caption.value) or "")


def test_the_figures_of_a_finished_run_are_explained(artifacts):
    run = finished_run()
    page = AppTest.from_file(str(Path(__file__).parents[2] / "app.py"), default_timeout=60)
    page.switch_page("pages/train.py")
    page.query_params["run"] = run.id
    page.run()
    (facts,) = [
        each.proto.body for each in page.get("html") if "run-facts" in each.proto.body and "<b>" in each.proto.body
    ]
    assert glossary.marked("Validation accuracy, epoch 3") in facts


def test_the_words_of_a_run_that_trains_are_explained_without_a_stop_for_the_keyboard(artifacts):
    run = started_run()
    page = opened("train", run=run.id)
    (facts,) = [each.proto.body for each in page.get("html") if '"run-facts"' in each.proto.body]
    for word in ("learning rate", "validation", "accuracy"):
        assert glossary.meaning(word) in html.unescape(facts)
    assert "tabindex" not in facts


def test_the_words_of_choices_and_long_texts_are_explained_beside_them(artifacts):
    run = finished_run()
    run.tflite_path.write_bytes(b"t")
    page = opened("compare", run=run.id, look="calibration")
    choices = {choice.label: choice.help for choice in page.get("button_group")}
    assert glossary.meaning("recipe") in choices["Recipe"]
    assert glossary.meaning("epoch") in choices["Figures of the"]
    assert not choices["Dataset"]
    long = [each for each in [*page.markdown, *page.caption] if len(each.value) > 400]
    assert len(long) == 2
    assert all(each.help == glossary.help_on(each.value) for each in long)
    page = opened("gallery", run=run.id)
    (order,) = [choice for choice in page.selectbox if choice.label == "Sort by"]
    assert glossary.meaning("loss") in order.help
    assert glossary.meaning("confidence") in order.help
    page = opened("claims")
    (about,) = [each for each in page.markdown if each.value.startswith("Each claim")]
    assert glossary.meaning("interval") in about.help
    assert glossary.meaning("overfitting") in about.help
    page = opened("train", run=run.id, details="files")
    (files,) = [each.proto.body for each in page.get("html") if "What it holds" in each.proto.body]
    assert glossary.marked("8-bit weights") in files


def test_the_words_of_inside_are_explained_where_they_stand_first(artifacts):
    (folder,) = (Path(__file__).parents[2] / "artifacts").glob("lenet5-mnist-*")
    run = Run(shutil.copytree(folder, artifacts / folder.name))
    page = opened("inside", run=run.id)
    strip, steps = (
        next(each for each in page.caption if each.value.startswith(begin)) for begin in ("From left", "A filter")
    )
    for word in ("augmentation", "filter", "last features", "receptive field"):
        assert glossary.meaning(word) in strip.help
    assert glossary.meaning("convolution") in steps.help
    assert glossary.meaning("filter") not in steps.help


def test_the_words_of_a_step_of_the_lesson_are_explained_beside_it(artifacts):
    page = opened("lesson", lesson="11")
    (text,) = [each for each in page.markdown if each.value.startswith("AlexNet has eight layers")]
    for word in ("layer", "parameters", "accuracy"):
        assert glossary.meaning(word) in text.help
