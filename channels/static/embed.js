/* The chat inside another site's page. It talks to that page only after the page has spoken first and is on our list.
   What is said: "ready", "close", "news", "leave". Never a word of the conversation. */
(function () {
  "use strict";

  var html = document.documentElement;
  var sites = (html.dataset.sites || "").split(" ");
  var box = document.querySelector("form[data-compose] textarea");
  var list = document.querySelector("[data-list]");
  var host = null;
  if (window.parent === window) { return; }

  function tell(what, more) {
    if (host) { window.parent.postMessage(Object.assign({ nwd: what }, more), host); }
  }

  function light(colour) {
    var parts = [1, 3, 5].map(function (at) {
      var part = parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4);
    });
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  }

  function contrast(one, other) {
    var both = [light(one), light(other)].sort(function (a, b) { return b - a; });
    return (both[0] + 0.05) / (both[1] + 0.05);
  }

  /* The site's own colour, as long as words in it can be read on our page. */
  function dress(accent) {
    if (!/^#[0-9a-f]{6}$/i.test(accent || "")) { return; }
    var sheet = getComputedStyle(html).getPropertyValue("--sheet").trim();
    var paper = getComputedStyle(html).getPropertyValue("--paper").trim();
    if (contrast(accent, sheet) < 4.5 || contrast(accent, paper) < 4.5) { return; }
    html.style.setProperty("--accent", accent);
    html.style.setProperty("--on-accent", contrast(accent, "#ffffff") >= 4.5 ? "#ffffff" : "#000000");
    html.style.setProperty("--accent-soft", "var(--notice)");
  }

  window.addEventListener("message", function (event) {
    if (event.source !== window.parent || sites.indexOf(event.origin) < 0) { return; }
    if (!event.data || event.data.nwd !== "open") { return; }
    host = event.origin;
    dress(event.data.accent);
    tell("ready");
    if (box) { box.focus(); }
  });

  window.addEventListener("focus", function () { if (box && document.activeElement === document.body) { box.focus(); } });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && !event.isComposing) { tell("close"); }
  });

  document.addEventListener("nwd-leave", function (event) { tell("leave", { to: event.detail }); });

  if (list) {
    new MutationObserver(function (changes) {
      var news = changes.some(function (change) {
        return Array.prototype.some.call(change.addedNodes, function (node) {
          return node.dataset && node.dataset.seq && !node.classList.contains("you");
        });
      });
      if (news) { tell("news"); }
    }).observe(list, { childList: true });
  }
})();
