// Charts of the history of backtests: the figures of its table, drawn.
"use strict";

(() => {
  const data = document.getElementById("history-data");
  if (!data) return;
  const told = JSON.parse(data.textContent);
  const { colour, axis, daily, draw } = plotting();
  const DAY = 86400;

  const line = (name) => ({ stroke: colour(name), width: 1.8, points: { show: true, size: 7, fill: colour(name), stroke: colour(name) } });
  const edge = () => ({ stroke: "transparent", points: { show: false } });
  const faint = (name) => colour(name).replace("rgb(", "rgba(").replace(")", ", 0.16)");
  // A few days are shown with some around them, so that the axis has something to say.
  const [first, last] = [told.made[0], told.made[told.made.length - 1]];
  const around = last - first < 14 * DAY ? 10 * DAY : (last - first) * 0.04;
  const time = { time: true, range: () => [first - around, last + around] };
  const percent = (chart, ticks) => ticks.map((tick) => `${tick} %`);
  const shares = () => {
    const { axes, ...rest } = daily();
    return { ...rest, axes: [axes[0], { ...axis(), size: beside(58), values: percent }] };
  };
  const column = (rows, place) => rows.map((one) => one[place]);

  draw("hits-chart", [told.made, told.hits], {
    ...shares(),
    scales: { x: time, y: { range: (chart, low) => [Math.max(0, Math.floor(Math.min(low ?? 90, 90) / 10) * 10), 100] } },
    series: [{}, line("then")],
  });

  const hurt = told.violations;
  draw("violations-chart", [told.made, column(hurt, 2), column(hurt, 1), column(hurt, 0), told.savings], {
    ...shares(),
    scales: { x: time, y: { range: (chart, low, high) => [Math.min(0, low ?? 0), Math.max(high ?? 0, 10) * 1.1] } },
    series: [{}, edge(), edge(), line("limit"), line("then")],
    bands: [{ series: [1, 2], fill: faint("limit") }],
  });

  const ratios = told.ratios;
  draw("ratios-chart", [told.made, column(ratios, 2), column(ratios, 1), column(ratios, 0), told.made.map(() => 1)], {
    ...daily(),
    scales: { x: time, y: { range: (chart, low, high) => [0, Math.max(high ?? 0, 2) * 1.1] } },
    series: [{}, edge(), edge(), line("then"), { stroke: colour("now"), width: 1.2, dash: [6, 4], points: { show: false } }],
    bands: [{ series: [1, 2], fill: faint("then") }],
  });
})();
