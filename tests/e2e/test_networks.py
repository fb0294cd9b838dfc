"""The journey of somebody who walks the road: from network to network, by its links, its chart, and back."""

import re

from playwright.sync_api import expect


def expect_network(page, name, label, inside):
    expect(page).to_have_url(re.compile(f"/networks\\?network={name}(&present=true)?$"))
    expect(page.get_by_role("heading", name=label, exact=True)).to_be_visible()
    expect(page.locator(".stGraphVizChart svg").get_by_text(inside).first).to_be_attached()


def test_stops_and_stones_of_the_road_lead_to_their_networks_and_back_goes_one_step(lab, page):
    page.goto(f"{lab[1]}/?present=true")
    page.evaluate("window.loadedOnce = true")
    page.get_by_role("link", name="LeNet-5", exact=True).click()
    expect_network(page, "lenet5", "LeNet-5", "5×5 partial convolution")
    page.get_by_role("link", name="GoogLeNet", exact=True).click()
    expect_network(page, "googlenet", "GoogLeNet", "5×5 convolution")

    pointers = {}
    for stone in ("ZFNet 11.7 %", "ResNet 3.57 %", "hand-made features 25.8 %", "AlexNet 16.4 %"):
        mark = page.locator(f"[aria-label='{stone}']").last
        mark.hover()
        page.wait_for_timeout(200)
        pointers[stone.split()[0]] = mark.evaluate("mark => getComputedStyle(mark).cursor")
    assert pointers == {"ZFNet": "default", "ResNet": "pointer", "hand-made": "default", "AlexNet": "pointer"}
    mark.click()
    expect_network(page, "alexnet", "AlexNet", "11×11 convolution, stride 4")

    page.go_back()
    expect_network(page, "googlenet", "GoogLeNet", "5×5 convolution")
    page.go_back()
    expect_network(page, "lenet5", "LeNet-5", "5×5 partial convolution")
    page.go_back()
    expect(page.get_by_role("heading", name="Deeper Networks Lab")).to_be_visible()
    assert page.evaluate("window.loadedOnce")


def test_a_link_shows_two_networks_and_a_block_and_no_drawing_leaves_its_frame(lab, page):
    page.goto(f"{lab[1]}/networks?network=googlenet&beside=resnet20&block=inception3a")
    expect(page.get_by_role("heading", name="What differs")).to_be_visible()
    for label in ("GoogLeNet", "ResNet-20"):
        expect(page.get_by_role("heading", name=label, exact=True)).to_be_visible()
    expect(page.locator(".stGraphVizChart svg")).to_have_count(2)
    expect(page.get_by_role("combobox", name=re.compile("Block")).first).to_have_value("inception3a")
    frame = page.locator(".st-key-drawing-0")
    expect(frame).to_have_css("overflow-x", "auto")
    assert frame.evaluate("frame => frame.scrollWidth > frame.clientWidth")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.documentElement.scrollWidth <= 390")
