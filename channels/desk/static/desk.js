/* Keeps an open page of the desk true: fetches its live part again when the event stream says so, or every half
   minute. Focus and what is written in the box are never touched. Without this script every page works as a form. */
(function () {
  "use strict";

  var root = document.querySelector("[data-live]");
  var box = document.getElementById("reply");
  var offline = document.querySelector("[data-offline]");
  var announcer = document.querySelector("[data-announce]");
  var leaving = false, going = false;
  var LOOK_EVERY = 30000, OFFLINE_AFTER = 3000, AGAIN_AFTER = 5000, GOING = 10000, TYPING_EVERY = 4000;

  document.querySelectorAll("[data-only-script]").forEach(function (part) { part.hidden = false; });

  /* A page that answered a form can be loaded again without sending the form again. */
  var own = root && root.dataset.conversation ? "/desk/conversations/" + root.dataset.conversation : "";
  if (own && location.pathname !== own) { history.replaceState(null, "", own); }

  /* -- the live part ---------------------------------------------------------------------------------- */

  var fetching = false, again = false, offlineTimer = null;

  function refresh() {
    if (!root || !root.dataset.part || going) { return; }
    if (fetching) { again = true; return; }
    fetching = true;
    /* A page that nobody looks at has read nothing: only one in front says so, and the person may be told. */
    fetch(root.dataset.part + (root.dataset.renew && !document.hidden ? "?seen=1" : ""), { cache: "no-store", credentials: "same-origin" })
      .then(function (answer) {
        online();
        if (answer.status === 401 && !draft()) { leaving = true; location.reload(); return null; }
        if (answer.status === 401) { close(root.dataset.out); moved("out"); return null; }
        if (answer.status === 404) { close(root.dataset.gone); moved("gone"); return null; }
        return answer.ok ? answer.text() : null;
      })
      .then(function (html) { if (html) { merge(html); } }, lost)
      .then(function () {
        fetching = false;
        if (again) { again = false; refresh(); }
      });
  }

  /* Not ours to read any more: what somebody said, and what was noted, leaves the page. What is in the box stays. */
  function close(said) {
    if (!root.dataset.conversation) { return; }
    document.querySelectorAll(".log, .about, .notes").forEach(function (part) { part.replaceChildren(); });
    document.querySelectorAll(".about, .tools, .acts").forEach(function (part) { part.hidden = true; });
    var heading = document.querySelector("h1");
    if (heading && said) { heading.textContent = said; }
  }

  function merge(html) {
    var fresh = new DOMParser().parseFromString(html, "text/html").querySelector("[data-fragment]");
    var old = root.querySelector("[data-fragment]");
    if (!fresh || !old || going) { return; }
    if (root.dataset.conversation) { mergeConversation(old, fresh); } else { mergeList(old, fresh); }
  }

  /* The list is replaced as a whole; whoever had focus on a button keeps it on the same person's button. */
  function mergeList(old, fresh) {
    if (old.innerHTML === fresh.innerHTML) { return; }
    var focused = old.contains(document.activeElement) ? document.activeElement.id : null;
    var more = Number(fresh.dataset.waiting) - Number(old.dataset.waiting);
    root.replaceChild(document.importNode(fresh, true), old);
    if (focused !== null) {
      var same = document.getElementById(focused);
      if (!same) { root.tabIndex = -1; same = root; }
      same.focus({ preventScroll: true });
    }
    var count = Number(fresh.dataset.attention);
    document.title = (count ? "(" + count + ") " : "") + (root.dataset.title || "Desk");
    if (more > 0 && announcer) { announcer.textContent = more === 1 ? "1 more person is waiting." : more + " more people are waiting."; }
  }

  /* Only new lines are added, so that a screen reader reads nothing twice; known ones only change their fate. */
  function mergeConversation(old, fresh) {
    if (fresh.dataset.standing !== old.dataset.standing) {
      if (!draft()) { leaving = true; location.reload(); return; }
      old.dataset.standing = fresh.dataset.standing;
      if (fresh.dataset.standing === "mine") { keepFromNow(); }
      else { moved(fresh.dataset.standing === "open" ? "open" : "gone"); }
    }
    var stay = atTheEnd();
    var about = old.querySelector(".about"), newAbout = fresh.querySelector(".about");
    if (about.innerHTML !== newAbout.innerHTML && !about.contains(document.activeElement)) {
      old.replaceChild(document.importNode(newAbout, true), about);
    }
    var log = old.querySelector(".log"), added = 0, lines = log.children.length;
    fresh.querySelectorAll(".log > li").forEach(function (line) {
      var known = document.getElementById(line.id);
      if (known) { mergeLine(known, line); return; }
      log.appendChild(document.importNode(line, true));
      added += line.classList.contains("person") ? 1 : 0;
    });
    if (stay && log.children.length > lines) { toTheEnd(); }
    if (added && document.hidden) { unseen += added; retitle(); }
  }

  function mergeLine(known, line) {
    known.className = line.className;
    var bubble = known.querySelector(".bubble");
    if (bubble && !line.querySelector(".bubble")) { bubble.remove(); }
    ["remark", "under"].forEach(function (name) {
      var was = known.querySelector("." + name), is = line.querySelector("." + name);
      if (!is || (was && (was.textContent === is.textContent || was.contains(document.activeElement)))) { return; }
      if (was) { was.replaceWith(document.importNode(is, true)); } else { known.appendChild(document.importNode(is, true)); }
    });
  }

  /* The end of the story is at the lower edge of the window, or of its own part of it. New lines are followed there,
     and nowhere else: whoever reads further up stays. */
  var end = document.getElementById("latest");

  function atTheEnd() {
    if (!end) { return false; }
    var edge = scrollsItself() ? end.parentNode.getBoundingClientRect().bottom : window.innerHeight;
    return Math.abs(end.getBoundingClientRect().top - edge) < 200;
  }

  function scrollsItself() { return getComputedStyle(end.parentNode).overflowY === "auto"; }

  function toTheEnd() { if (end) { end.scrollIntoView({ block: "end" }); } }

  /* A box that grows takes its room from the lines further up, not from the last ones. */
  var answer = document.querySelector(".answer"), follows = false;
  if (answer && window.ResizeObserver) {
    document.addEventListener("scroll", function () { follows = atTheEnd(); }, { capture: true, passive: true });
    new ResizeObserver(function () { if (follows) { toTheEnd(); } }).observe(answer);
  }

  if (end && box) {
    window.addEventListener("load", function () {
      if (location.hash === "#latest" || (scrollsItself() && location.hash.slice(0, 3) !== "#m-")) { toTheEnd(); }
    });
  }

  var unseen = 0, title = document.title;

  function retitle() { document.title = (unseen ? "(" + unseen + ") " : "") + title; }

  document.addEventListener("visibilitychange", function () {
    if (document.hidden) { return; }
    if (root && root.dataset.conversation) { unseen = 0; retitle(); }
    signOfLife();
    refresh();
  });

  function moved(how) {
    document.querySelectorAll("[data-moved]").forEach(function (part) { part.hidden = part.dataset.moved !== how; });
    if (root) { delete root.dataset.renew; }
  }

  /* Left with us by a colleague while something is in the box: ours to keep from here on, and the words stay. */
  function keepFromNow() {
    var heading = document.querySelector("h1");
    if (heading && root.dataset.mine) { heading.textContent = root.dataset.mine; }
    root.dataset.renew = own + "/renew";
    lastSign = 0;
    signOfLife();
  }

  function draft() { return box ? box.value.trim() : ""; }

  /* -- the event stream ------------------------------------------------------------------------------- */

  function listen() {
    var source = new EventSource(root.dataset.events);
    source.onopen = function () { online(); refresh(); };
    source.addEventListener(root.dataset.conversation || "queue", refresh);
    source.addEventListener("beat", signOfLife);
    ["queue", "writing", "replying"].forEach(function (name) {
      source.addEventListener(name, function (event) {
        document.dispatchEvent(new CustomEvent("desk-" + name, { detail: event.data }));
      });
    });
    source.onerror = function () {
      lost();
      if (source.readyState === EventSource.CLOSED) { setTimeout(listen, AGAIN_AFTER); refresh(); }
    };
  }

  function lost() {
    if (!offlineTimer && offline) { offlineTimer = setTimeout(function () { offline.hidden = false; }, OFFLINE_AFTER); }
  }

  function online() {
    clearTimeout(offlineTimer);
    offlineTimer = null;
    if (offline) { offline.hidden = true; }
  }

  /* -- keeping what one holds: browsers slow down the timers of hidden pages, but not events ----------- */

  var main = document.querySelector("[data-presence]"), lastSign = 0;
  var every = main ? Number(main.dataset.renewEvery) * 1000 : 0;

  /* Any page of the desk says that its peer worker is there: to read, rest or look something up drops nobody. */
  function signOfLife() {
    var held = root && root.dataset.renew;
    if (!main || Date.now() - lastSign < every / 2) { return; }
    lastSign = Date.now();
    post(held || main.dataset.presence, { form_token: token() }).then(function (answer) {
      online();
      sessionLasts(answer.headers.get("desk-session"));
      if (!answer.ok && held) { refresh(); }
    }, lost);
  }

  function token() { return document.querySelector("input[name=form_token]").value; }

  function post(url, fields) {
    return fetch(url, { method: "POST", body: new URLSearchParams(fields), credentials: "same-origin", cache: "no-store" });
  }

  /* -- the end of the session: said before it comes ------------------------------------------------------ */

  var session = document.querySelector("[data-session]"), ends = {};

  function sessionLasts(seconds) {
    if (!session || !seconds) { return; }
    var left = seconds.split(",");
    ends = { over: Date.now() + left[0] * 1000, idle: Date.now() + left[1] * 1000 };
    warn();
  }

  function warn() {
    var before = Number(session.dataset.warned) * 1000;
    session.querySelectorAll("[data-ending]").forEach(function (part) {
      var other = part.dataset.ending === "idle" && ends.over <= ends.idle;
      part.hidden = other || ends[part.dataset.ending] - Date.now() > before;
    });
  }

  if (session) {
    setInterval(function () { if (ends.over) { warn(); } }, LOOK_EVERY);
    session.querySelector("[data-stays]").addEventListener("click", function () {
      post(session.dataset.stay, { form_token: token() }).then(function (answer) {
        sessionLasts(answer.headers.get("desk-session"));
      }, lost);
    });
  }

  /* -- writing ---------------------------------------------------------------------------------------- */

  var form = document.querySelector("[data-reply]");
  var unsent = document.querySelector("[data-unsent]");

  function sayUnsent(words) {
    unsent.textContent = words;
    unsent.hidden = !words;
  }

  function send(event) {
    if (event.submitter && event.submitter.hasAttribute("formaction")) { return; }
    event.preventDefault();
    var text = box.value, button = form.querySelector("[data-send]"), read = form.querySelector("input[name=read]");
    if (!text.trim() || button.disabled) { box.focus(); return; }
    button.disabled = true;
    post(form.action, { form_token: token(), text: text, read: read ? read.value : "" }).then(function (answer) {
      if (answer.ok) {
        sayUnsent("");
        if (box.value === text) { box.value = ""; }
        document.dispatchEvent(new CustomEvent("desk-sent"));
        count();
        refresh();
        return null;
      }
      return answer.text().then(function (html) {
        var said = new DOMParser().parseFromString(html, "text/html").querySelector("[role=alert]");
        sayUnsent(said && said.textContent ? said.textContent : "Not sent. What you wrote is still in the box.");
        refresh();
      });
    }).catch(function () {
      sayUnsent("Not sent: no connection. What you wrote is still in the box.");
    }).then(function () { button.disabled = false; });
  }

  if (form) {
    form.addEventListener("submit", send);
    box.addEventListener("keydown", function (event) {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) { send(event); }
    });
    box.addEventListener("input", count);
    box.addEventListener("input", showTyping);
    count();
  }

  /* They see that somebody is typing. Now and then is enough, and nothing comes of it when it is lost. */
  var lastTyping = 0;

  function showTyping() {
    if (!box.dataset.typing || !draft() || Date.now() - lastTyping < TYPING_EVERY) { return; }
    lastTyping = Date.now();
    post(box.dataset.typing, { form_token: token() }).catch(function () {});
  }

  /* Taking somebody again brings along what was written meanwhile. */
  document.addEventListener("submit", function (event) {
    var carry = event.target.querySelector("[data-carry]");
    if (carry && box) { carry.value = box.value; leaving = true; }
    /* What the form changes must not make this page load itself again before the answer is here. */
    if (!event.defaultPrevented) {
      going = true;
      setTimeout(function () { going = false; }, GOING);
    }
  });

  window.addEventListener("beforeunload", function (event) {
    if (draft() && !leaving && !document.body.dataset.leaving) { event.preventDefault(); }
  });

  /* -- how many text messages it takes, counted as the networks do -------------------------------------- */

  function count() {
    var shown = document.querySelector("[data-segments]");
    if (!shown || !box.dataset.letters) { return; }
    var number = segments(box.value.trim(), JSON.parse(box.dataset.letters));
    shown.textContent = number > 1 ? "About " + number + " text messages." : "";
  }

  /* A text to be kept for later is counted with long values in the place of its variables. */
  document.querySelectorAll("textarea[data-count]").forEach(function (area) {
    var shown = document.getElementById(area.dataset.count);
    var letters = JSON.parse(area.dataset.letters), samples = JSON.parse(area.dataset.samples);
    function tell() {
      var text = area.value.trim().replace(/\{(\w+)\}/g, function (whole, name) { return samples[name] || whole; });
      var number = segments(text, letters);
      shown.textContent = number ? number + (number === 1 ? " text message." : " text messages.") : "";
    }
    area.addEventListener("input", tell);
    tell();
  });

  function segments(text, letters) {
    var plain = Array.from(text.normalize("NFC")).map(function (letter) { return plainLetter(letter, letters); }).join("");
    var all = Array.from(plain);
    var gsm = all.every(function (letter) { return letters.basic.includes(letter) || letters.extension.includes(letter); });
    var size = all.reduce(function (sum, letter) {
      return sum + (gsm ? (letters.extension.includes(letter) ? 2 : 1) : letter.length);
    }, 0);
    var single = gsm ? 160 : 70, part = gsm ? 153 : 67;
    return size <= single ? (size ? 1 : 0) : Math.ceil(size / part);
  }

  function plainLetter(letter, letters) {
    if (letters.basic.includes(letter) || letters.extension.includes(letter) || letters.kept.includes(letter)) { return letter; }
    if (letter in letters.plain) { return letters.plain[letter]; }
    var base = letter.normalize("NFKD")[0];
    return /^[A-Za-z0-9]$/.test(base) ? base : letter;
  }

  if (root && root.dataset.part) {
    listen();
    setInterval(refresh, LOOK_EVERY);
  }
  if (main) {
    signOfLife();
    setInterval(signOfLife, every);
  }
})();
