// Draws each snapshot of the run as it comes. No state but the last snapshot: a reload, or a page
// opened late, shows the same.

const byId = (id) => document.getElementById(id);

/** Make an HTML element: attributes by name, children as nodes or text. */
function html(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Make an SVG element. */
function svg(tag, attributes = {}, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
}

const whole = new Intl.NumberFormat("en");
const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);
const share = (part, all) => (all ? `${((100 * part) / all).toFixed(1)}%` : "-");
const money = (dollars) => `$${dollars.toFixed(dollars < 1 ? 4 : 2)}`;
const time = (ms) => (ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(2)} s`);

/** Return the upper bound of the bucket in which a share of the calls is reached. */
function percentile(buckets, bounds, wanted) {
  const limit = wanted * sum(buckets);
  let seen = 0;
  for (const [index, count] of buckets.entries()) {
    seen += count;
    if (count && seen >= limit) return bounds[index] ?? Infinity;
  }
  return 0;
}

function drawHead(run) {
  byId("settings").textContent =
    `run ${run.run} · ${run.transport} · seed ${run.seed} · ${run.workers} workers · ${share(run.fail_rate, 1)} failing`;
  const status = byId("status");
  const done = sum(Object.values(run.suites).map((suite) => suite.tasks));
  const state = !run.over ? "running" : done < run.tasks ? "stopped" : "done";
  status.className = state;
  status.textContent = `${state}, ${run.seconds.toFixed(1)} s`;
}

function drawTiles(run) {
  const suites = Object.values(run.suites);
  const models = Object.values(run.models);
  const done = sum(suites.map((suite) => suite.tasks));
  const errors = sum(suites.map((suite) => suite.errors));
  const calls = sum(models.map((model) => model.calls));
  const busy = run.throughput.bins.length * run.throughput.seconds;
  byId("done").style.width = `${(100 * (done - errors)) / run.tasks}%`;
  byId("failed").style.width = `${(100 * errors) / run.tasks}%`;
  const tiles = {
    tasks: `${whole.format(done)} / ${whole.format(run.tasks)}`,
    passed: share(sum(suites.map((suite) => suite.passed)), done),
    "tasks per second": busy ? ((done - run.resumed) / busy).toFixed(0) : "-",
    "model calls": whole.format(calls),
    "calls that failed": share(sum(models.map((model) => model.errors)), calls),
    tokens: whole.format(sum(models.map((model) => model.tokens))),
    cost: money(sum(models.map((model) => model.cost_usd))),
  };
  byId("tiles").replaceChildren(
    ...Object.entries(tiles).map(([name, value]) => html("div", {}, html("dt", {}, name), html("dd", {}, value))),
  );
}

function drawThroughput({ throughput: { seconds, bins } }) {
  const chart = byId("throughput");
  const { width, height } = chart.getBoundingClientRect();
  const top = 14, bottom = height - 18;
  const rates = bins.map((count) => count / seconds);
  const most = Math.max(1, ...rates);
  const span = Math.max(20, rates.length);
  const x = (index) => (index * width) / span;
  const y = (rate) => bottom - (rate / most) * (bottom - top);
  const line = rates.map((rate, index) => `L${x(index)},${y(rate)}L${x(index + 1)},${y(rate)}`).join("");
  chart.replaceChildren(
    svg("line", { class: "axis", x1: 0, x2: width, y1: bottom, y2: bottom }),
    svg("path", { class: "area", d: `M0,${bottom}${line}L${x(rates.length)},${bottom}Z` }),
    svg("text", { x: 0, y: 9 }, `${whole.format(Math.round(most))} at most`),
    svg("text", { x: 0, y: height - 3 }, "0 s"),
    svg("text", { x: width, y: height - 3, "text-anchor": "end" }, `${(span * seconds).toFixed(0)} s`),
  );
}

function drawLatency({ models, bounds_ms: bounds }) {
  const chart = byId("latency");
  const { width, height } = chart.getBoundingClientRect();
  const names = Object.keys(models);
  const used = bounds.map((_, index) => names.some((name) => models[name].buckets[index]));
  const first = Math.max(0, used.indexOf(true) - 1);
  const last = Math.min(bounds.length, used.lastIndexOf(true) + 2);
  const shown = Math.max(8, last - first);
  const top = 14 + 14 * names.length, bottom = height - 18;
  const most = Math.max(1, ...names.flatMap((name) => models[name].buckets));
  const step = width / shown;
  const bar = (step * 0.8) / Math.max(1, names.length);
  const parts = [svg("line", { class: "axis", x1: 0, x2: width, y1: bottom, y2: bottom })];
  for (const [number, name] of names.entries()) {
    const { buckets } = models[name];
    const text = [50, 95, 99].map((p) => `p${p} ≤ ${percentile(buckets, bounds, p / 100)}`).join(", ");
    parts.push(svg("rect", { class: `m${number % 4}`, x: 0, y: 14 * number + 2, width: 9, height: 9 }));
    parts.push(svg("text", { x: 14, y: 14 * number + 10 }, `${name}: ${text}`));
    for (let index = first; index < first + shown; index += 1) {
      const tall = ((buckets[index] ?? 0) / most) * (bottom - top);
      const x = (index - first) * step + step * 0.1 + number * bar;
      parts.push(svg("rect", { class: `m${number % 4}`, x, y: bottom - tall, width: bar, height: tall }));
    }
  }
  for (let index = first; index < first + shown; index += 2) {
    const label = bounds[index] === undefined ? "more" : `${bounds[index]}`;
    parts.push(svg("text", { x: (index - first + 0.5) * step, y: height - 3, "text-anchor": "middle" }, label));
  }
  chart.replaceChildren(...parts);
}

function drawBreakers({ models, seconds }) {
  const rows = Object.entries(models).map(([name, { state, opened, changes }]) => {
    const strip = svg("svg", { viewBox: "0 0 100 1", preserveAspectRatio: "none" });
    const moments = [[0, "closed"], ...changes];
    for (const [index, [start, kind]] of moments.entries()) {
      const end = moments[index + 1]?.[0] ?? seconds;
      const scale = 100 / Math.max(seconds, 0.001);
      strip.append(svg("rect", { class: kind, x: start * scale, y: 0, width: Math.max(0, end - start) * scale, height: 1 }));
    }
    const text = `${state}${opened ? `, opened ${opened}×` : ""}`;
    return html("div", { class: "breaker" }, html("span", {}, name), strip, html("span", { class: "state" }, text));
  });
  byId("breakers").replaceChildren(...(rows.length ? rows : [html("p", { class: "none" }, "no calls yet")]));
}

function drawAlerts({ alerts }) {
  const items = alerts.map(({ at, level, message }) =>
    html("li", { class: level }, `${message} `, html("small", {}, `${level}, after ${at.toFixed(1)} s`)),
  );
  byId("alerts").replaceChildren(...(items.length ? items : [html("li", { class: "none" }, "none")]));
}

function drawWaterfall({ slowest }) {
  const end = Math.max(0.001, ...slowest.map((span) => span.start_ms + span.ms));
  byId("slowest-ms").textContent = slowest.length ? time(end) : "";
  const rows = slowest.map((span) => {
    const strip = svg("svg", { viewBox: "0 0 100 1", preserveAspectRatio: "none" });
    const width = Math.max(0.3, (100 * span.ms) / end);
    strip.append(svg("rect", { class: span.status === "ok" ? "ok" : "error", x: (100 * span.start_ms) / end, y: 0.15, width, height: 0.7 }));
    const name = html("span", { class: "name" }, `${span.operation} `);
    name.style.paddingLeft = `${span.depth}rem`;
    if (span.status !== "ok") name.append(html("small", { class: "error-mark" }, " failed"));
    return html("div", { class: "span" }, name, strip, html("span", { class: "ms" }, time(span.ms)));
  });
  byId("waterfall").replaceChildren(...(rows.length ? rows : [html("p", { class: "none" }, "no task is done yet")]));
}

function drawSuites({ suites }) {
  const names = Object.keys(suites);
  const total = { tasks: 0, passed: 0, errors: 0, score: 0, baseline: 0 };
  for (const key of Object.keys(total)) total[key] = sum(names.map((name) => suites[name][key]));
  const row = (kind, name, { tasks, passed, errors, score, baseline }) => {
    const mean = (value) => (tasks ? (value / tasks).toFixed(3) : "-");
    const delta = tasks ? (score - baseline) / tasks : 0;
    const cells = [name, tasks, passed, errors, mean(score), mean(baseline), `${delta < 0 ? "−" : "+"}${Math.abs(delta).toFixed(3)}`];
    return html("tr", { class: kind }, ...cells.map((cell) => html("td", {}, `${cell}`)));
  };
  const head = ["suite", "tasks", "passed", "errors", "score", "baseline", "delta"];
  byId("suites").replaceChildren(
    html("tr", {}, ...head.map((name) => html("th", { scope: "col" }, name))),
    ...names.map((name) => row("", name, suites[name])),
    row("total", "total", total),
  );
}

function draw(run) {
  for (const part of [drawHead, drawTiles, drawThroughput, drawLatency, drawBreakers, drawAlerts, drawWaterfall, drawSuites]) {
    part(run);
  }
}

let last = null;
const events = new EventSource("events");
events.onmessage = (event) => draw((last = JSON.parse(event.data)));
events.onerror = () => {
  if (last?.over) {
    events.close(); // the demo has ended: what is shown is final
    return;
  }
  byId("status").className = "lost";
  byId("status").textContent = "connection lost, trying again";
};
addEventListener("resize", () => last && draw(last));
