"""A workspace full of reports, hostile ones among them, and a real browser to look at the page of it.

A browser is Chromium without a window, told what to do through its debugging pipe:

    page = browser.open(path, width=360, scheme="dark")
    page.run("document.title")          what an expression comes to
    page.press("Tab")
    page.requests, page.errors          what it asked the network for, and what it complained about

Where there is none (Debian's package is `chromium`) the tests that need it are skipped.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clozekit.catalog import Catalog, open_catalog
from clozekit.classroom.alike import Answer, LeftOut, compare
from clozekit.classroom.fingerprints import fingerprints
from clozekit.page import alike_page, class_page, progress_page
from clozekit.phrases import LANGUAGES
from clozekit.report import Finding, Growth, Meter, Picture, Point, Problem, Report, Result, Roofline, Step
from clozekit.workspace import Workspace

FOUND = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = "background-networking component-update sync default-apps extensions gpu"
OPTIONS = [
    *"--headless --no-sandbox --no-first-run --hide-scrollbars --remote-debugging-pipe".split(),
    *(f"--disable-{name}" for name in QUIET.split()),
]
KEYS = {"Tab": 9, "Enter": 13}
VOID = {"meta", "img", "br", "link", "input", "hr"}
UNFOLD = "document.querySelectorAll('details').forEach(each => each.open = true)"
WIDER = """[...document.querySelectorAll('body *')].filter(each => each.getBoundingClientRect().right > innerWidth + 1)
    .filter(each => !each.closest('svg, .scroll, .code') && !each.classList.contains('skip'))
    .map(each => each.outerHTML.slice(0, 90))"""
PALE = """(() => {
    const light = colour => colour.match(/[\\d.]+/g).map(Number)
    const channel = c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4
    const luminance = c => .2126 * channel(c[0]) + .7152 * channel(c[1]) + .0722 * channel(c[2])
    const ground = each => {
        for (; each; each = each.parentElement) {
            const colour = light(getComputedStyle(each).backgroundColor)
            if (colour.length < 4 || colour[3]) return colour
        }
        return [255, 255, 255]
    }
    const found = []
    for (const each of document.querySelectorAll('body *')) {
        if (each.closest('svg, style') || !each.checkVisibility()) continue
        if (![...each.childNodes].some(node => node.nodeType == 3 && node.data.trim())) continue
        const [a, b] = [light(getComputedStyle(each).color), ground(each)].map(luminance).sort((a, b) => a - b)
        if ((b + .05) / (a + .05) < 4.5) found.push(each.outerHTML.slice(0, 90))
    }
    return found
})()"""
HOSTILE = (
    "</pre></style></svg>--><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "\"onmouseover='1' \x1b[31m\u202egnp.exe {{ 7 * 7 }} `</code><script>1</script>`"
)
MAP = Picture(
    [2, 24, 48], ["0" * 48, "1" * 24 + "9" * 24] * 12, "[1, 3]", [0.5, 0.0, None, 1e308], [0.25, 1.0, 0.0, -1e308]
)
LINE = Picture([6], ["009900"], "", [0.5, 0.1, 0.3, 0.2, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0, 0.0, 0.0])


class Reader(HTMLParser):
    """Tags, attributes and text of a page; every tag must be closed by its own."""

    def __init__(self, page: str):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.texts, self.open = [], [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(text)

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


@pytest.fixture(scope="session")
def read() -> type[Reader]:
    """read(page): what a page holds."""
    return Reader


def failed(id: str, *tests: Result, **more: Any) -> Report:
    return Report(id, "failed", "A", list(tests), **more)


REPORTS = [
    failed("normalization/rms_norm", Result("values: one row", "failed", problem=Problem("blank", {"blank": "x"}))),
    Report("normalization/rms_norm", "passed", "A", [Result("values: one row", "passed", points=3.0)]),
    failed(
        "attention/multi_head_attention",
        Result(
            "with a mask: causal",
            "failed",
            problem=Problem(
                "value", {"call": HOSTILE, "where": "[1]", "yours": HOSTILE, "expected": "1", "total": "9"}
            ),
            output=HOSTILE * 900,
            picture=MAP,
        ),
        Result("gradients", "failed", problem=Problem("raised", {"type": HOSTILE, "text": HOSTILE, "frames": HOSTILE})),
        Result("without bias", "could not check", problem=Problem("skipped", {"reason": HOSTILE})),
        Result("half precision: float16", "passed"),
        mistake="forgets_mask",
        findings=[Finding("CZ103", "warning", 3, 1, Problem("CZ103", {"path": HOSTILE}))],
        meters=[
            Meter("flops", 3e9, 1e9, "failed"),
            Meter("bytes", 5e8, 1e9, "passed"),
            Meter("operators", 5.0, float("inf"), "passed"),
        ],
        growths=[
            Growth("flops", [Step(HOSTILE, 1e6, 1e9), Step("without bias", 5e10, 2e9)]),
            Growth(
                "peak_bytes", [Step("gradients", 1.0, 2.0), Step(HOSTILE, 3.0, 4.0)]
            ),  # the exercise has no such bar
        ],
        rooflines=[
            Roofline(HOSTILE, "H100", [Point("yours", 1e-9, 1e9), Point("ours", 1e9, 1e18)]),
            Roofline("f(x)", "H100", [Point("ours", 2.0, 5e12)], Problem("doubt-bounds", {"kernel": HOSTILE})),
        ],
    ),
    failed(
        "sampling/top_p",
        Result("values: tiny p", "failed", problem=Problem("value", {"yours": "1", "expected": "2"}), picture=LINE),
    ),
    failed("tokenization/bpe_train", problem=Problem("syntax", {"line": "1", "reason": HOSTILE, "code": HOSTILE})),
    Report("alignment/dpo", "could not check", "C", problem=Problem("engine", {"error": HOSTILE})),
]


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One exercise solved at the second attempt, one checked a hundred times, two by other versions of the kit."""
    found = Workspace.create(tmp_path_factory.mktemp("workspace"), "en", "guided")
    for report in [*REPORTS, *[REPORTS[3]] * 99]:
        found.record(report)
    lost = failed("attention/kv_cache", Result("values", "failed", problem=Problem("timeout", {"seconds": "1"})))
    found.record(lost)
    found.report_file(lost.exercise).write_bytes(b"not a report")
    newer = failed("triton/rope", Result("values", "failed", problem=Problem("a kind of tomorrow")))
    found.record(newer)
    found.record(msgspec.structs.replace(REPORTS[0], exercise="a_course/of_its_own"))
    return found


