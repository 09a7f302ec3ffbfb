// Charts of one resource: use against what it has, and against the option that is chosen.
"use strict";

(() => {
  const room = document.getElementById("charts");
  if (!room) return;

  const HEIGHT = 210;
  const BAND = 0.14; // Share of the width for the coming peak; not to scale.
  const sync = uPlot.sync("usage");
  const drawn = [];
  const colour = colours();

  const STEPS = [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e3]];
  const figure = (value) => {
    if (value === null || value === undefined) return "–";
    const [unit, size] = STEPS.find((step) => Math.abs(value) >= 10 * step[1]) || ["", 1];
    return Number((value / size).toPrecision(3)) + (unit && ` ${unit}`);
  };

  const chosen = () => {
    const picked = document.querySelector('input[name="option"]:checked');
    return picked ? picked.value : "";
  };
  const ratio = (panel) => panel.ratios[chosen()] || 1;

  const element = (name, attributes = {}, text = "") => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  };

  function says(panel) {
    if (panel.threshold === null) {
      const highest = Math.max(...panel.values.filter((value) => value !== null));
      return `Highest ${figure(highest)}. ${panel.says}`;
    }
    const parts = [`P${figure(panel.percentile)} is ${figure(panel.demand)} % of what it has`];
    if (chosen() && panel.ratios[chosen()])
      parts.push(`${figure(panel.demand * ratio(panel))} % of ${chosen()}`);
    parts.push(`up to ${figure(panel.threshold)} % leaves the headroom free`);
    if (panel.peak)
      parts.push(
        `coming peak ${figure(panel.peak["0.5"] * ratio(panel))} % (50 %) to ` +
          `${figure(panel.peak["0.9"] * ratio(panel))} % (90 % below)`,
      );
    return parts.join("; ") + ".";
  }

  function key(kind, text, dashed) {
    const item = element("span");
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 18 8");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", "M0 4h18");
    line.setAttribute("class", kind);
    line.setAttribute("stroke-width", "2.5");
    if (dashed) line.setAttribute("stroke-dasharray", "4 3");
    svg.append(line);
    item.append(svg, text);
    return item;
  }

  function band(panel) {
    return (chart) => {
      if (!panel.peak) return;
      const { ctx, bbox } = chart;
      const times = chart.data[0];
      const left = chart.valToPos(times[times.length - 1], "x", true);
      const right = bbox.left + bbox.width;
      const place = (share) => chart.valToPos(panel.peak[share] * ratio(panel), "y", true);
      const at = (share) => Math.max(bbox.top, Math.min(bbox.top + bbox.height, place(share)));
      // An edge beyond the scale is no edge at the scale's end: an arrow points to where it is.
      const beyond = place("0.9") < bbox.top;
      const x = left + (right - left) * 0.3;
      const width = (right - left) * 0.4;
      ctx.save();
      ctx.fillStyle = ctx.strokeStyle = colour("peak");
      ctx.globalAlpha = 0.35;
      ctx.fillRect(x, at("0.9"), width, Math.max(2, at("0.5") - at("0.9")));
      ctx.globalAlpha = 1;
      ctx.lineWidth = 2 * devicePixelRatio;
      ctx.beginPath();
      for (const share of ["0.5", "0.9"].filter((one) => place(one) >= bbox.top)) {
        ctx.moveTo(x, at(share));
        ctx.lineTo(x + width, at(share));
      }
      const middle = x + width / 2;
      ctx.moveTo(middle, at(beyond ? "0.5" : "0.9"));
      ctx.lineTo(middle, at("0.99"));
      ctx.stroke();
      if (place("0.99") < bbox.top) arrow(ctx, middle, bbox.top);
      ctx.restore();
    };
  }

  function arrow(ctx, x, y) {
    const size = 5 * devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x - size, y + 1.6 * size);
    ctx.lineTo(x + size, y + 1.6 * size);
    ctx.fill();
  }

  function columns(panel, times) {
    const scale = ratio(panel);
    const moves = panel.threshold !== null && chosen() && panel.ratios[chosen()];
    const then = moves ? panel.values.map((value) => (value === null ? null : value * scale)) : panel.values.map(() => null);
    const limit = times.map(() => panel.threshold);
    return [times, panel.values, then, limit];
  }

  function options(panel, width) {
    const axis = { stroke: colour("text"), grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("grid"), width: 1 }, font: `${textSize()}px system-ui, sans-serif` };
    const unit = panel.threshold === null ? "" : " %";
    return {
      width,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { sync: { key: sync.key }, drag: { x: true, y: false } },
      legend: { show: false },
      scales: {
        x: { time: true, range: (chart, low, high) => (panel.peak ? [low, high + (high - low) * BAND] : [low, high]) },
        y: { range: (chart, low, high) => [0, Math.max(high, panel.threshold === null ? 0 : 100) * 1.05 || 1] },
      },
      axes: [
        { ...axis, values: (chart, ticks) => ticks.map((tick) => new Date(tick * 1000).toLocaleDateString("en-US", { month: "short", day: "numeric", timeZone: "UTC" })), space: 70, incrs: [86400, 172800, 345600, 604800, 1209600] },
        { ...axis, size: beside(62), values: (chart, ticks) => ticks.map((tick) => figure(tick) + unit) },
      ],
      series: [
        {},
        { stroke: colour("now"), width: 1.2, points: { show: false } },
        { stroke: colour("then"), width: 1.4, points: { show: false } },
        { stroke: colour("limit"), width: 1.4, dash: [6, 4], points: { show: false } },
      ],
      hooks: { draw: [band(panel)] },
    };
  }

  function draw(panel, times) {
    const figureElement = element("figure", { class: "chart" });
    const caption = element("figcaption");
    const title = element("strong", {}, panel.title);
    const told = element("span", { class: "says" }, says(panel));
    caption.append(title, element("span", { class: "muted" }, panel.unit));
    if (panel.binds) caption.append(element("span", { class: "badge save" }, "binds"));
    caption.append(told);
    const canvas = element("div", { class: "canvas", role: "img", "aria-label": `${panel.title} over the look-back period` });
    figureElement.append(caption, canvas);
    room.append(figureElement);
    const chart = new uPlot(options(panel, canvas.clientWidth || 400), columns(panel, times), canvas);
    const keys = element("div", { class: "keys" });
    figureElement.append(keys);
    const one = { panel, times, chart, canvas, told, keys };
    label(one);
    drawn.push(one);
  }

  function label({ panel, keys }) {
    keys.replaceChildren(key("now", "As it is"));
    if (panel.threshold !== null) {
      if (chosen() && panel.ratios[chosen()]) keys.append(key("then", `On ${chosen()}`));
      keys.append(key("limit", "Threshold with headroom", true));
    }
    if (panel.peak) keys.append(key("peak", "Peak of the next 14 days"));
  }

  function redraw() {
    for (const one of drawn) {
      one.chart.setData(columns(one.panel, one.times));
      one.told.textContent = says(one.panel);
      label(one);
    }
  }

  fetch(room.dataset.src, { headers: { accept: "application/json" } })
    .then((answer) => {
      if (!answer.ok) throw new Error(answer.status === 401 ? "Sign in again." : `The server answered ${answer.status}.`);
      return answer.json();
    })
    .then((told) => {
      room.replaceChildren();
      const order = [...told.panels].sort((one, other) => other.binds - one.binds || (other.threshold !== null) - (one.threshold !== null));
      for (const panel of order) draw(panel, told.times);
      if (!order.length) room.append(element("p", { class: "muted" }, told.problem || "There are no samples in the period."));
      room.setAttribute("aria-busy", "false");
      for (const input of document.querySelectorAll('input[name="option"]')) input.addEventListener("change", redraw);
      new ResizeObserver(() => {
        for (const one of drawn) {
          const width = one.canvas.clientWidth;
          if (width && width !== one.chart.width) one.chart.setSize({ width, height: HEIGHT });
        }
      }).observe(room);
    })
    .catch((error) => {
      room.replaceChildren(element("p", { class: "note", role: "alert" }, `The samples could not be read. ${error.message}`));
      room.setAttribute("aria-busy", "false");
    });
})();
