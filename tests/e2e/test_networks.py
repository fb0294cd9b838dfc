"""The journey of somebody who walks the road: from network to network, by its links, its chart, and back."""

import re

from playwright.sync_api import expect


def expect_network(page, name, label, inside):
    expect(page).to_have_url(re.compile(f"/networks\\?network={name}(&present=true)?$"))
    expect(page.get_by_role("heading", name=label, exact=True)).to_be_visible()
    expect(page.locator(".stGraphVizChart svg").get_by_text(inside).first).to_be_attached()


def test_every_stop_on_the_road_leads_to_its_network_and_back_goes_one_step(artifacts, app_url, page):
    page.goto(f"{app_url}/?present=true")
    page.evaluate("window.loadedOnce = true")
    page.get_by_role("link", name="LeNet-5", exact=True).click()
    expect_network(page, "lenet5", "LeNet-5", "5×5 partial convolution")
    page.get_by_role("link", name="GoogLeNet", exact=True).click()
    expect_network(page, "googlenet", "GoogLeNet", "5×5 convolution")
    page.locator("[aria-label='AlexNet 16.4 %']").click()
    expect_network(page, "alexnet", "AlexNet", "11×11 convolution, stride 4")
    page.go_back()
    expect_network(page, "googlenet", "GoogLeNet", "5×5 convolution")
    page.go_back()
    expect_network(page, "lenet5", "LeNet-5", "5×5 partial convolution")
    page.go_back()
    expect(page.get_by_role("heading", name="Deeper Networks Lab")).to_be_visible()
    assert page.evaluate("window.loadedOnce")


def test_two_networks_and_one_block_are_in_the_link(artifacts, app_url, page):
    page.goto(f"{app_url}/networks?network=resnet20&beside=densenet40&block=conv3_1")
    expect(page.get_by_role("heading", name="What differs")).to_be_visible()
    for label in ("ResNet-20", "DenseNet-40"):
        expect(page.get_by_role("heading", name=label, exact=True)).to_be_visible()
    expect(page.locator(".stGraphVizChart svg")).to_have_count(2)
    expect(page.get_by_role("combobox", name=re.compile("Block")).first).to_have_value("conv3_1")


def test_on_a_phone_no_drawing_is_wider_than_the_page(artifacts, app_url, page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{app_url}/networks?network=googlenet")
    page.locator(".stGraphVizChart svg").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_only_stones_that_lead_to_a_network_have_the_pointer_of_a_link(artifacts, app_url, page):
    page.goto(f"{app_url}/networks")
    page.locator(".stGraphVizChart svg").wait_for()
    pointers = {}
    for stone in ("AlexNet 16.4 %", "ZFNet 11.7 %", "ResNet 3.57 %", "hand-made features 25.8 %"):
        mark = page.locator(f"[aria-label='{stone}']").last
        mark.hover()
        page.wait_for_timeout(200)
        pointers[stone.split()[0]] = mark.evaluate("mark => getComputedStyle(mark).cursor")
    assert pointers == {"AlexNet": "pointer", "ZFNet": "default", "ResNet": "pointer", "hand-made": "default"}


def test_a_drawing_of_a_block_stays_in_its_frame(artifacts, app_url, page):
    page.goto(f"{app_url}/networks?network=googlenet&beside=resnet20&block=inception3a")
    page.locator(".stGraphVizChart svg").nth(1).wait_for()
    frame = page.locator(".st-key-drawing-0")
    expect(frame).to_have_css("overflow-x", "auto")
    assert frame.evaluate("frame => frame.scrollWidth > frame.clientWidth")
