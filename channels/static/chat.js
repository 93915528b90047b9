/* "Leave this page": blank at once, forget who this browser is, go somewhere ordinary without leaving a trace in "back".
   Pressing Shift three times within five seconds does the same. */
(function () {
  "use strict";

  var form = document.querySelector("form[data-leave]");
  if (!form) { return; }
  var presses = [];

  function leave() {
    document.documentElement.className = "gone";
    document.title = "";
    var forget = form.action + "?quiet=1";
    if (!navigator.sendBeacon || !navigator.sendBeacon(forget)) {
      fetch(forget, { method: "POST", credentials: "same-origin", keepalive: true });
    }
    window.location.replace(form.dataset.leave);
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    leave();
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "Shift") { presses = []; return; }
    if (event.repeat) { return; }
    var now = Date.now();
    presses = presses.filter(function (at) { return now - at < 5000; });
    presses.push(now);
    if (presses.length >= 3) { leave(); }
  });

  /* A page that the browser kept for "back" must not show what was left behind. */
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) { window.location.reload(); }
  });
})();
