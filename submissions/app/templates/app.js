// Sends a photo that is dropped or chosen, and shows the answer. Only the answer for the last photo is shown.
"use strict";

const form = document.querySelector("form");
const drop = document.querySelector(".drop");
const input = document.getElementById("photo");
const manipulated = document.getElementById("manipulated");
const progress = document.getElementById("status");
const answer = document.getElementById("answer");
const maxBytes = Number(form.dataset.maxBytes);
let last = 0;
let photo = null;

function fail(message) {
  const line = document.createElement("p");
  line.className = "error";
  line.textContent = message;
  answer.replaceChildren(line);
}

async function examine() {
  const number = ++last;
  answer.replaceChildren();
  progress.textContent = "";
  if (photo.size > maxBytes) {
    fail(`${photo.name} has ${Math.round(photo.size / 2 ** 20)} MiB, expected at most ${maxBytes / 2 ** 20} MiB`);
    return;
  }
  progress.textContent = `Examining ${photo.name} …`;
  try {
    const response = await fetch(`photo?manipulated=${manipulated.checked ? "yes" : "no"}`, { method: "POST", body: photo });
    const html = await response.text();
    if (number === last) {
      answer.innerHTML = html;
      progress.textContent = photo.name;
    }
  } catch (error) {
    if (number === last) {
      progress.textContent = photo.name;
      fail("The app did not answer. Is it still running?");
    }
  }
}

function choose(files) {
  if (files.length) {
    photo = files[0];
    examine();
  }
}

input.addEventListener("change", () => choose(input.files));
manipulated.addEventListener("change", () => photo && examine());
form.addEventListener("submit", (event) => event.preventDefault());
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
document.addEventListener("dragleave", () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  choose(event.dataTransfer.files);
});
