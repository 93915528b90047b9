/* The chat on your own site. One line does it:
     <script src="https://OUR-ADDRESS/chat/widget.js" defer></script>
   Options, as attributes of that line: data-label="Talk to us"  data-side="left"  data-theme="light|dark"  data-accent="#1c5d58"
   Or as CSS variables of your page: --nwd-accent, --nwd-on-accent, --nwd-radius, --nwd-gap, --nwd-font, --nwd-layer.
   Nothing is asked of us before somebody opens the chat, nothing is stored, and no word of the chat reaches this page. */
(function () {
  "use strict";

  var script = document.currentScript;
  if (!script || !window.URL || !document.body || !document.body.attachShadow || window.nwdChat) { return; }
  var home = new URL(script.src).origin;
  var options = script.dataset;
  var label = options.label || "Talk to us";
  var frame = null, ready = false, patience = null;

  var look =
    ":host{all:initial;position:fixed;z-index:var(--nwd-layer,2147483000);inset-block-end:var(--nwd-gap,16px);" +
    "inset-inline-end:var(--nwd-gap,16px);font:600 17px/1.3 var(--nwd-font,system-ui,sans-serif)}" +
    ":host([data-side=left]){inset-inline-end:auto;inset-inline-start:var(--nwd-gap,16px)}" +
    "*{box-sizing:border-box}[hidden]{display:none!important}" +
    "button,a{font:inherit;min-height:44px;cursor:pointer}" +
    "button:focus-visible,a:focus-visible{outline:3px solid #b4540a;outline-offset:2px;box-shadow:0 0 0 6px #fff}" +
    ".open{min-height:52px;padding:0 22px;border:2px solid #fff;border-radius:999px;box-shadow:0 2px 12px #0005;" +
    "background:var(--nwd-accent,var(--accent));color:var(--nwd-on-accent,var(--on-accent))}" +
    ".panel{position:fixed;inset-block-end:var(--nwd-gap,16px);inset-inline-end:var(--nwd-gap,16px);display:flex;" +
    "flex-direction:column;width:400px;height:min(680px,calc(100dvh - 32px));overflow:hidden;background:#fff;color:#222;" +
    "border:1px solid #777;border-radius:var(--nwd-radius,14px);box-shadow:0 6px 30px #0006}" +
    ":host([data-side=left]) .panel{inset-inline-end:auto;inset-inline-start:var(--nwd-gap,16px)}" +
    ".bar{display:flex;align-items:center;justify-content:space-between;padding:0 4px 0 14px;" +
    "background:var(--nwd-accent,var(--accent));color:var(--nwd-on-accent,var(--on-accent))}" +
    ".bar button{border:0;background:none;color:inherit;padding:0 12px;text-decoration:underline}" +
    "iframe{flex:1;width:100%;min-height:0;border:0}" +
    ".away{margin:0;padding:14px;font-weight:400}.away a{color:#1c5d58}" +
    "@media(max-width:480px){.panel,:host([data-side=left]) .panel{inset:0;width:auto;height:auto;border:0;border-radius:0}}" +
    "@media(prefers-color-scheme:dark){:host(:not([data-theme=light])) .panel{background:#191714;color:#f1ebe2}" +
    ":host(:not([data-theme=light])) .away a{color:#7fcdc4}}" +
    ":host([data-theme=dark]) .panel{background:#191714;color:#f1ebe2}:host([data-theme=dark]) .away a{color:#7fcdc4}";

  function make(tag, properties, parent) {
    var element = document.createElement(tag);
    Object.assign(element, properties);
    if (parent) { parent.appendChild(element); }
    return element;
  }

  function hex(colour) { return /^#[0-9a-f]{6}$/i.test(colour || "") ? colour : ""; }

  /* Black or white, whichever can be read on the colour. */
  function readable(colour) {
    var light = [0.2126, 0.7152, 0.0722].reduce(function (sum, weight, at) {
      return sum + weight * Math.pow(parseInt(colour.slice(1 + 2 * at, 3 + 2 * at), 16) / 255, 2.2);
    }, 0);
    return light > 0.18 ? "#000000" : "#ffffff";
  }

  var root = make("nwd-chat", {}, document.body);
  root.dataset.side = options.side === "left" ? "left" : "right";
  if (options.theme === "light" || options.theme === "dark") { root.dataset.theme = options.theme; }
  var shade = root.attachShadow({ mode: "open" });
  /* A sheet made this way is allowed under a site's own strict style policy. */
  try {
    var sheet = new CSSStyleSheet();
    sheet.replaceSync(look);
    shade.adoptedStyleSheets = [sheet];
  } catch (old) { make("style", { textContent: look }, shade); }

  var accent = hex(options.accent) || "#1c5d58";
  root.style.setProperty("--accent", accent);
  root.style.setProperty("--on-accent", readable(accent));

  var launcher = make("button", { type: "button", className: "open", textContent: label }, shade);
  launcher.setAttribute("aria-haspopup", "dialog");
  launcher.setAttribute("aria-expanded", "false");
  var panel = make("div", { className: "panel", hidden: true }, shade);
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-label", label);
  var bar = make("div", { className: "bar" }, panel);
  make("span", { textContent: label }, bar);
  var closer = make("button", { type: "button", textContent: "Close" }, bar);
  var away = make("p", { className: "away", hidden: true }, panel);
  away.setAttribute("role", "status");
  make("span", { textContent: "The chat does not open inside this page. " }, away);
  make("a", { href: home + "/chat", target: "_blank", rel: "noopener", textContent: "Open it in its own tab" }, away);

  function chosenAccent() {
    return hex(getComputedStyle(root).getPropertyValue("--nwd-accent").trim()) || hex(options.accent);
  }

  function greet() { frame.contentWindow.postMessage({ nwd: "open", accent: chosenAccent() }, home); }

  function waitFor(milliseconds) {
    clearTimeout(patience);
    patience = setTimeout(function () { if (!ready) { away.hidden = false; frame.hidden = true; } }, milliseconds);
  }

  function open() {
    panel.hidden = false;
    launcher.hidden = true;
    launcher.textContent = label;
    launcher.setAttribute("aria-expanded", "true");
    if (ready) { frame.focus(); greet(); return; }
    closer.focus();
    if (frame) { return; }
    frame = make("iframe", { title: label });
    frame.addEventListener("load", function () { ready = false; greet(); waitFor(2000); });
    frame.src = home + "/chat?embed=1" + (root.dataset.theme ? "&theme=" + root.dataset.theme : "");
    panel.insertBefore(frame, away);
    waitFor(15000);
  }

  function close() {
    panel.hidden = true;
    launcher.hidden = false;
    launcher.setAttribute("aria-expanded", "false");
    launcher.focus();
  }

  function leave(to) {
    if (!/^https?:\/\//.test(to || "")) { return; }
    document.documentElement.style.display = "none";
    document.title = "";
    window.location.replace(to);
  }

  var heard = {
    ready: function () { ready = true; clearTimeout(patience); away.hidden = true; frame.hidden = false;
      if (!panel.hidden) { frame.focus(); } },
    close: close,
    news: function () { if (panel.hidden) { launcher.textContent = "New message"; } },
    leave: function (data) { leave(data.to); }
  };

  window.addEventListener("message", function (event) {
    if (!frame || event.origin !== home || event.source !== frame.contentWindow || !event.data) { return; }
    if (Object.prototype.hasOwnProperty.call(heard, event.data.nwd)) { heard[event.data.nwd](event.data); }
  });

  launcher.addEventListener("click", open);
  closer.addEventListener("click", close);
  shade.addEventListener("keydown", function (event) { if (event.key === "Escape" && !panel.hidden) { close(); } });
  window.nwdChat = { open: open, close: close };
})();
