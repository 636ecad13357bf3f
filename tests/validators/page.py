#!/usr/bin/env python3
"""Looks at a report in headless Chromium.

    page.py [--charts=N] REPORT.html [PICTURE.png]

exits 0 when the page is in order at 360, 800 and 1400 px, dark, and printed on A4; 1 with what is
wrong; 3 where there is no browser or no pdftotext (poppler-utils) to look with. The page has to
have at least N charts, 6 unless given. With a second file it only takes a picture of the top of
the page, 820 px wide.
"""

import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TRIES = 2
SECONDS = 150
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
    "--no-first-run", "--no-default-browser-check", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--no-pings",
    "--disable-default-apps", "--disable-domain-reliability",
    "--disable-features=OptimizationHints,MediaRouter,Translate", "--hide-scrollbars",
]

PROBE = r"""
<!doctype html><meta charset="utf-8"><title>probe</title><body><pre id="out">pending</pre>
<script>
const source = SOURCE;
const faults = [];
const overlaps = (a, b) =>
  Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
  Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
const short = text => text.trim().replace(/\s+/g, " ").slice(0, 40);
// Every piece of text outside the charts, with the box of each of its lines.
function lines(page) {
  const found = [], walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.data.trim() || node.parentElement.closest("svg")) continue;
    const range = page.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.width > 1) found.push([node, box]);
  }
  return found;
}
function chartFaults(chart, fault) {
  const frame = chart.getBoundingClientRect(), drawn = chart.getBBox();
  const title = chart.querySelector("title"), named = title ? short(title.textContent) : "?";
  if (frame.width < 100 || frame.height < 50 || drawn.width < 100 || drawn.height < 50)
    fault(`the chart ${named} is empty`);
  const texts = (chart.getAttribute("aria-labelledby") || "").split(" ")
    .map(id => chart.ownerDocument.getElementById(id));
  if (chart.getAttribute("role") !== "img" || texts.length < 2 || !texts.every(t => t && t.textContent.trim()))
    fault(`the chart ${named} has no text alternative`);
  const labels = [...chart.querySelectorAll("text")].map(t => [t, t.getBoundingClientRect()]);
  if (!labels.some(([t]) => t.classList.contains("name"))) fault(`the chart ${named} names no axis`);
  const scale = frame.width / chart.viewBox.baseVal.width;
  labels.forEach(([a, box], i) => {
    const said = short(a.textContent);
    if (parseFloat(getComputedStyle(a).fontSize) * scale < 9) fault(`"${said}" is too small to read`);
    if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1 || box.top < frame.top - 1)
      fault(`"${said}" leaves its chart`);
    labels.slice(i + 1).forEach(([b, other]) => {
      if (overlaps(box, other)) fault(`"${said}" covers "${short(b.textContent)}"`);
    });
  });
}
// Contrast by WCAG 2: 4.5 for text of ordinary size.
function channels(colour) {
  const found = colour.match(/[\d.]+/g).map(Number);
  return found.length > 3 && found[3] === 0 ? null : found.slice(0, 3);
}
function luminance(rgb) {
  const [r, g, b] = rgb.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function background(part) {
  for (let at = part; at; at = at.parentElement) {
    const found = channels(getComputedStyle(at).backgroundColor);
    if (found) return found;
  }
  return [255, 255, 255];
}
function contrastFaults(page, fault) {
  const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const part = node.parentElement;
    if (!node.data.trim() || ["TITLE", "DESC", "STYLE"].includes(part.tagName.toUpperCase())) continue;
    const style = getComputedStyle(part);
    const ink = channels(part.closest("svg") ? style.fill : style.color);
    const [a, b] = [ink, background(part)].map(luminance).sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) fault(`"${short(node.data)}" is hard to read on its ground`);
  }
}
function look(name, width, html) {
  return new Promise(done => {
    const frame = document.createElement("iframe");
    frame.style = `width:${width}px;height:900px;border:0`;
    frame.onload = () => {
      const page = frame.contentDocument, root = page.documentElement;
      const fault = text => faults.push(`${name}: ${text}`);
      if (root.scrollWidth > root.clientWidth) fault(`the page is ${root.scrollWidth} px wide`);
      const right = root.clientWidth + 0.5;
      for (const part of page.querySelectorAll("h1,h2,h3,p,pre,td,th,dd,dt,li,figcaption,svg,table")) {
        const box = part.getBoundingClientRect();
        if (box.width && box.right > right) fault(`${part.tagName} leaves the page: ${short(part.textContent)}`);
        if (part.scrollWidth > part.clientWidth + 1 && part.clientWidth) fault(`${part.tagName} overflows: ${short(part.textContent)}`);
      }
      const texts = lines(page);
      texts.forEach(([a, box], i) => texts.slice(i + 1).forEach(([b, other]) => {
        if (a !== b && overlaps(box, other)) fault(`"${short(a.data)}" covers "${short(b.data)}"`);
      }));
      const charts = [...page.querySelectorAll("svg.chart")];
      if (charts.length < CHARTS) fault(`${charts.length} charts`);
      for (const chart of charts) chartFaults(chart, fault);
      contrastFaults(page, fault);
      frame.remove();
      done();
    };
    frame.srcdoc = html;
    document.body.append(frame);
  });
}
(async () => {
  for (const width of [360, 800, 1400]) await look(width + " px", width, source);
  await look("dark", 800, source.replaceAll("(prefers-color-scheme: dark)", "(min-width: 1px)"));
  // A4 less its margins; what really lands on the sheets is looked at in the printed file.
  const paper = source.replaceAll("@media print", "@media all").replaceAll("@media screen", "@media not all");
  await look("print", 695, paper);
  document.getElementById("out").textContent = "FAULTS" + JSON.stringify(faults) + "END";
})();
</script>
"""


