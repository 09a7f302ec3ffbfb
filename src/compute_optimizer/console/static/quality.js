// Charts of the page of quality: the figures of its tables, drawn.
"use strict";

(() => {
  const data = document.getElementById("quality-data");
  if (!data) return;
  const told = JSON.parse(data.textContent);
  const { colour, axis, draw, daily } = plotting();

  // Each rule is a point; what it is called stands beside it.
  const rules = [...told.rules].sort((one, other) => one[1] - other[1]);
  const ours = (name) => name === "default";
  const names = (chart) => {
    const { ctx } = chart;
    ctx.save();
    ctx.font = `${textSize() * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    for (const [name, violated, saved] of rules) {
      if (!["default", "keep", "oracle"].includes(name)) continue;
      ctx.fillStyle = colour(ours(name) ? "then" : "text");
      ctx.fillText(name, chart.valToPos(violated, "x", true) + 7 * devicePixelRatio, chart.valToPos(saved, "y", true) - 4 * devicePixelRatio);
    }
    ctx.restore();
  };
  const points = (name, size) => ({ stroke: colour(name), paths: () => null, points: { show: true, size, fill: colour(name), stroke: colour(name) } });
  draw(
    "rules-chart",
    [rules.map((one) => one[1]), rules.map((one) => (ours(one[0]) ? null : one[2])), rules.map((one) => (ours(one[0]) ? one[2] : null))],
    {
      scales: { x: { time: false, range: (chart, low, high) => [0, Math.max(high * 1.25, 1)] }, y: { range: (chart, low, high) => [Math.min(0, low), Math.max(high, 10) * 1.15] } },
      axes: [{ ...axis(), values: (chart, ticks) => ticks.map((tick) => `${tick} %`) }, { ...axis(), size: beside(58), values: (chart, ticks) => ticks.map((tick) => `${tick} %`) }],
      series: [{}, points("now", 7), points("then", 11)],
      hooks: { draw: [names] },
    },
  );

  // Bins without a violation stand at the foot: a logarithmic axis has no place for nothing.
  const FOOT = 1e-4;
  const bins = told.bins.filter((one) => one[0] > 0);
  const at = (share) => Math.max(share, FOOT);
  const whiskers = (chart) => {
    const { ctx } = chart;
    ctx.save();
    ctx.strokeStyle = colour("then");
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.beginPath();
    for (const [expected, , low, high] of bins) {
      const x = chart.valToPos(at(expected), "x", true);
      ctx.moveTo(x, chart.valToPos(at(low), "y", true));
      ctx.lineTo(x, chart.valToPos(at(high), "y", true));
    }
    ctx.stroke();
    ctx.strokeStyle = colour("limit");
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(chart.valToPos(FOOT, "x", true), chart.valToPos(FOOT, "y", true));
    ctx.lineTo(chart.valToPos(1, "x", true), chart.valToPos(1, "y", true));
    ctx.stroke();
    ctx.restore();
  };
  const percent = (chart, ticks) => ticks.map((tick) => (tick === null ? "" : `${Number((tick * 100).toPrecision(3))} %`));
  const logarithmic = { distr: 3, range: [FOOT, 1] };
  draw("bins-chart", [bins.map((one) => at(one[0])), bins.map((one) => at(one[1]))], {
    scales: { x: { time: false, ...logarithmic }, y: logarithmic },
    axes: [{ ...axis(), values: percent }, { ...axis(), size: beside(62), values: percent }],
    series: [{}, points("then", 8)],
    hooks: { draw: [whiskers] },
  });

  const days = told.days;
  draw("days-chart", [days.map((one) => Date.parse(one[0]) / 1000), days.map((one) => one[1]), days.map((one) => one[2])], {
    ...daily(),
    scales: { x: { time: true }, y: { range: (chart, low, high) => [0, Math.max(high, 1) * 1.1] } },
    series: [{}, { stroke: colour("then"), width: 1.6 }, { stroke: colour("limit"), width: 1.6 }],
  });
})();
