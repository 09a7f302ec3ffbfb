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

// Figures on charts grow with the text of the page, in pixels.
const textSize = () => Math.round(parseFloat(getComputedStyle(document.body).fontSize) * 0.86);

// Room for figures beside an axis, in pixels: given for text of 12.
const beside = (pixels) => Math.round((pixels * textSize()) / 12);

function plotting() {
  // Wide charts are higher, or slopes would be lost in them.
  const height = (width) => Math.round(Math.min(460, Math.max(240, width * 0.4)));
  const drawn = [];

  const colour = colours();

  const axis = () => ({ stroke: colour("text"), grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("grid"), width: 1 }, font: `${textSize()}px system-ui, sans-serif` });

  // Days of UTC along the bottom, as many as there is room for: every day, week, month and so on.
  const DAY = 86400;
  const daily = () => ({
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    axes: [{ ...axis(), values: (chart, ticks) => ticks.map((tick) => new Date(tick * 1000).toLocaleDateString("en-US", { month: "short", day: "numeric", timeZone: "UTC" })), space: 70, incrs: [1, 7, 30, 60, 90, 180, 365].map((days) => days * DAY) }, { ...axis(), size: beside(50) }],
  });

  function draw(id, columns, options) {
    const room = document.getElementById(id);
    if (!room || !columns[0].length) return;
    const width = room.clientWidth || 400;
    const chart = new uPlot({ width, height: height(width), legend: { show: false }, cursor: { show: false }, ...options }, columns, room);
    drawn.push({ room, chart });
  }

  new ResizeObserver(() => {
    for (const { room, chart } of drawn) if (room.clientWidth && room.clientWidth !== chart.width) chart.setSize({ width: room.clientWidth, height: height(room.clientWidth) });
  }).observe(document.getElementById("main"));

  return { colour, axis, daily, draw };
}