class Unstarted(Exception):
    """The browser gave no answer."""


def requests(log):
    """Addresses that a page asked for, from the browser's own log of the network; what the browser
    asks for itself has no origin."""
    text = log.read_text().rstrip()
    try:
        log = json.loads(text)
    except json.JSONDecodeError:  # ended before its last line
        log = json.loads(text.rstrip(",") + "]}")
    start = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    asked = [event.get("params", {}) for event in log["events"] if event["type"] == start]
    by_a_page = [ask for ask in asked if ask.get("initiator", "not an origin") != "not an origin"]
    return [ask["url"] for ask in by_a_page if not ask["url"].startswith(("data:", "file:"))]


def run(browser, arguments, answered):
    """The browser's run, started again once where it gave no answer."""
    for attempt in range(1, TRIES + 1):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            command = [browser, *FLAGS, f"--user-data-dir={profile}", *arguments]
            said = ""
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
                if answered(done):
                    return done
                said = done.stderr[-400:]
            except subprocess.TimeoutExpired:
                said = f"no answer in {SECONDS} s"
        print(f"the browser gave no answer, attempt {attempt} of {TRIES}: {said}", file=sys.stderr)
    raise Unstarted(said)


def on_screen(browser, source, directory, charts):
    """Faults at every width: what the probe finds, console errors, requests."""
    text = json.dumps(source).replace("</", "<\\/").replace("<!--", "<\\!--")
    probe = directory / "probe.html"
    probe.write_text(PROBE.replace("CHARTS", str(charts), 1).replace("SOURCE", text, 1))
    log = directory / "network.json"
    found = re.compile(r"FAULTS(\[.*?\])END</pre>", re.DOTALL)
    arguments = [
        # Nobody answers there: what a page asks for stays on this machine.
        "--proxy-server=http://127.0.0.1:9", "--proxy-bypass-list=<-loopback>",
        f"--log-net-log={log}", "--enable-logging=stderr", "--virtual-time-budget=20000",
        "--window-size=1500,1000", "--dump-dom", probe.as_uri(),
    ]
    done = run(browser, arguments, lambda done: found.search(done.stdout))
    console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    asked = [f"a request leaves the page: {url}" for url in requests(log)]
    return console + asked + json.loads(html.unescape(found.search(done.stdout).group(1)))


def words(text):
    return Counter(text.split())


def printed(browser, page, directory):
    """Faults on paper: rows and charts that are cut, words that leave the sheet."""
    sheet = directory / "page.pdf"
    arguments = [f"--print-to-pdf={sheet}", "--no-pdf-header-footer", page.resolve().as_uri()]
    run(browser, arguments, lambda _: sheet.exists() and sheet.stat().st_size > 1000)
    boxes = subprocess.run(
        ["pdftotext", "-bbox", sheet, "-"], capture_output=True, text=True, check=True
    ).stdout
    faults, pages = [], []
    for found in re.finditer(r'<page width="([\d.]+)" height="([\d.]+)">(.*?)</page>', boxes, re.S):
        width, height = float(found[1]), float(found[2])
        if abs(width - 595) > 2 or abs(height - 842) > 2:
            faults.append(f"print: a sheet of {width} x {height} points is not A4")
        texts = []
        for left, top, right, bottom, word in re.findall(
            r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>',
            found[3],
        ):
            texts.append(html.unescape(word))
            if float(left) < 20 or float(right) > width - 20 or float(bottom) > height - 20:
                faults.append(f'print: "{texts[-1]}" leaves the sheet')
        pages.append(words(" ".join(texts)))
    source = page.read_text()
    for kind, pattern in (("row", r"<tr>(.*?)</tr>"), ("chart", r"<figure>(.*?)</figure>")):
        for part in re.findall(pattern, source, re.S):
            # A pointer's titles and descriptions aren't printed.
            part = re.sub(r"<(title|desc)\b.*?</\1>", " ", part, flags=re.S)
            wanted = words(html.unescape(re.sub(r"<[^>]*>", " ", part)))
            if not any(wanted <= sheet for sheet in joined(pages, wanted)):
                missing = " ".join(list(wanted)[:8])
                faults.append(f"print: a {kind} is cut or lost: {missing}")
    return faults


def joined(pages, wanted):
    """The sheets, with words that are broken over two lines put together again."""
    for page in pages:
        left = {word for word in wanted if page[word] < wanted[word]}
        # A word that wraps is printed in pieces.
        whole = "".join(word for word in page for _ in range(page[word]))
        yield page + Counter({word: wanted[word] for word in left if pieces(word, page, whole)})


def pieces(word, page, whole):
    """Whether a word that may wrap is there in two pieces."""
    return any(word[:cut] in page and word[cut:] in page for cut in range(1, len(word)))


def picture(browser, page, target):
    arguments = [f"--screenshot={target.resolve()}", "--window-size=820,1080",
                 "--disable-lcd-text", page.resolve().as_uri()]
    run(browser, arguments, lambda _: target.exists())


def main():
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None or shutil.which("pdftotext") is None:
        missing = "browser" if browser is None else "pdftotext (poppler-utils)"
        print(f"skipped: there is no {missing} here")
        return 3
    charts = 6
    arguments = sys.argv[1:]
    if arguments[0].startswith("--charts="):
        charts = int(arguments.pop(0).removeprefix("--charts="))
    page = Path(arguments[0])
    if len(arguments) > 1:
        picture(browser, page, Path(arguments[1]))
        return 0
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        faults = on_screen(browser, page.read_text(), directory, charts)
        faults += printed(browser, page, directory)
    for fault in faults[:20]:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
