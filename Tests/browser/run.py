"""Looks at every kind of page of a running site in a real browser, as each of the demo's people and as nobody.

    run.py BASE_URL [--accounts FILE] [--shots FOLDER] [--limit N] [--only TEXT] [--no-journey]

First the people work in the catalogue (journey.py), so that there is something on every page.
Then it signs in as each, follows the links it finds, and takes one page of each kind (ids in an address count as one kind). Each is
opened six ways (VIEWS) so that 360 and 1440 pixels, both languages, light and dark, with and without JavaScript each
meet. Checked are: the answer,
its language, one main heading, no sideways scrolling, no violation of WCAG 2.2 A and AA by axe, no error in the console
(so also none of the content security policy), nothing loaded from elsewhere, less than 150 KB in all.

Prints a line for each failure and `N passed, N failed` at the end; exits 1 when something failed.
"""

import argparse
import json
import os
import re
import sys
import time
from urllib.parse import urljoin, urlsplit

import axe_playwright_python
import journey
from playwright.sync_api import Error, sync_playwright

AXE = open(os.path.join(os.path.dirname(axe_playwright_python.__file__), "axe.min.js"), encoding="utf-8").read()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WEIGHT = 150_000
# Width, language, colours, JavaScript.
VIEWS = [
    (360, "zh-CN", "light", True),
    (1440, "en", "light", True),
    (1440, "zh-CN", "dark", True),
    (360, "en", "dark", True),
    (1440, "zh-CN", "light", False),
    (360, "en", "light", False),
]
# Pages of any node that need no link to be found.
SEEDS = [
    "/", "/inbox", "/systems", "/catalog", "/requests", "/grants", "/deliveries", "/supervision", "/audit",
    "/people", "/organisations", "/account",
]
# Where the forms of a page that only ask lead, with everything ticked.
ASKING = """forms => forms.filter(form => form.method === 'get').map(form => {
  form.querySelectorAll('input[type=checkbox]').forEach(tick => tick.checked = true);
  return form.getAttribute('action') + '?' + new URLSearchParams(new FormData(form));
})"""
# What a browser would refuse to send though the visitor sees nothing to fill in: fields that are demanded inside a folded
# part whose form is sent from outside of it, and filters (more than one field, only asking) that demand anything.
STUCK = """[...document.forms].flatMap(form => {
  const demanded = [...form.elements].filter(one => one.required && !one.checkValidity());
  const fields = [...form.elements].filter(one => one.name && one.type !== 'hidden' && one.type !== 'submit');
  if (form.method === 'get' && fields.length > 1) return demanded.map(one => one.name);
  return demanded.filter(one => {
    const fold = one.closest('details:not([open])');
    return fold && form.contains(fold);
  }).map(one => one.name);
})"""
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def kind(address):
    """`/grants/0199…?after=x` → `/grants/{id}?`: pages made by the same code."""
    parts = urlsplit(address)
    path = re.sub(r"/\d[\w.-]*", "/{n}", UUID.sub("{id}", parts.path))
    return path + ("?" if parts.query else "")