@pytest.fixture(scope="session")
def pages(workspace: Workspace) -> dict[str, Path]:
    """The page of the workspace, in each language."""
    found = {}
    for language in LANGUAGES:
        found[language] = workspace.root / f"{language}.html"
        found[language].write_text(progress_page(open_catalog(), workspace, language), "utf-8")
    return found


@pytest.fixture(scope="session")
def lines() -> list[dict[str, Any]]:
    """What `cloze grade` has written of a class, one student of which has a hostile name."""
    return [json.loads(text) for text in Path(__file__).with_name("class.jsonl").read_text().splitlines()]


@pytest.fixture(scope="session")
def large(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A class as large as they come: 300 students, every exercise."""
    ids = [exercise.id for exercise in open_catalog()]
    graded = [(n, m, lines[(n + m) % 3]) for n in range(300) for m in range(len(ids))]
    return [line | {"student": f"student {n}", "exercise": ids[m], "file": f"{ids[m]}.py"} for n, m, line in graded]


@pytest.fixture(scope="session")
def class_pages(tmp_path_factory: pytest.TempPathFactory, lines: list, large: list) -> dict[str, Path]:
    """The pages of a class by name: "class en", "anonymous zh", "alike en", …; "large", and "nobody", who handed in nothing."""
    home, catalog, found = tmp_path_factory.mktemp("class"), open_catalog(), {}
    for language in LANGUAGES:
        found[f"class {language}"] = class_page(lines, catalog, language)
        found[f"anonymous {language}"] = class_page(lines, catalog, language, anonymous=True)
        found[f"alike {language}"] = alike(catalog, language)
    found["large"] = class_page(large, catalog, "en")
    found["nobody"] = class_page([], catalog, "zh")
    for name, text in found.items():
        (home / f"{name}.html").write_text(text, "utf-8")
    return {name: home / f"{name}.html" for name in found}


def alike(catalog: Catalog, language: str) -> str:
    """Three answers that are alike, one that is not, and a file that cannot be compared."""
    lines = ["def helper(x, y, z):", *(f"    z = [x ** {n} + y // {n} - z for x, y in zip(y, z)]" for n in range(3, 9))]
    source = "\n".join([*lines, f"    # {HOSTILE}"]) + "\n"
    files = {"ada": source, HOSTILE: source, "bob": "x = 1\n" * 9 + source, "cyd": "y = 1 + 2 + 3\n"}
    answers = [Answer(student, f"{student}.py", text, fingerprints(text)) for student, text in files.items()]
    found = [compare("normalization/rms_norm", answers, set()), compare("sampling/top_p", answers[3:], set())]
    left_out = [LeftOut(HOSTILE, HOSTILE, Problem("unreadable", {"reason": HOSTILE}))]
    return alike_page(found, left_out, catalog, language)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    if not FOUND:
        pytest.skip("no Chromium on this machine")
    with Browser() as browser:
        yield browser


class Browser:
    """One process; its pages are tabs."""

    def __init__(self) -> None:
        assert FOUND
        self.home = tempfile.TemporaryDirectory(prefix="cloze-browser-")
        (theirs, self.out), (self.into, ours) = os.pipe(), os.pipe()
        command = f"exec {FOUND} {' '.join(OPTIONS)} --user-data-dir={self.home.name} 3<&{theirs} 4>&{ours}"
        self.process = subprocess.Popen(
            ["bash", "-c", command],
            pass_fds=(theirs, ours),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(ours)
        self.number, self.rest = 0, b""
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.out)
        os.close(self.into)
        shutil.rmtree(self.home.name, ignore_errors=True)

    def ask(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """One command and its result; what happens meanwhile is kept in `events`."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while (found := self._next()).get("id") != self.number:
            self.events.append(found)
        assert "error" not in found, f"{method}: {found['error']}"
        return found["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            chunk = os.read(self.into, 1 << 20)
            assert chunk, "the browser is gone"
            self.rest += chunk
        text, _, self.rest = self.rest.partition(b"\0")
        return json.loads(text)

    def open(self, path: Path, width: int = 1280, scheme: str = "light", media: str = "screen") -> "Page":
        """The file in a new tab, loaded."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.ask(f"{domain}.enable")
        page.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        page.ask(
            "Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}]
        )
        self.events.clear()
        page.ask("Page.navigate", url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())
        return page


class Page:
    """One tab."""

    def __init__(self, browser: Browser, session: str):
        self.browser, self.session = browser, session

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        return self.browser.ask(method, self.session, **params)

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, key: str) -> None:
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=KEYS[key], **text)

    def unfold(self) -> None:
        """Open all that can be opened."""
        self.run(UNFOLD)

    @property
    def too_wide(self) -> list[str]:
        """What reaches beyond the window, except where one can scroll."""
        return self.run(WIDER)

    @property
    def too_pale(self) -> list[str]:
        """Texts that have less contrast than WCAG AA asks for."""
        return self.run(PALE)

    def picture(self) -> bytes:
        """The whole page as PNG."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 8000), "scale": 1}
        return base64.b64decode(self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"])

    @property
    def requests(self) -> list[str]:
        """Every address that was asked for."""
        return [
            event["params"]["request"]["url"]
            for event in self.browser.events
            if event["method"] == "Network.requestWillBeSent"
        ]

    @property
    def errors(self) -> list[str]:
        """Every complaint, of scripts or of the browser."""
        wrong = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return [json.dumps(event["params"]) for event in self.browser.events if event["method"] in wrong]
