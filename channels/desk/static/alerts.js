/* Alerts until acknowledged: while somebody new waits whom this peer worker has not seen yet, the title blinks, and
   with their leave a sound and a notice come again every half minute. A notice names nobody and says nothing of anybody.
   Acknowledged is: pressing "I have seen it", or taking or reading somebody. Kept for all pages of this browser. */
(function () {
  "use strict";

  var live = document.querySelector("[data-live][data-alerting]");
  var bar = document.querySelector("[data-alert-bar]");
  if (!live || !bar) { return; }

  var AGAIN = 30000, BLINK = 1500, KEPT = 200;
  var SEEN = "desk-seen", SOUND = "desk-sound";
  var button = document.querySelector("[data-alerts]");
  var tone = null, last = 0, plain = true, listed = [];

  function read(name) { try { return localStorage.getItem(name) || ""; } catch (error) { return ""; } }
  function keep(name, value) { try { localStorage.setItem(name, value); } catch (error) { return; } }

  function waiting() {
    return Array.from(live.querySelectorAll("[data-alert]")).map(function (row) { return row.dataset.alert; });
  }

  function unseen() {
    var seen = read(SEEN).split(" ");
    return waiting().filter(function (id) { return seen.indexOf(id) < 0; });
  }

  function acknowledge() {
    var seen = read(SEEN).split(" ").filter(Boolean);
    keep(SEEN, waiting().concat(seen).filter(function (id, at, all) { return all.indexOf(id) === at; }).slice(0, KEPT).join(" "));
    look();
  }

  /* Whoever was taken and comes back to wait is new again. Only what this page saw go is forgotten: another page of
     this browser may know of somebody sooner. */
  function forgetGone() {
    var now = waiting(), gone = listed.filter(function (id) { return now.indexOf(id) < 0; });
    listed = now;
    if (!gone.length) { return; }
    keep(SEEN, read(SEEN).split(" ").filter(function (id) { return id && gone.indexOf(id) < 0; }).join(" "));
  }

  function look() {
    forgetGone();
    var many = unseen().length;
    bar.hidden = !many;
    if (!many) { last = 0; return; }
    if (Date.now() - last < AGAIN) { return; }
    last = Date.now();
    if (read(SOUND) === "on") { sound(); tell(); }
  }

  function sound() {
    var Player = window.AudioContext || window.webkitAudioContext;
    if (!Player) { return; }
    tone = tone || new Player();
    [0, .25].forEach(function (wait) {
      var voice = tone.createOscillator(), loud = tone.createGain(), at = tone.currentTime + wait;
      voice.frequency.value = 660;
      loud.gain.setValueAtTime(.0001, at);
      loud.gain.exponentialRampToValueAtTime(.2, at + .03);
      loud.gain.exponentialRampToValueAtTime(.0001, at + .2);
      voice.connect(loud).connect(tone.destination);
      voice.start(at);
      voice.stop(at + .22);
    });
  }

  function tell() {
    if (!window.Notification || Notification.permission !== "granted" || !document.hidden) { return; }
    var notice = new Notification(bar.dataset.notice, { tag: "desk", renotify: true });
    notice.onclick = function () { window.focus(); notice.close(); };
  }

  setInterval(function () {
    var mark = "* ";
    document.title = document.title.indexOf(mark) === 0 ? document.title.slice(mark.length) : document.title;
    plain = bar.hidden || !plain;
    if (!plain) { document.title = mark + document.title; }
    look();
  }, BLINK);

  function show() {
    if (!button) { return; }
    var on = read(SOUND) === "on";
    button.setAttribute("aria-pressed", on ? "true" : "false");
    button.textContent = on ? "Sound is on: switch it off" : "Alert me with sound";
  }

  if (button) {
    button.addEventListener("click", function () {
      var on = read(SOUND) !== "on";
      keep(SOUND, on ? "on" : "off");
      if (on) {
        sound();
        if (window.Notification && Notification.permission === "default") { Notification.requestPermission(); }
      }
      show();
    });
  }
  bar.querySelector("button").addEventListener("click", acknowledge);
  live.addEventListener("click", function (event) { if (event.target.closest(".row-acts")) { acknowledge(); } });
  window.addEventListener("storage", function () { show(); look(); });
  show();
  look();
})();
