"""A browser at the console, and what is asked of each of its pages."""

import json
import time
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

import service
from service import AUTH_ID, AUTH_TOKEN

CHROMIUM = "/usr/bin/chromium"
AXE = service.target() / "node" / "acceptance" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
# Nothing in here may become more than text.
HOSTILE = '<img src=x onerror="window.taken=1">'
SIZES = {"desk": {"width": 1280, "height": 860}, "phone": {"width": 375, "height": 812}}


class Browser:
    """One tab that is signed in nowhere yet."""

    def __init__(self, checks, url, axe=AXE):
        self.checks = checks
        self.url = url
        self.axe = Path(axe).read_text()
        self.playwright = sync_playwright().start()
        self.chromium = self.playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        self.context = self.chromium.new_context(viewport=SIZES["desk"])
        self.page = self.context.new_page()
        self.page.set_default_timeout(8000)
        self.troubles, self.hosts = [], set()
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))

    def _console(self, message):
        # A refused request is no fault of the page.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.troubles.append(message.text)

    def sign_in(self, token=AUTH_TOKEN):
        self.page.goto(self.url)
        self.page.get_by_label("Auth id").fill(AUTH_ID)
        self.page.get_by_label("Auth token").fill(token)
        self.page.keyboard.press("Enter")

    def open(self, where):
        self.page.goto(f"{self.url}/#/{where}")

    def shows(self, why, locator, seconds=5.0):
        """Checks that `locator` is seen in time."""
        try:
            expect(locator.first).to_be_visible(timeout=seconds * 1000)
            return self.checks(why, True)
        except AssertionError:
            return self.checks(why, False, "not shown")

    def button(self, name, exact=True):
        return self.page.get_by_role("button", name=name, exact=exact)

    def enter(self, field, text):
        """Fills in a field of the dialog."""
        self.page.locator(f"dialog [name={field}]").fill(text)

    def press(self, name):
        self.button(name).click()

    def grid(self):
        """The pairs of member ids (listener, source) of which the grid says that one hears the other."""
        cells = "nodes => nodes.map(n => [n.dataset.to, n.dataset.from])"
        return {tuple(pair) for pair in self.page.locator("td.hears[data-to]").evaluate_all(cells)}

    def until(self, why, look, seconds=3.0):
        """Checks that `look()` becomes true in time, and says after how long."""
        began = time.monotonic()
        while not (seen := look()) and time.monotonic() - began < seconds:
            self.page.wait_for_timeout(10)
        return self.checks(why, seen, f"{(time.monotonic() - began) * 1000:.0f} ms")

    def is_accessible(self, why):
        """Checks that axe finds nothing serious."""
        # Past the policy, which lets no page run what is not the service's own.
        session = self.context.new_cdp_session(self.page)
        session.send("Runtime.evaluate", {"expression": self.axe})
        run = {"expression": "axe.run().then(r => JSON.stringify(r.violations))", "awaitPromise": True}
        found = json.loads(session.send("Runtime.evaluate", run)["result"]["value"])
        serious = [one for one in found if one["impact"] in SERIOUS]
        told = "; ".join(f"{one['id']}: {one['nodes'][0]['html'][:90]}" for one in serious)
        self.checks(f"{why}: axe finds nothing serious", not serious, told)

    def fits(self, why):
        """Checks that nothing is wider than a telephone."""
        self.page.set_viewport_size(SIZES["phone"])
        width = self.page.evaluate("document.documentElement.scrollWidth")
        self.checks(f"{why}: fits {SIZES['phone']['width']} px", width <= SIZES["phone"]["width"], width)
        self.page.set_viewport_size(SIZES["desk"])

    def focus(self, name, keys=60):
        """Goes to the button `name` by the tab key alone; whether it came there."""
        for _ in range(keys):
            self.page.keyboard.press("Tab")
            told = self.page.evaluate(
                "(e => e.getAttribute('aria-label') ?? e.textContent)(document.activeElement)"
            )
            if told == name:
                return True
        return False

    def stop(self):
        self.chromium.close()
        self.playwright.stop()
