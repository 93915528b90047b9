// The import pages work without this. With it, progress comes by itself, and a file that is too large is said at once.
"use strict";

const panel = document.querySelector("[data-progress]");
const form = document.querySelector("form[data-most]");

async function look() {
  try {
    const answer = await fetch(panel.dataset.progress, { credentials: "same-origin" });
    const told = await answer.json();
    if (told.stage !== panel.dataset.stage) {
      location.reload();
      return;
    }
    const line = panel.querySelector("[role=status]");
    if (line.textContent !== told.words) line.textContent = told.words;
  } catch {
    // the network is away for a moment: the link under the line still works
  }
  setTimeout(look, 1500);
}

if (panel) setTimeout(look, 700);

if (form) {
  const field = form.querySelector("input[type=file]");
  field.addEventListener("change", () => {
    const most = Number(form.dataset.most);
    const large = field.files.length && field.files[0].size > most * 1e6;
    field.setCustomValidity(large ? `The file is larger than ${most} MB. Split it.` : "");
    field.reportValidity();
  });
}