class Site:
    def __init__(self, browser, base, shots):
        self.browser, self.base, self.shots = browser, base, shots
        self.host = urlsplit(base).netloc
        self.passed = self.failed = 0

    def check(self, good, what, detail=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {what}" + (f": {detail}" if detail else ""), flush=True)

    def context(self, state, width, language, script=True, scheme="light"):
        context = self.browser.new_context(
            storage_state=state, viewport={"width": width, "height": 900}, java_script_enabled=script,
            color_scheme=scheme, locale=language)
        context.add_cookies([{"name": "lang", "value": language, "url": self.base}])
        context.set_default_timeout(20_000)
        return context

    def sign_in(self, account):
        """Through the page, without JavaScript, as anybody would."""
        context = self.context(None, 1440, "zh-CN", script=False)
        page = context.new_page()
        page.goto(self.base + "/sign-in")
        page.fill("input[name=login]", account["login"])
        page.fill("input[name=password]", account["password"])
        page.click("main form button")
        signed_in = page.locator("form[action='/sign-out']").count() == 1
        self.check(signed_in, f"{account['login']} signs in", page.locator("main").inner_text()[:200])
        state = context.storage_state()
        context.close()
        return state if signed_in else None

    def use(self, account, state):
        """The few things that a page does by itself, by hand: refusing, changing language, folding out, signing out."""
        context = self.context(None, 360, "zh-CN")
        page, heard = self.open(context)
        page.goto(self.base + "/sign-in")
        page.fill("input[name=login]", account["login"])
        page.fill("input[name=password]", "not the password")
        page.click("main form button")
        self.check(page.locator(".faults[role=alert]").is_visible(), "a wrong password is refused on the page")
        self.check(page.input_value("input[name=login]") == account["login"], "a refused form keeps what was entered")
        self.axe(page, "the refused sign-in")
        context.close()
        context = self.context(state, 360, "zh-CN")
        page, heard = self.open(context)
        page.goto(self.base + "/catalog")
        page.keyboard.press("Tab")
        self.check(page.evaluate("document.activeElement.className") == "skip", "the first stop of the keyboard skips to the content")
        page.click("details.menu summary")
        self.check(page.locator("details.menu a[aria-current]").first.is_visible(), "the menu folds out and shows where one is")
        self.axe(page, "the open menu")
        page.click("a.language")
        self.check(page.locator("html").get_attribute("lang") == "en", "the language switch changes the language")
        page.goto(self.base + "/")
        self.check(page.locator("html").get_attribute("lang") == "en", "the language stays")
        page.click("details.who summary")
        page.click("form[action='/sign-out'] button")
        page.wait_for_load_state()
        page.goto(self.base + "/inbox")
        self.check(urlsplit(page.url).path == "/sign-in", "who has signed out has to sign in again")
        context.close()

    def axe(self, page, label):
        page.evaluate(AXE)
        found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
        for violation in found["violations"]:
            node = violation["nodes"][0]
            self.check(
                False, label,
                f"axe {violation['id']} ({len(violation['nodes'])}): {node['html'][:160]} {node['failureSummary'][:160]}")
        if not found["violations"]:
            self.check(True, label)

    def links(self, state, seen, limit):
        """Walks from page to page, one of each kind, and gives those that nobody has looked at yet."""
        context = self.context(state, 1440, "zh-CN", script=False)
        page = context.new_page()
        queue, walked, found = list(SEEDS if state else ["/", "/sign-in", "/no-such-page"]), set(), []
        while queue and len(found) < limit:
            address = queue.pop(0)
            if kind(address) in walked:
                continue
            walked.add(kind(address))
            # A file to download is no page, and is not opened to find out: its head says so.
            head = context.request.fetch(self.base + address, method="HEAD", max_redirects=0)
            if "text/html" not in head.headers.get("content-type", "") or head.status in (303, 403):
                continue
            if head.status >= 400 and address != "/no-such-page":
                self.check(address in SEEDS, f"a link leads to {address}", f"status {head.status}")
                continue
            page.goto(self.base + address, wait_until="domcontentloaded")
            # The home page differs from person to person; the rest is looked at by the first who comes to it.
            if kind(address) not in seen or address in ("/", "/inbox"):
                seen.add(kind(address))
                found.append(address)
            hrefs = page.eval_on_selector_all("a[href]", "links => links.map(link => link.getAttribute('href'))")
            for href in hrefs + page.eval_on_selector_all("main form", ASKING):
                there = urlsplit(urljoin(self.base + address, href))
                if there.netloc == self.host and "lang=" not in there.query:
                    queue.append(there.path + ("?" + there.query if there.query else ""))
        context.close()
        return found

    def open(self, context):
        """One window for all pages of a view, with what it hears about the page that is open."""
        page = context.new_page()
        heard = {"errors": [], "weight": 0, "elsewhere": []}

        def answered(response):
            if urlsplit(response.url).netloc not in (self.host, ""):
                heard["elsewhere"].append(response.url)
            try:
                heard["weight"] += len(response.body())
            except Error:
                pass

        page.on("console", lambda message: heard["errors"].append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: heard["errors"].append(str(error)))
        page.on("response", answered)
        return page, heard

    def look(self, page, heard, address, label, language, axe, shot=None):
        heard.update(errors=[], weight=0, elsewhere=[])
        response = page.goto(self.base + address, wait_until="load")
        missing = address == "/no-such-page"
        errors = [error for error in heard["errors"] if not (missing and "404" in error)]
        self.check(response.status == (404 if missing else 200), label, f"status {response.status}")
        self.check(not errors, label, f"console: {errors[:3]}")
        self.check(not heard["elsewhere"], label, f"loads from elsewhere: {heard['elsewhere'][:3]}")
        self.check(heard["weight"] < WEIGHT, label, f"{heard['weight']} bytes")
        said = page.locator("html").get_attribute("lang")
        self.check(said == language, label, f"says it is in {said}")
        self.check(page.locator("main h1").count() == 1, label, f"{page.locator('h1').count()} main headings")
        wide = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
        self.check(wide <= 0, label, f"scrolls sideways by {wide} px")
        stuck = page.evaluate(STUCK)
        self.check(not stuck, label, f"a form cannot be sent: {stuck}")
        if axe:
            self.axe(page, label)
        if shot:
            page.screenshot(path=os.path.join(self.shots, shot + ".png"), full_page=True)

    def look_everywhere(self, state, who, addresses):
        for width, language, scheme, script in VIEWS:
            context = self.context(state, width, language, script, scheme)
            page, heard = self.open(context)
            for address in addresses:
                name = re.sub(r"[^\w]+", "-", kind(address)).strip("-") or "home"
                label = f"{address} as {who}, {width} px, {language}, {scheme}" + ("" if script else ", no script")
                shot = f"{who}-{name}-{width}-{language}-{scheme}" if self.shots and script else None
                try:
                    self.look(page, heard, address, label, language, axe=script, shot=shot)
                except Error as error:
                    self.check(False, label, str(error).splitlines()[0])
            context.close()


def accounts(path):
    if not path:
        return []
    listed = json.load(open(path, encoding="utf-8"))
    return listed if isinstance(listed, list) else listed["accounts"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base")
    parser.add_argument("--accounts", help="JSON: a list of {login, password}")
    parser.add_argument("--shots", help="a folder for screenshots")
    parser.add_argument("--limit", type=int, default=60, help="kinds of pages for each person")
    parser.add_argument("--only", help="addresses that contain this")
    parser.add_argument("--no-journey", action="store_true", help="change nothing: only look at what is there")
    options = parser.parse_args()
    if options.shots:
        os.makedirs(options.shots, exist_ok=True)
    began = time.monotonic()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        site = Site(browser, options.base.rstrip("/"), options.shots)
        seen = set()
        pages = 0
        people = accounts(options.accounts)
        if people and not options.no_journey:
            journey.do(site, {account["login"]: account for account in people})
        for account in [None] + people:
            who = account["login"] if account else "nobody"
            state = site.sign_in(account) if account else None
            if account and not state:
                continue
            addresses = [one for one in site.links(state, seen, options.limit) if (options.only or "") in one]
            pages += len(addresses)
            print(f"{who}: {len(addresses)} pages: {' '.join(kind(one) for one in addresses)}", flush=True)
            site.look_everywhere(state, who, addresses)
        if people and not options.only:
            # Signing out ends the session, so this comes last.
            site.use(people[0], site.sign_in(people[0]))
        browser.close()
    print(f"{pages} pages in {time.monotonic() - began:.0f} s")
    print(f"{site.passed} passed, {site.failed} failed")
    return 1 if site.failed or not site.passed else 0


if __name__ == "__main__":
    sys.exit(main())
