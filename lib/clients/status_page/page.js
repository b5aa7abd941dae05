// The status page's script. Everything that comes from the daemon is shown by textContent and
// setAttribute of fixed attributes: it may hold names that strangers have chosen.
(() => {
  /** A young daemon's first minute fills the plots; then they show five. */
  const [secondsFirst, secondsMost] = [60, 300];
  const plotWidth = 300;
  const svgSpace = "http://www.w3.org/2000/svg";
  const byId = (id) => document.getElementById(id);

  /** What the daemon has said: its unchanging parts, and the points of its plots. */
  let about = null;
  let points = [];
  let plots = [];
  let tables = [];
  let figures = [];

  function make(name, { text, className, attributes = {}, parent } = {}) {
    const one = document.createElement(name);
    if (text !== undefined) one.textContent = text;
    if (className !== undefined) one.className = className;
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
    parent?.append(one);
    return one;
  }

  function makeSvg(name, attributes, parent) {
    const one = document.createElementNS(svgSpace, name);
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
    parent.append(one);
    return one;
  }

  // Numbers as people read them.

  function scaled(value, steps, base) {
    let step = 0;
    let rest = Math.abs(value);
    while (rest >= 999.5 && step < steps.length - 1) {
      rest /= base;
      step++;
    }
    const digits = rest >= 100 || (step === 0 && Number.isInteger(rest)) ? 0 : rest >= 10 ? 1 : 2;
    const number = rest.toFixed(digits);
    return `${value < 0 ? "−" : ""}${number}${steps[step]}`;
  }

  function written(value, unit) {
    if (value === null || value === undefined) return "–";
    if (unit === "bytes") return scaled(value, [" B", " kB", " MB", " GB", " TB"], 1000);
    if (unit === "seconds") return duration(value);
    const isWhole = Number.isInteger(value) || Math.abs(value) >= 100;
    if (isWhole && Math.abs(value) < 1e5) return Math.round(value).toLocaleString("en");
    return scaled(value, ["", " k", " M", " G", " T"], 1000);
  }

  function duration(seconds) {
    const size = Math.abs(seconds);
    const sign = seconds < 0 ? "−" : "";
    if (size === 0) return "0 s";
    if (size < 1) return `${sign}${Math.round(size * 1000)} ms`;
    if (size < 120) return `${sign}${size < 10 ? size.toFixed(1) : Math.round(size)} s`;
    if (size < 7200) return `${sign}${Math.round(size / 60)} min`;
    if (size < 172800) return `${sign}${(size / 3600).toFixed(1)} h`;
    return `${sign}${(size / 86400).toFixed(1)} d`;
  }

  /** The next of 1, 2, 5, 10, 20, … */
  function roundUp(value) {
    if (!(value > 0)) return 1;
    const power = 10 ** Math.floor(Math.log10(value));
    const factor = [1, 2, 5, 10].find((one) => one * power >= value * 0.999);
    return factor * power;
  }

  // Plots.

  function makePlot(plot) {
    const figure = make("figure", { parent: byId("plots") });
    make("figcaption", { text: plot.title, parent: figure });
    const legend = make("ul", { className: "legend", parent: figure });
    const nows = plot.labels.map((label) => {
      const item = make("li", { parent: legend });
      const now = make("span", { className: "now", text: "–", parent: item });
      make("span", { className: "label", text: label, parent: item });
      return now;
    });
    const canvas = make("div", { className: "canvas", parent: figure });
    const svg = makeSvg("svg", {
      "viewBox": `0 0 ${plotWidth} 100`,
      "preserveAspectRatio": "none",
      "role": "img",
    }, canvas);
    for (const y of [0, 50, 100]) {
      makeSvg("line", { class: "grid", x1: 0, x2: plotWidth, y1: y, y2: y }, svg);
    }
    const area = makeSvg("path", { class: "area" }, svg);
    const lines = plot.labels.map((_, i) => makeSvg("path", { class: `line-${i}` }, svg));
    const most = make("span", { className: "most", parent: canvas });
    const axis = make("div", { className: "axis", parent: figure });
    const since = make("span", { parent: axis });
    make("span", { text: "now", parent: axis });
    return { ...plot, nows, svg, area, lines, most, since };
  }

  function pathOf(index, line, seconds, top) {
    const nowMs = points.at(-1).atMs;
    let path = "";
    let lastMs = null;
    for (const { atMs, values } of points) {
      const value = values[index]?.[line];
      if (value === null || value === undefined) continue;
      const x = plotWidth - (nowMs - atMs) / 1000 * plotWidth / seconds;
      const y = 100 - Math.max(0, value) / top * 100;
      // Where nothing was heard for a while, nothing is claimed.
      const isJoined = lastMs !== null && atMs - lastMs < 5000;
      path += `${isJoined ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`;
      lastMs = atMs;
    }
    return path;
  }

  function drawPlot(plot, index) {
    const isYoung = points.at(-1).atMs - points[0].atMs <= secondsFirst * 1000;
    const seconds = isYoung ? secondsFirst : secondsMost;
    const all = points.flatMap(({ values }) => values[index] ?? []).filter((one) => one !== null);
    const greatest = Math.max(0, ...all);
    const top = roundUp(greatest);
    const suffix = plot.kind === "rate" ? "/s" : "";
    const write = (value) => written(value, plot.unit) + (value === null ? "" : suffix);
    plot.lines.forEach((line, i) => line.setAttribute("d", pathOf(index, i, seconds, top)));
    plot.area.setAttribute("d", areaOf(plot.lines[0].getAttribute("d")));
    // A round number needs no digits that only say so.
    plot.most.textContent = write(top).replace(/\.0+(?!\d)/, "");
    const values = points.at(-1).values[index] ?? [];
    plot.nows.forEach((now, i) => now.textContent = write(values[i] ?? null));
    const told = plot.labels.map((label, i) => `${label} ${write(values[i] ?? null)}`).join(", ");
    const span = seconds === 60 ? "minute" : `${seconds / 60} minutes`;
    plot.since.textContent = `${seconds / 60} min ago`;
    plot.svg.setAttribute(
      "aria-label",
      `${plot.title}: now ${told}; at most ${write(greatest)} in the last ${span}`,
    );
  }

  /** The area below each unbroken piece of a line. */
  function areaOf(path) {
    return path.split("M").filter((piece) => piece !== "").map((piece) => {
      const corners = piece.split("L");
      const first = corners[0].split(" ")[0];
      const last = corners.at(-1).split(" ")[0];
      return `M${first} 100L${corners.join("L")}L${last} 100Z`;
    }).join("");
  }

  // Figures and tables.

  function makeFigure(figure) {
    const pair = make("div", { parent: byId("figures").firstElementChild });
    make("dt", { text: figure.label, parent: pair });
    return { ...figure, place: make("dd", { text: "–", parent: pair }) };
  }

  function makeTable(table, index) {
    const section = make("section", {
      attributes: { "aria-labelledby": `table-${index}` },
      parent: byId("tables"),
    });
    make("h2", { text: table.title, attributes: { id: `table-${index}` }, parent: section });
    const none = make("p", { className: "none", text: table.none, parent: section });
    const scroll = make("div", {
      className: "scroll",
      attributes: { tabindex: "0", role: "region", "aria-label": table.title },
      parent: section,
    });
    const grid = make("table", { parent: scroll });
    const head = make("tr", { parent: make("thead", { parent: grid }) });
    for (const { label, unit } of table.columns) {
      make("th", {
        text: label,
        className: unit === "text" ? "text" : "number",
        attributes: { scope: "col" },
        parent: head,
      });
    }
    const body = make("tbody", { parent: grid });
    const more = make("p", { className: "more", parent: section });
    return { ...table, none, scroll, body, more };
  }

  function drawTable(table, { rows, more }) {
    table.none.hidden = rows.length > 0;
    table.scroll.hidden = rows.length === 0;
    table.more.hidden = more === 0;
    table.more.textContent = `and ${more.toLocaleString("en")} more`;
    table.body.replaceChildren(...rows.map((cells) => {
      const row = make("tr");
      table.columns.forEach(({ label, unit }, i) => {
        const isText = unit === "text";
        const text = isText ? cells[i] ?? "" : written(cells[i], unit);
        make("td", {
          text,
          className: isText ? "text" : "number",
          attributes: { "data-label": label },
          parent: row,
        });
      });
      return row;
    }));
  }

  function drawErrors(errors) {
    const [, none, list] = byId("errors").children;
    none.hidden = errors.length > 0;
    list.replaceChildren(...errors.map(({ atMs, level, message, fields }) => {
      const item = make("li");
      const stamp = new Date(atMs).toISOString();
      make("time", {
        text: stamp.slice(0, 19).replace("T", " ") + " UTC",
        attributes: { datetime: stamp },
        parent: item,
      });
      make("span", { className: `level ${level}`, text: level, parent: item });
      make("span", { text: message, parent: item });
      const told = fields.map(([name, value]) => `${name}: ${value}`).join(" · ");
      if (told !== "") make("span", { className: "fields", text: told, parent: item });
      return item;
    }));
  }

  function drawState(state, text) {
    const place = byId("state");
    place.dataset.state = state;
    // Said again only when it changes: a screen reader would read it every second.
    if (place.textContent !== text) place.textContent = text;
  }

  function drawReasons(notReady) {
    const section = byId("reasons");
    section.hidden = notReady.length === 0;
    const list = section.firstElementChild;
    const told = JSON.stringify(notReady);
    if (list.dataset.told === told) return;
    list.dataset.told = told;
    list.replaceChildren(...notReady.map((reason) => make("li", { text: reason })));
  }

  // What the daemon sends.

  function begin(hello) {
    about = hello;
    points = hello.history;
    document.title = `${hello.command} · ${hello.host}`;
    byId("title").textContent = `sluice ${hello.command}`;
    for (const id of ["plots", "tables"]) byId(id).replaceChildren();
    byId("figures").firstElementChild.replaceChildren();
    plots = hello.plots.map(makePlot);
    figures = hello.figures.map(makeFigure);
    tables = hello.tables.map(makeTable);
    byId("configuration").querySelector("tbody").replaceChildren(
      ...hello.configuration.map(([name, value]) => {
        const row = make("tr");
        make("th", { text: name, attributes: { scope: "row" }, parent: row });
        make("td", { text: value, className: "text", parent: row });
        return row;
      }),
    );
  }

  function tick({ atMs, values, figures: numbers, tables: contents, notReady, errors }) {
    // A clock that was set back leaves points of the future behind.
    points = points.filter((one) => one.atMs < atMs && atMs - one.atMs <= secondsMost * 1000);
    points.push({ atMs, values });
    plots.forEach(drawPlot);
    figures.forEach(({ place, unit, isBadUnlessZero }, i) => {
      place.textContent = written(numbers[i], unit);
      place.classList.toggle("bad", isBadUnlessZero && numbers[i] !== 0 && numbers[i] !== null);
    });
    tables.forEach((table, i) => drawTable(table, contents[i]));
    drawReasons(notReady);
    drawState(...(notReady.length === 0 ? ["ready", "ready"] : ["not-ready", "not ready"]));
    if (errors !== undefined) drawErrors(errors);
    const up = duration(Math.max(0, atMs - about.startedMs) / 1000);
    byId("about").textContent =
      `on ${about.host} · version ${about.version} (${about.commit}) · up ${up}`;
  }

  function connect() {
    const source = new EventSource("events");
    source.addEventListener("hello", ({ data }) => begin(JSON.parse(data)));
    source.addEventListener("tick", ({ data }) => tick(JSON.parse(data)));
    source.addEventListener("error", () => {
      drawState("away", about === null ? "no answer" : "no answer; these are the last figures");
      // The browser tries again by itself, but not when it was refused.
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
    });
  }

  connect();
})();
