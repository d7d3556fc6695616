import DOMPurify from "dompurify";

const query = new URLSearchParams(window.location.search);
const name = query.get("name");
const box = document.getElementById("box");
box.innerHTML = name; // bad: xss
box.outerHTML = "<b>" + location.hash.slice(1) + "</b>"; // bad: xss
box.textContent = name;
box.innerHTML = DOMPurify.sanitize(name);
box.innerHTML = "<b>fixed</b>";
document.write(document.referrer); // bad: xss
document.write("<script src='a.js'></script>");
box.insertAdjacentHTML("beforeend", decodeURIComponent(location.hash)); // bad: xss
box.setAttribute("title", name);
box.setAttribute("onclick", name); // bad: xss
eval(location.hash.substring(1)); // bad: code
$("#box").html(name); // bad: xss
$("#box").text(name);
setTimeout("go('" + name + "')", 10); // bad: code
window.location.href = query.get("next"); // bad: redirect
location.assign("/search?q=" + name);
location.replace(document.referrer); // bad: redirect
location = query.get("next"); // bad: redirect

window.addEventListener("message", (event) => {
  box.innerHTML = event.data; // bad: xss
});

window.addEventListener("message", (event) => {
  if (event.origin !== "https://example.com") {
    return;
  }
  box.innerHTML = event.data;
});

window.addEventListener("click", (event) => {
  box.innerHTML = event.data;
});

const element = document.createElement("div");
element.appendChild(document.createTextNode(name));
