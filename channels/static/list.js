/* "My list": saves and takes off without leaving the page. Without this script each press is a plain form. */
(function () {
  "use strict";

  var said = document.querySelector("[data-said]");
  var print = document.querySelector("[data-print]");

  function swap(form, html) {
    var part = new DOMParser().parseFromString(html, "text/html").querySelector("[data-fragment]");
    if (!part) { throw new Error("no answer"); }
    var fresh = document.importNode(part.querySelector("form"), true);
    var standing = form.contains(document.activeElement);
    form.parentNode.replaceChild(fresh, form);
    if (standing) { fresh.querySelector("button").focus({ preventScroll: true }); }
    var link = document.querySelector("[data-part='list']");
    if (link) { link.textContent = part.querySelector("[data-part='list']").textContent; }
    if (said) { said.textContent = part.dataset.said; }
  }

  if (window.fetch && window.DOMParser && window.URLSearchParams) {
    document.addEventListener("submit", function (event) {
      var form = event.target;
      if (!form.hasAttribute("data-keep")) { return; }
      event.preventDefault();
      fetch(form.action, {
        method: "POST", body: new URLSearchParams(new FormData(form)), credentials: "same-origin",
        headers: { Accept: "application/json" }
      }).then(function (answer) {
        if (!answer.ok) { throw new Error("status " + answer.status); }
        return answer.text();
      }).then(function (html) { swap(form, html); }).catch(function () { form.submit(); });
    });
  }

  if (print && window.print) {
    print.hidden = false;
    document.querySelectorAll("[data-plain]").forEach(function (part) { part.hidden = true; });
    print.addEventListener("click", function () { window.print(); });
  }
})();
