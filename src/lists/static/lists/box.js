// The message is about what was sent: it goes as soon as something else is typed.
const box = document.querySelector(".box input[name=text]");
const message = document.querySelector(".box .error");

if (box && message) {
  box.addEventListener("input", () => {
    message.remove();
    box.removeAttribute("aria-invalid");
    box.removeAttribute("aria-describedby");
  }, { once: true });
}
