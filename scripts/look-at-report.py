#!/usr/bin/env python3
"""Opens a page of `uphill report`, or the report.html of a comparison, in headless Chromium and uses it as a person would.

    uphill report runs/A runs/B --out report.html
    scripts/look-at-report.py report.html pictures

Points at a chart, walks along it with the arrow keys, plays the episode, and, where there are several runs, sorts by a
click on a head of the table and hides a run by a click on its name; checks each time that the page did it. Also: no error
in the console, nothing fetched, nothing wider than the window. Leaves pictures of the page at two widths, light and dark.

Needs Python 3.9, and chromium and chromedriver on the path (Debian: chromium, chromium-driver).
"""

import base64
import json
import pathlib
import subprocess
import sys
import time
import urllib.request


class Browser:
    """A window of Chromium, by the WebDriver protocol (https://www.w3.org/TR/webdriver2/)."""

    def __init__(self, driver):
        self.root = None
        line = ""
        while "successfully on port" not in line:
            line = driver.stdout.readline()
            if not line:
                sys.exit("chromedriver did not start")
        self.at = f"http://127.0.0.1:{int(line.split('on port')[1].strip().rstrip('.'))}"
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        wanted = {"goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        session = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.root = f"/session/{session['sessionId']}"

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.at + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            sys.exit(f"{path}: {json.load(error)['value']['message']}")

    def post(self, path, **body):
        return self.ask("POST", self.root + path, body)

    def devtools(self, cmd, **params):
        return self.post("/goog/cdp/execute", cmd=cmd, params=params)

    def js(self, script, *args):
        return self.post("/execute/sync", script=script, args=list(args))

    def find(self, selector):
        (element,) = self.post("/element", using="css selector", value=selector).values()
        return element

    def click(self, selector):
        self.post(f"/element/{self.find(selector)}/click")

    def keys(self, selector, text):
        self.post(f"/element/{self.find(selector)}/value", text=text)

    def point(self, selector, across):
        """Moves the pointer to a share of an element's width, from its middle at 0."""
        element = self.find(selector)
        width = self.js("return document.querySelector(arguments[0]).getBoundingClientRect().width", selector)
        origin = {"element-6066-11e4-a52e-4f735466cecf": element}
        move = {"type": "pointerMove", "duration": 0, "x": int(width * across), "y": 0, "origin": origin}
        self.post("/actions", actions=[{"type": "pointer", "id": "mouse", "actions": [move]}])

    def set(self, width, height, scheme):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.devtools("Emulation.setDeviceMetricsOverride", **size)
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        time.sleep(0.3)

    def picture(self, path):
        whole = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(whole["data"]))


def check(holds, what):
    print(f"{'ok' if holds else 'WRONG':5}  {what}")
    if not holds:
        sys.exit(1)


def use(browser):
    """Clicks through the page."""
    text = lambda selector: browser.js("return document.querySelector(arguments[0]).textContent", selector)
    tip = lambda: browser.js("return [...document.querySelectorAll('.tip')].filter((t) => !t.hidden).map((t) => t.textContent)")
    if browser.js("return document.querySelectorAll('.chart').length"):
        browser.js("document.querySelector('.chart .plot').scrollIntoView({block: 'center'})")
        browser.point(".chart .plot", 0.45)
        (first,) = tip()
        browser.point(".chart .plot", -0.3)
        check(tip() != [first] and "steps" in first, f"values under the pointer: {first} | {tip()[0]}")
        lines = "return [...document.querySelectorAll('.at')].every((line) => line.getAttribute('visibility') === 'visible')"
        check(browser.js(lines), "every chart shows the same steps")
        browser.keys(".chart .plot", "\ue010")
        (end,) = tip()
        browser.keys(".chart .plot", "\ue012")
        check(tip() != [end], f"values by arrow keys: {end} | {tip()[0]}")
        browser.js("document.activeElement.blur()")
        check(tip() == [], "no values where nothing points")

    if browser.js("return document.querySelectorAll('.replay').length"):
        browser.js("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        browser.click(".replay .play")
        last = int(browser.js("return document.querySelector('.replay input').max"))
        for _ in range(300):
            if int(text(".replay output")) >= min(5, last):
                break
            time.sleep(0.1)
        check(int(text(".replay output")) >= min(5, last), f"the episode plays: step {text('.replay output')} of {last}")
        if text(".replay .play") == "Pause":
            browser.click(".replay .play")
        before = text(".replay output")
        time.sleep(0.3)
        check(text(".replay output") == before and text(".replay .play") == "Play", "and pauses")
        browser.js("document.querySelectorAll('details').forEach((one) => (one.open = false))")

    for table in browser.js("return [...document.querySelectorAll('table.sortable')].map((table) => table.id)"):
        column = browser.js("return document.getElementById(arguments[0]).tHead.rows[0].cells.length", table)
        cells = lambda: browser.js(
            "return [...document.getElementById(arguments[0]).tBodies[0].rows].map((row) => row.cells[0].textContent)", table
        )
        before, head = cells(), f"#{table} th:nth-child(1) button"
        browser.click(head)
        rising = cells()
        browser.click(head)
        check(sorted(rising) == sorted(before) and cells() == rising[::-1], f"{table} sorts: {rising[:4]} | {cells()[:4]}")
        state = browser.js("return document.querySelector(arguments[0]).parentNode.getAttribute('aria-sort')", head)
        check(state == "descending" and column > 1, f"{table} says how it is sorted")

    if browser.js("return document.querySelectorAll('#legend button').length"):
        count = lambda: browser.js("return document.querySelectorAll('.chart .line[data-run=\"0\"]').length")
        all_lines = count()
        browser.click("#legend button")
        check(all_lines > 0 and count() == 0, f"a click on its name hides a run: {all_lines} curves | {count()}")
        browser.click("#legend button")
        check(count() == all_lines, "another shows it again")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    page, folder = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
    try:
        browser = Browser(driver)
        for width, scheme in [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")]:
            browser.set(width, 900, scheme)
            browser.post("/url", url=page.as_uri())
            wide = browser.js("return document.documentElement.scrollWidth")
            check(wide <= width, f"{width} px, {scheme}: the page is {wide} px wide")
            browser.picture(folder / f"{page.stem}-{width}-{scheme}.png")
            use(browser)
        fetched = set()
        for entry in browser.post("/se/log", type="performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                fetched.add(message["params"]["request"]["url"])
        fetched = {address for address in fetched if not address.startswith("data:")}
        check(fetched == {page.as_uri()}, f"nothing is fetched but {sorted(fetched)}")
        said = [entry["message"] for entry in browser.post("/se/log", type="browser")]
        check(not said, f"nothing in the console: {said}")
        browser.ask("DELETE", browser.root)
    finally:
        driver.terminate()


if __name__ == "__main__":
    main()
