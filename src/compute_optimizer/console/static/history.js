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
  // A single backtest stands in the middle, with a week around it.
  const time = { time: true, range: (chart, low, high) => (high - low < DAY ? [low - 3 * DAY, high + 3 * DAY] : [low - (high - low) * 0.04, high + (high - low) * 0.04]) };
  const percent = (chart, ticks) => ticks.map((tick) => `${tick} %`);
  const shares = () => {
    const { axes, ...rest } = daily();
    return { ...rest, axes: [axes[0], { ...axis(), size: 58, values: percent }] };
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
