/* Passkeys: asks the browser, and puts what it answers into a form that is posted as any other. */
(function () {
  "use strict";
  if (!window.PublicKeyCredential || !PublicKeyCredential.parseCreationOptionsFromJSON) { return; }

  function options(url, form) {
    return fetch(url, { method: "POST", body: new URLSearchParams(new FormData(form)), credentials: "same-origin" })
      .then(function (answer) { return answer.json(); })
      .then(function (said) {
        if (said.refused) { throw new Error(said.refused); }
        return JSON.parse(said.options);
      });
  }

  function wire(form, url, ask) {
    var problem = form.querySelector("[data-problem]");
    form.hidden = false;
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      problem.textContent = "";
      options(url, form).then(ask).then(function (credential) {
        form.elements.credential.value = JSON.stringify(credential.toJSON());
        form.submit();
      }).catch(function (why) {
        problem.textContent = why.name === "Error" ? why.message : form.dataset.failed || "That did not work. Try again.";
      });
    });
  }

  document.querySelectorAll("[data-make-passkey]").forEach(function (form) {
    wire(form, form.dataset.makePasskey, function (asked) {
      return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) });
    });
  });
  document.querySelectorAll("[data-use-passkey]").forEach(function (form) {
    wire(form, form.dataset.usePasskey, function (asked) {
      return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
    });
  });
})();
