// What charts share: colours of the theme; axes and drawing for those of quality and its history.
"use strict";

// Colours stand in the style sheet; a canvas needs them resolved.
function colours() {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.hidden = true;
  return (name) => {
    probe.className = `series-${name}`;
    return getComputedStyle(probe).color;
  };
}

function plotting() {
  const HEIGHT = 240;
  const drawn = [];

  const colour = colours();

  const axis = () => ({ stroke: colour("text"), grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("grid"), width: 1 }, font: "12px system-ui, sans-serif" });

  // Days of UTC along the bottom, as many as there is room for: every day, week, month and so on.
  const DAY = 86400;
  const daily = () => ({
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    axes: [{ ...axis(), values: (chart, ticks) => ticks.map((tick) => new Date(tick * 1000).toLocaleDateString("en-US", { month: "short", day: "numeric", timeZone: "UTC" })), space: 70, incrs: [1, 7, 30, 60, 90, 180, 365].map((days) => days * DAY) }, { ...axis(), size: 50 }],
  });

  function draw(id, columns, options) {
    const room = document.getElementById(id);
    if (!room || !columns[0].length) return;
    const chart = new uPlot({ width: room.clientWidth || 400, height: HEIGHT, legend: { show: false }, cursor: { show: false }, ...options }, columns, room);
    drawn.push({ room, chart });
  }

  new ResizeObserver(() => {
    for (const { room, chart } of drawn) if (room.clientWidth && room.clientWidth !== chart.width) chart.setSize({ width: room.clientWidth, height: HEIGHT });
  }).observe(document.getElementById("main"));

  return { colour, axis, daily, draw };
}
