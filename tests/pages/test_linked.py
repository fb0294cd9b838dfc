"""Widgets whose value is in the URL, each on a page of its own."""

import pytest
from streamlit.testing.v1 import AppTest


def slider_page(**query):
    def script():
        import streamlit as st

        from pages.parts.linked import linked_slider, linked_switch

        notices = st.container()
        epoch = linked_slider("Epoch", "epoch", 0, 12, 12, notices)
        strength = linked_slider("Strength", "strength", 0.0, 1.0, 0.5, notices, step=0.25)
        st.text(f"{epoch} {strength} {linked_switch('Hide', 'hidden', notices)}")

    page = AppTest.from_function(script)
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def said(page):
    assert not page.exception
    return page.text[0].value


def test_a_slider_is_where_the_link_says_and_says_so_in_the_link():
    page = slider_page(epoch="3", image="7", page="2")
    assert said(page) == "3 0.5 False"
    page.slider(key="url epoch=12").set_value(0).run()
    page.slider(key="url strength=0.5").set_value(0.75).run()
    assert said(page) == "0 0.75 False"
    assert page.query_params == {"epoch": "0", "strength": "0.75", "image": "7", "page": "2"}
    page.slider(key="url epoch=12").set_value(12).run()
    assert said(page) == "12 0.75 False"
    assert "epoch" not in page.query_params


@pytest.mark.parametrize("value", ["13", "-1", "2.5", "nan", "", "<b>", "9" * 5000])
def test_a_slider_is_not_where_the_link_makes_no_sense(value):
    page = slider_page(epoch=value)
    assert said(page) == "12 0.5 False"
    assert [warning.value for warning in page.warning] == [
        "“Epoch” in the link is not a number from 0 to 12, so it is ignored."
    ]
    assert slider_page(strength="nan").warning


def test_a_switch_changes_beside_a_slider_at_zero():
    page = slider_page(epoch="0")
    page.toggle[0].set_value(True).run()
    assert said(page) == "0 0.5 True"
    assert page.query_params == {"epoch": "0", "hidden": "true"}
