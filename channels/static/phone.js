/* Counts the letters and segments of a text while it is being written, as the networks count them. */
(function () {
  "use strict";

  var box = document.querySelector("textarea[data-count]");
  var counter = document.querySelector("[data-counter]");
  if (!box || !counter) { return; }
  var basic = "@\u00a3$\u00a5\u00e8\u00e9\u00f9\u00ec\u00f2\u00c7\n\u00d8\u00f8\r\u00c5\u00e5\u0394_\u03a6\u0393\u039b\u03a9\u03a0\u03a8\u03a3\u0398\u039e" +
    "\u00c6\u00e6\u00df\u00c9 !\"#\u00a4%&'()*+,-./0123456789:;<=>?\u00a1ABCDEFGHIJKLMNOPQRSTUVWXYZ\u00c4\u00d6\u00d1\u00dc\u00a7" +
    "\u00bfabcdefghijklmnopqrstuvwxyz\u00e4\u00f6\u00f1\u00fc\u00e0";
  var extended = "\f^{}\\[~]|\u20ac";
  var first = counter.textContent;

  function segments(text) {
    var letters = Array.from(text);
    var plain = letters.every(function (letter) { return basic.indexOf(letter) >= 0 || extended.indexOf(letter) >= 0; });
    var sizes = letters.map(function (letter) {
      return plain ? (extended.indexOf(letter) >= 0 ? 2 : 1) : letter.length;
    });
    var single = plain ? 160 : 70, part = plain ? 153 : 67, count = 1, used = 0;
    if (sizes.reduce(function (sum, size) { return sum + size; }, 0) <= single) { return 1; }
    sizes.forEach(function (size) {
      if (used + size > part) { count += 1; used = 0; }
      used += size;
    });
    return count;
  }

  box.addEventListener("input", function () {
    var count = segments(box.value);
    counter.textContent = box.value
      ? Array.from(box.value).length + " characters, " + count + (count === 1 ? " segment" : " segments")
      : first;
  });
})();
