// What pages do beside links and forms; everything works without it, but for the charts.
"use strict";

// On narrow screens the menu begins closed.
const menu = document.querySelector(".menu");
if (menu && window.matchMedia("(max-width: 899px)").matches) menu.open = false;
if (menu) {
  window.matchMedia("(min-width: 900px)").addEventListener("change", (event) => {
    menu.open = event.matches;
  });
}

// One list of choices is open at a time; Escape and a click elsewhere close it.
const pickers = [...document.querySelectorAll(".picker")];
for (const picker of pickers) {
  picker.addEventListener("toggle", () => {
    if (!picker.open) return;
    for (const other of pickers) if (other !== picker) other.open = false;
  });
  picker.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && picker.open) {
      picker.open = false;
      picker.querySelector("summary").focus();
    }
  });
}
document.addEventListener("click", (event) => {
  for (const picker of pickers) if (!picker.contains(event.target)) picker.open = false;
});

// What is not done is followed, export jobs, what-ifs and backtests, unless somebody is at a link
// of it. What more than one section shows is loaded anew once it is done.
const followed = document.querySelector("#jobs, #trial, #backtests");
async function follow() {
  if (!followed.querySelector("[data-follow]")) return;
  if (!document.hidden && !followed.contains(document.activeElement)) {
    const answer = await fetch(location.pathname + location.search).catch(() => null);
    if (!answer || !answer.ok) return;
    const now = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (followed.hasAttribute("data-reload") && !now.querySelector("[data-follow]")) {
      location.reload();
      return;
    }
    followed.replaceChildren(...now.querySelector(`#${followed.id}`).childNodes);
  }
  setTimeout(follow, 2000);
}
if (followed) setTimeout(follow, 2000);

// A type that is chosen to be added goes into its list.
for (const field of document.querySelectorAll("input[data-adds]")) {
  const list = document.getElementById(field.dataset.adds);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !field.value.trim()) return;
    event.preventDefault();
    list.value = [list.value.trim(), field.value.trim()].filter(Boolean).join("\n");
    field.value = "";
  });
}

// Addresses stay short: what says nothing is not sent.
const filters = document.querySelector("form.filters");
if (filters) {
  const boxes = [...filters.querySelectorAll('input[name="columns"]')];
  const usual = boxes.map((box) => box.defaultChecked).join();
  const explicit = new URLSearchParams(location.search).has("columns");
  filters.addEventListener("submit", () => {
    for (const field of filters.elements) if (field.name && !field.value) field.disabled = true;
    const size = filters.elements.size;
    if (size && size.value === "50") size.disabled = true;
    if (!explicit && boxes.map((box) => box.checked).join() === usual)
      for (const box of boxes) box.disabled = true;
  });
  window.addEventListener("pageshow", () => {
    for (const field of filters.elements) field.disabled = false;
  });
}
