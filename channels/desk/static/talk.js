/* What makes working beside a conversation quicker: looking things up without leaving the page, drafts that are kept,
   who else is writing, and keys. Without this script every one of these is a form. */
(function () {
  "use strict";

  var box = document.getElementById("reply");
  var form = document.querySelector("[data-reply]");
  var forYou = document.querySelector("[data-for-you]");
  var palette = document.querySelector("[data-palette]");
  var SAVE_AFTER = 1500, SHOWN = 6000, MOST = 20;

  function token() {
    var field = document.querySelector("input[name=form_token]");
    return field ? field.value : "";
  }

  function post(url, fields, keep) {
    return fetch(url, {
      method: "POST", body: new URLSearchParams(fields), credentials: "same-origin", cache: "no-store", keepalive: !!keep
    });
  }

  function parse(html) { return new DOMParser().parseFromString(html, "text/html"); }

  /* -- what has been read: the newest line on the page, whatever was there when it was opened ------------ */

  function newest() {
    return Array.prototype.reduce.call(document.querySelectorAll(".log > li[data-seq]"), function (most, line) {
      return Math.max(most, Number(line.dataset.seq));
    }, 0);
  }

  document.addEventListener("submit", function (event) {
    var read = event.target.querySelector("input[name=read]");
    if (read && newest()) { read.value = newest(); }
    if (event.target !== form && box && box.value.trim()) { save(true); document.body.dataset.leaving = "yes"; }
    if (event.target === form && event.submitter && event.submitter.hasAttribute("formaction")) {
      document.body.dataset.leaving = "yes";
    }
  }, true);

  /* -- drafts ------------------------------------------------------------------------------------------- */

  var saving = null, saved = box ? box.value : "";

  function save(leaving) {
    clearTimeout(saving);
    saving = null;
    if (!box || box.value === saved) { return; }
    saved = box.value;
    post(box.dataset.draft, { form_token: token(), text: saved, quiet: "yes" }, leaving).catch(function () { saved = null; });
  }

  if (box) {
    box.addEventListener("input", function () {
      clearTimeout(saving);
      saving = setTimeout(save, SAVE_AFTER);
    });
    box.addEventListener("blur", function () { save(); });
    /* What has just been done is read by now: its line goes, and gives its room to the story. */
    box.addEventListener("input", function () {
      document.querySelectorAll("[data-said]").forEach(function (part) { part.hidden = true; });
    }, { once: true });
    /* Sent: the box is empty, and so is what was kept. */
    document.addEventListener("desk-sent", function () { clearTimeout(saving); saving = null; saved = box.value; });
  }

  /* -- looking something up ------------------------------------------------------------------------------ */

  if (form) { form.addEventListener("submit", lookHere); }

  function lookHere(event) {
    var button = event.submitter;
    var action = button ? button.getAttribute("formaction") || "" : "";
    var here = /\/look$/.test(action) || (/\/insert$/.test(action));
    if (!here) { return; }
    event.preventDefault();
    delete document.body.dataset.leaving;
    var fields = new FormData(form);
    if (button.name) { fields.set(button.name, button.value); }
    post(action, fields).then(function (answer) { return answer.text(); }).then(function (html) {
      var fresh = parse(html);
      if (/\/look$/.test(action)) { showFound(fresh); return; }
      box.value = fresh.getElementById("reply").value;
      box.dispatchEvent(new Event("input", { bubbles: true }));
      box.focus();
    }).catch(function () { form.querySelector("[data-found]").textContent = "No connection. Try again."; });
  }

  function showFound(fresh) {
    var old = form.querySelector("[data-found]"), found = fresh.querySelector("[data-found]");
    if (found) { old.replaceWith(document.importNode(found, true)); }
  }

  /* -- who else is writing -------------------------------------------------------------------------------- */

  function show(part, words) {
    if (!part) { return; }
    if (part.hidden || part.textContent !== words) { part.textContent = words; part.hidden = false; }
    clearTimeout(part.hiding);
    part.hiding = setTimeout(function () { part.hidden = true; }, SHOWN);
  }

  document.addEventListener("desk-writing", function () {
    var part = document.querySelector("[data-writing]");
    show(part, part ? part.dataset.words : "");
  });

  document.addEventListener("desk-replying", function (event) {
    var part = document.querySelector("[data-replying]");
    show(part, part ? event.detail + part.dataset.words : "");
  });

  /* -- what colleagues ask of you ------------------------------------------------------------------------- */

  document.addEventListener("desk-queue", refreshForYou);

  function refreshForYou() {
    if (!forYou || forYou.contains(document.activeElement)) { return; }
    fetch("/desk/for-you", { cache: "no-store", credentials: "same-origin" }).then(function (answer) {
      return answer.ok ? answer.text() : "";
    }).then(function (html) {
      var fresh = html && parse(html).querySelector("[data-for-you-part]");
      if (fresh && fresh.innerHTML !== forYou.firstElementChild.innerHTML) {
        forYou.replaceChildren(document.importNode(fresh, true));
      }
    }).catch(function () {});
  }

  /* -- keys ------------------------------------------------------------------------------------------------ */

  if (!palette || !palette.showModal) { return; }

  var find = palette.querySelector("input"), list = palette.querySelector("ul");
  var things = [], chosen = 0;

  function open(details, focus) {
    if (!details) { return false; }
    details.open = true;
    var first = details.querySelector(focus || "textarea, select, input:not([type=hidden]), button");
    if (first) { first.focus(); first.scrollIntoView({ block: "nearest" }); }
    return true;
  }

  function byId(id) { return document.getElementById(id); }

  function move(step) {
    var rows = Array.prototype.slice.call(document.querySelectorAll(".log > li.line, .row"));
    if (!rows.length) { return; }
    var at = rows.findIndex(function (row) { return row.contains(document.activeElement); });
    var next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step));
    var target = rows[next].classList.contains("row") ? rows[next].querySelector("a, button") : rows[next];
    if (!target) { return; }
    if (target === rows[next]) { target.tabIndex = -1; }
    target.focus();
    target.scrollIntoView({ block: "nearest" });
  }

  var KEYS = {
    j: function () { move(1); },
    k: function () { move(-1); },
    r: function () { if (box) { box.focus(); } },
    n: function () { open(byId("notes"), "textarea"); },
    c: function () { open(byId("finish")); },
    e: function () { open(byId("bring")); },
    "?": showPalette
  };

  document.addEventListener("keydown", function (event) {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      showPalette();
      return;
    }
    var at = event.target;
    var typing = at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) || palette.open;
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) { return; }
    if (palette.dataset.keys !== "on") { return; }
    var act = KEYS[event.key.toLowerCase()];
    if (act) { event.preventDefault(); act(); }
  });

  /* Everything that can be done here, by the words that stand on it: what is about this person first. */
  var PLACES = [".acts button", ".about button", "[data-for-you] button, [data-for-you] a", ".row button, .row a", ".back a", ".desk-head a"];
  var KEY_OF = { notes: "N", finish: "C", bring: "E" };

  function gather() {
    var found = [];
    if (box) { found.push({ words: "Write to them", key: "R", run: KEYS.r }); }
    document.querySelectorAll("[data-look], .tool").forEach(function (part) {
      var words = part.querySelector("summary").textContent.trim();
      found.push({ words: words, key: KEY_OF[part.id], run: function () { open(part); } });
    });
    PLACES.forEach(function (place) {
      document.querySelectorAll(place).forEach(function (part) {
        var words = (part.getAttribute("aria-label") || part.textContent).trim();
        if (words) { found.push({ words: words, run: function () { part.click(); } }); }
      });
    });
    return found;
  }

  function showPalette() {
    if (palette.open) { return; }
    things = gather();
    find.value = "";
    draw();
    palette.showModal();
    find.focus();
  }

  function fitting() {
    var words = find.value.trim().toLowerCase().split(/\s+/);
    return things.filter(function (thing) {
      return words.every(function (word) { return thing.words.toLowerCase().indexOf(word) >= 0; });
    }).slice(0, MOST);
  }

  function draw() {
    chosen = Math.max(0, Math.min(chosen, fitting().length - 1));
    list.replaceChildren.apply(list, fitting().map(function (thing, place) {
      var item = document.createElement("li");
      item.id = "palette-" + place;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", place === chosen ? "true" : "false");
      item.textContent = thing.words;
      if (thing.key && palette.dataset.keys === "on") {
        var key = document.createElement("kbd");
        key.textContent = thing.key;
        item.append(" ", key);
      }
      item.addEventListener("click", function () { run(thing); });
      return item;
    }));
    if (list.children.length) { find.setAttribute("aria-activedescendant", "palette-" + chosen); }
    else { find.removeAttribute("aria-activedescendant"); }
  }

  function run(thing) {
    find.blur();
    palette.close();
    if (thing) { thing.run(); }
  }

  find.addEventListener("input", function () { chosen = 0; draw(); });
  find.addEventListener("keydown", function (event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      chosen += event.key === "ArrowDown" ? 1 : -1;
      draw();
      if (list.children[chosen]) { list.children[chosen].scrollIntoView({ block: "nearest" }); }
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(fitting()[chosen]);
    } else if (event.key === "Escape") {
      /* By ourselves and at once: left to the browser, the next key may still go to a box that is not there. */
      event.preventDefault();
      run(null);
    }
  });
})();
