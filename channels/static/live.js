/* Keeps a conversation on the page up to date, and sends without leaving the page.
   The server draws everything: when its event stream says that something changed, the new part is fetched and added.
   Without this script the page works by itself: forms are posted and the whole page comes back. */
(function () {
  "use strict";

  var root = document.querySelector("[data-live]");
  if (!root || !window.fetch || !window.DOMParser || !window.EventSource || !window.URLSearchParams) { return; }

  var list = root.querySelector("[data-list]");
  var offline = root.querySelector("[data-offline]");
  var pane = root.closest("[data-pane]");
  var composer = document.querySelector("form[data-compose]");
  var box = composer.querySelector("textarea");
  var source = null, offlineTimer = null, retryTimer = null;
  var PATIENCE = 20000, RETRY = 5000;
  var cuts = 0, fetching = null, again = false, sending = Promise.resolve();

  /* -- reading ------------------------------------------------------------------------------------------ */

  function lastSeq() {
    var items = list.querySelectorAll("li[data-seq]");
    return items.length ? items[items.length - 1].dataset.seq : "0";
  }

  function after(address) {
    return address + (address.indexOf("?") < 0 ? "?" : "&") + "after=" + encodeURIComponent(lastSeq());
  }

  /* The whole answer, as text. A connection that says nothing for this long has gone. */
  function ask(url, options) {
    var stop = window.AbortController ? new AbortController() : null;
    var timer = setTimeout(function () { if (stop) { stop.abort(); } }, PATIENCE);
    var end = function () { clearTimeout(timer); };
    if (stop) { options.signal = stop.signal; }
    var answered = fetch(url, options).then(function (answer) {
      if (!answer.ok) { throw new Error("status " + answer.status); }
      return answer.text();
    });
    answered.then(end, end);
    return answered;
  }

  function refresh() {
    if (fetching) { again = true; return fetching; }
    var stored = list.querySelectorAll("li[data-stored]");
    fetching = ask(after(root.dataset.log), { cache: "no-store", credentials: "same-origin" }).then(function (html) {
      merge(html);
      stored.forEach(function (item) { item.remove(); });
    });
    return fetching.then(function () {
      fetching = null;
      if (again) { again = false; return refresh(); }
    }, function (problem) {
      fetching = null;
      again = false;
      throw problem;
    });
  }

  function merge(html) {
    var part = new DOMParser().parseFromString(html, "text/html").querySelector("[data-fragment]");
    if (!part) { return; }
    var stay = atEnd();
    if (part.hasAttribute("data-gone")) { forgetAll(); }
    var items = part.querySelectorAll("li[data-seq]");
    if (isGap(items)) { clear(); again = true; return; }
    part.querySelectorAll("[data-part]").forEach(replacePart);
    var added = Array.prototype.map.call(items, addItem).filter(Boolean);
    if (part.hasAttribute("data-open")) { closeChoices(part.dataset.open); }
    if (stay && list.children.length) { show(added[0]); }
  }

  /* Messages are numbered without gaps. More came than one answer holds: read the whole page anew. */
  function isGap(items) {
    var last = Number(lastSeq());
    return root.hasAttribute("data-numbered") && last > 0 && items.length > 0 && Number(items[0].dataset.seq) > last + 1;
  }

  /* What is still on its way, or was not sent, stays. What was stored before we asked is in the answer. */
  function clear() {
    list.querySelectorAll("li[data-seq]").forEach(function (item) { item.remove(); });
  }

  /* Erased: there is nothing left to follow until the next message. */
  function forgetAll() {
    list.textContent = "";
    root.dataset.listen = "no";
    if (source) { source.close(); source = null; }
  }

  /* Only the newest offer can still be pressed. Whoever stands on a button that goes stays at its message. */
  function closeChoices(open) {
    list.querySelectorAll("li[data-seq] .choices").forEach(function (choices) {
      var item = choices.closest("li");
      if (item.dataset.seq === open) { return; }
      var standing = choices.contains(document.activeElement);
      choices.remove();
      if (standing) { item.tabIndex = -1; item.focus({ preventScroll: true }); }
    });
  }

  function replacePart(fresh) {
    var old = document.querySelector("[data-part='" + fresh.dataset.part + "']");
    if (old && !fresh.closest("li") && old.innerHTML !== fresh.innerHTML) {
      old.textContent = "";
      while (fresh.firstChild) { old.appendChild(document.adoptNode(fresh.firstChild)); }
    }
  }

  function addItem(fresh) {
    var old = list.querySelector("li[data-seq='" + Number(fresh.dataset.seq) + "']");
    fresh = document.importNode(fresh, true);
    if (!old) { return list.insertBefore(fresh, list.querySelector("li.pending, li.failed")); }
    if (old.dataset.version !== fresh.dataset.version) { list.replaceChild(fresh, old); }
    return null;
  }

  function atEnd() {
    if (pane) { return pane.scrollHeight - pane.scrollTop - pane.clientHeight < 160; }
    return document.documentElement.scrollHeight - window.scrollY - window.innerHeight < 160;
  }

  function toEnd() {
    if (pane) { pane.scrollTop = pane.scrollHeight; } else { window.scrollTo(0, document.documentElement.scrollHeight); }
  }

  /* An answer that is taller than the screen is read from its first line. */
  function show(item) {
    var room = (pane ? pane.clientHeight : window.innerHeight) * 0.7;
    if (item && list.getBoundingClientRect().bottom - item.getBoundingClientRect().top > room) {
      item.scrollIntoView({ block: "start" });
    } else {
      toEnd();
    }
  }

  /* -- the event stream --------------------------------------------------------------------------------- */

  function listen() {
    if (source || root.dataset.listen === "no") { return; }
    source = new EventSource(after(root.dataset.events));
    source.onopen = catchUp;
    source.addEventListener("changed", catchUp);
    source.addEventListener("typing", showTyping);
    source.onerror = function () {
      if (source && source.readyState === EventSource.CLOSED) { source = null; later(); }
      catchUp();
    };
  }

  /* Somebody writes to them, and they to somebody: a sign that is worth nothing a few seconds later. */
  var typing = root.querySelector("[data-typing]"), typingTimer = null, lastTyping = 0;

  function showTyping() {
    if (!typing) { return; }
    if (!typing.textContent) { typing.textContent = typing.dataset.words; }
    clearTimeout(typingTimer);
    typingTimer = setTimeout(function () { typing.textContent = ""; }, 6000);
  }

  box.addEventListener("input", function () {
    if (!root.dataset.typingTo || !box.value.trim() || !source || Date.now() - lastTyping < 4000) { return; }
    lastTyping = Date.now();
    fetch(root.dataset.typingTo, { method: "POST", credentials: "same-origin" }).catch(function () {});
  });

  /* Messages and who the person is talking to, together. As long as this works nothing is lost, stream or no stream. */
  function catchUp() { return refresh().then(onlineUnlessCut(), lost); }

  /* An answer that was on its way when the network went says nothing about the network now. */
  function onlineUnlessCut() {
    var then = cuts;
    return function () { if (then === cuts) { online(); } };
  }

  function later() {
    clearTimeout(retryTimer);
    retryTimer = setTimeout(function () { listen(); catchUp(); }, RETRY);
  }

  function lost() {
    if (!offlineTimer) { offlineTimer = setTimeout(sayLost, 3000); }
    later();
  }

  function sayLost() { offline.textContent = offline.dataset.words; }

  function online() {
    clearTimeout(offlineTimer);
    offlineTimer = null;
    offline.textContent = "";
    if (source) { clearTimeout(retryTimer); }
  }

  window.addEventListener("offline", function () { cuts += 1; lost(); sayLost(); });
  window.addEventListener("online", function () { listen(); catchUp(); });
  document.addEventListener("visibilitychange", function () {
    if (!document.hidden && root.dataset.listen !== "no") { listen(); catchUp(); }
  });

  /* -- sending ------------------------------------------------------------------------------------------ */

  function newId() {
    var bytes = new Uint8Array(16);
    window.crypto.getRandomValues(bytes);
    return Array.prototype.map.call(bytes, function (byte) { return ("0" + byte.toString(16)).slice(-2); }).join("");
  }

  function add(parent, tag, className, text) {
    var element = document.createElement(tag);
    element.className = className;
    element.textContent = text;
    parent.appendChild(element);
    return element;
  }

  function showPending(text) {
    var item = document.createElement("li");
    item.className = "you pending";
    add(item, "p", "who", root.dataset.me || "You");
    add(item, "div", "bubble", text).dir = "auto";
    add(item, "p", "fate", "Sending");
    list.appendChild(item);
    toEnd();
    return item;
  }

  function post(url, fields) {
    return ask(url, {
      method: "POST", body: new URLSearchParams(fields), credentials: "same-origin",
      headers: { Accept: "application/json" }
    });
  }

  /* One at a time: the first answer sets the cookie that says whose the next one is, and order is kept. */
  function send(url, fields, text) {
    var item = text === null ? null : showPending(text);
    sending = sending.then(function () { return attempt(url, fields, item); });
  }

  function attempt(url, fields, item) {
    if (item) { item.className = "you pending"; item.querySelector(".fate").textContent = "Sending"; }
    return post(url, fields).then(function () {
      if (item) { item.querySelector(".fate").textContent = "Sent"; item.dataset.stored = "yes"; }
      root.dataset.listen = "yes";
      listen();
      return catchUp();
    }, function () {
      if (item) { showFailed(url, fields, item); }
    });
  }

  function showFailed(url, fields, item) {
    item.className = "you failed";
    var fate = item.querySelector(".fate");
    fate.textContent = "Not sent. ";
    var button = add(fate, "button", "plain", "Try again");
    button.type = "button";
    button.addEventListener("click", function () {
      sending = sending.then(function () { return attempt(url, fields, item); });
      box.focus();
    });
  }

  composer.addEventListener("submit", function (event) {
    event.preventDefault();
    var text = box.value;
    if (!text.trim()) { box.focus(); return; }
    box.value = "";
    box.dispatchEvent(new Event("input", { bubbles: true }));
    send(composer.action, { text: text, client_message_id: newId() }, text);
    box.focus();
  });

  box.addEventListener("keydown", function (event) {
    var touch = window.matchMedia && window.matchMedia("(pointer: coarse)").matches;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && !touch) {
      event.preventDefault();
      composer.requestSubmit ? composer.requestSubmit() : composer.querySelector("button").click();
    }
  });

  list.addEventListener("click", function (event) {
    var button = event.target.closest(".choices button");
    if (!button) { return; }
    event.preventDefault();
    var form = button.form, fields = { client_message_id: newId() };
    form.querySelectorAll("input[type=hidden]").forEach(function (input) {
      if (input.name !== "client_message_id") { fields[input.name] = input.value; }
    });
    fields[button.name] = button.value;
    send(form.action, fields, form.hasAttribute("data-quiet") ? null : button.textContent.trim());
    box.focus();
  });

  /* What stands in for this script where it does not run. */
  document.querySelectorAll("[data-plain]").forEach(function (part) { part.hidden = true; });
  if (list.children.length) { toEnd(); }
  /* Before the first message there is nothing to hear; asking once finds out whether this browser keeps our cookie. */
  if (root.dataset.listen === "no") { catchUp(); }
  listen();
})();
