const express = require("express");
const escapeHtml = require("escape-html");
const he = require("he");
const validator = require("validator");
const http = require("http");
const app = express();

app.get("/hello", (req, res) => {
  const name = req.query.name;
  res.send("<h1>Hello " + name + "</h1>"); // bad: xss
  res.send(`<h1>Hello ${name}</h1>`); // bad: xss
  res.write("<p>" + name); // bad: xss
  res.end(name); // bad: xss
  res.status(404).send("No " + req.params.name); // bad: xss
  res.send("<h1>Hello " + escapeHtml(name) + "</h1>");
  res.send("<h1>Hello " + he.encode(name) + "</h1>");
  res.send("<h1>Hello " + validator.escape(name) + "</h1>");
  res.send("<h1>Hello " + encodeURIComponent(name) + "</h1>");
  res.send({ name });
  res.json({ name });
  res.render("hello", { name });
  res.send("<h1>" + name.length + "</h1>");
  res.send("<h1>" + (name === "a") + "</h1>");
  res.send("<h1>" + name.replace(/</g, "&lt;") + "</h1>");
  res.send("<h1>" + name.replace("<", "&lt;") + "</h1>"); // bad: xss
});

app.get("/plain", (req, res) => {
  res.type("text/plain");
  res.send(req.query.name);
});

app.get("/said", (req, res) => {
  res.setHeader("Content-Type", "application/json");
  res.end(JSON.stringify({ name: req.query.name }));
});

app.get("/unsaid", (req, res) => {
  res.setHeader("Content-Type", "text/html");
  res.end(JSON.stringify({ name: req.query.name })); // bad: xss
});

app.use((err, req, res, next) => {
  res.status(500).send("Failed: " + req.originalUrl); // bad: xss
});

http.createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  response.end("<p>" + url.searchParams.get("name")); // bad: xss
  request.on("data", (chunk) => {
    response.write(chunk); // bad: xss
  });
});

http.createServer(function (request, response) {
  response.writeHead(200, { "Content-Type": "text/plain" });
  response.end(request.url);
});

function page(title, body) {
  return "<title>" + escape(title) + "</title>" + body;
}

app.get("/made", (req, res) => {
  res.send(page(req.query.title, "nothing"));
  res.send(page("title", req.query.body)); // bad: xss
});
