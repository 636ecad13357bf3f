#!/usr/bin/env python3
"""Looks at a report in headless Chromium.

    page.py REPORT.html

exits 0 when the page is in order at 360, 800 and 1400 px and in print, 1 with what is wrong. The
page forbids every load by its own policy, so an attempt shows as a console error.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

PROBE = r"""
<!doctype html><meta charset="utf-8"><title>probe</title><body><pre id="out">pending</pre>
<script>
const source = SOURCE;
const faults = [];
const overlaps = (a, b) =>
  Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
  Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
function look(name, width, html) {
  return new Promise(done => {
    const frame = document.createElement("iframe");
    frame.style = `width:${width}px;height:900px;border:0`;
    frame.onload = () => {
      const page = frame.contentDocument, root = page.documentElement;
      const fault = text => faults.push(`${name}: ${text}`);
      if (root.scrollWidth > root.clientWidth) fault(`the page is ${root.scrollWidth} px wide`);
      const right = root.clientWidth + 0.5;
      for (const part of page.querySelectorAll("h1,h2,p,td,th,dd,dt,li,figcaption,svg,table")) {
        const box = part.getBoundingClientRect();
        if (box.width && box.right > right) fault(`${part.tagName} leaves the page: ${part.textContent.slice(0, 40)}`);
        if (part.scrollWidth > part.clientWidth + 1 && part.clientWidth) fault(`${part.tagName} overflows: ${part.textContent.slice(0, 40)}`);
      }
      const charts = [...page.querySelectorAll("svg.chart")];
      if (charts.length < 4) fault(`${charts.length} charts`);
      for (const chart of charts) {
        const frame = chart.getBoundingClientRect(), drawn = chart.getBBox();
        if (frame.width < 100 || frame.height < 50 || drawn.width < 100 || drawn.height < 50)
          fault(`the chart ${chart.querySelector("title").textContent} is empty`);
        if (!chart.querySelector("title") || !chart.querySelector("desc").textContent) fault("a chart has no text alternative");
        const texts = [...chart.querySelectorAll("text")].map(t => [t.textContent, t.getBoundingClientRect()]);
        texts.forEach(([a, box], i) => {
          if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1 || box.top < frame.top - 1)
            fault(`"${a}" leaves its chart`);
          texts.slice(i + 1).forEach(([b, other]) => { if (overlaps(box, other)) fault(`"${a}" covers "${b}"`); });
        });
      }
      if (name === "print") for (const row of page.querySelectorAll("tr"))
        if (frame.contentWindow.getComputedStyle(row).breakInside !== "avoid") { fault("a table row may be cut"); break; }
      frame.remove();
      done();
    };
    frame.srcdoc = html;
    document.body.append(frame);
  });
}
(async () => {
  for (const width of [360, 800, 1400]) await look(width + " px", width, source);
  const paper = source.replaceAll("@media print", "@media all").replaceAll("@media screen", "@media not all");
  await look("print", 688, paper);
  document.getElementById("out").textContent = "FAULTS" + JSON.stringify(faults) + "END";
})();
</script>
"""


def main():
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("skipped: there is no browser here")
        return 0
    html = Path(sys.argv[1]).read_text()
    source = json.dumps(html).replace("</", "<\\/").replace("<!--", "<\\!--")
    with tempfile.TemporaryDirectory() as directory:
        probe = Path(directory) / "probe.html"
        probe.write_text(PROBE.replace("SOURCE", source, 1))
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update",
            f"--user-data-dir={directory}/profile", "--enable-logging=stderr",
            "--virtual-time-budget=20000", "--window-size=1500,1000", "--dump-dom", probe.as_uri(),
        ]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    faults = [line for line in run.stderr.splitlines() if ":CONSOLE" in line]
    found = re.search(r"FAULTS(\[.*?\])END</pre>", run.stdout, re.DOTALL)
    if not found:
        faults.append("the page was not looked at: " + run.stderr[-400:])
    else:
        text = found.group(1).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        faults += json.loads(text)
    for fault in faults[:20]:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
