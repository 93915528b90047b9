/* "Leave this page": blank at once, forget who this browser is, go somewhere ordinary without leaving a trace in "back".
   Pressing Shift three times within five seconds does the same. Inside another site's page it takes that page along. */
(function () {
  "use strict";

  var form = document.querySelector("form[data-leave]");
  if (!form) { return; }
  var hint = document.querySelector("[data-once-more]");
  var presses = [], quiet = null;

  function leave() {
    var to = form.dataset.leave;
    var forget = form.action + (form.action.indexOf("?") < 0 ? "?" : "&") + "quiet=1";
    document.documentElement.className = "gone";
    document.title = "";
    if (!navigator.sendBeacon || !navigator.sendBeacon(forget)) {
      fetch(forget, { method: "POST", credentials: "same-origin", keepalive: true });
    }
    if (window.parent === window) { window.location.replace(to); return; }
    document.dispatchEvent(new CustomEvent("nwd-leave", { detail: to }));
    setTimeout(function () {
      try { window.top.location.replace(to); } catch (refused) { window.location.replace(to); }
    }, 300);
  }

  function say(words) {
    clearTimeout(quiet);
    if (words || hint.textContent) { hint.textContent = words; }
    if (words) { quiet = setTimeout(function () { hint.textContent = ""; }, 5000); }
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    leave();
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "Shift") { presses = []; say(""); return; }
    if (event.repeat) { return; }
    var now = Date.now();
    presses = presses.filter(function (at) { return now - at < 5000; });
    presses.push(now);
    if (presses.length >= 3) { leave(); return; }
    if (presses.length === 2) { say("Press Shift once more to leave."); }
  });

  /* A page that the browser kept for "back" must not show what was left behind. */
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) { window.location.reload(); }
  });
})();
