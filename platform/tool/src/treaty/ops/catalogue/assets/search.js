"use strict";
(() => {
  const form = document.querySelector("form[role=search]");
  const input = document.getElementById("search");
  const found = document.getElementById("found");
  const most = 20;
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  const matches = (words, row) => {
    const text = (row[1] + " " + row[2] + " " + row[0]).toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const rank = (word, row) => {
    const name = row[1].toLowerCase();
    return name === word || name.endsWith("." + word) ? 0 : name.includes(word) ? 1 : 2;
  };
  const item = (row) => {
    const line = document.createElement("li");
    const link = document.createElement("a");
    link.href = form.dataset.root + "/" + row[3];
    link.textContent = row[1];
    line.append(link, " " + row[0]);
    return line;
  };
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    found.replaceChildren();
    if (words.length === 0) return;
    const rows = window.catalogue.filter((row) => matches(words, row));
    rows.sort((one, other) => rank(words[0], one) - rank(words[0], other));
    found.append(...rows.slice(0, most).map(item));
    if (rows.length === 0) {
      const line = document.createElement("li");
      line.textContent = form.dataset.none;
      found.append(line);
    }
  });
})();
