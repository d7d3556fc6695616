const axios = require("axios");
const fetch = require("node-fetch");
const http = require("http");
const express = require("express");
const app = express();
const HOSTS = new Set(["a.example.com", "b.example.com"]);
const BASE = process.env.BASE_URL;

app.get("/proxy", async (req, res) => {
  const url = req.query.url;
  await fetch(url); // bad: ssrf
  await axios.get(url); // bad: ssrf
  await axios({ method: "get", url }); // bad: ssrf
  await axios({ method: "post", url: "https://api.example.com/", data: url });
  http.get(url, () => {}); // bad: ssrf
  http.request({ host: req.query.host, path: "/" }); // bad: ssrf
  http.request({ host: "example.com", path: "/" + url });
  http.get("/status", { host: req.query.host }); // bad: ssrf
  http.get("https://example.com/", { headers: { "X-Url": url } });
  await fetch("https://" + req.query.host + "/status"); // bad: ssrf
  await fetch("https://api.example.com/users/" + url);
  await fetch(`https://api.example.com/users/${url}`);
  await fetch(`${BASE}/users/${url}`);
  await fetch("https://api.example.com/search", { method: "POST", body: JSON.stringify(req.body) });
});

app.get("/checked", async (req, res) => {
  const target = new URL(req.query.url);
  if (!HOSTS.has(target.hostname)) {
    return res.status(400).end();
  }
  await fetch(target);
  await fetch(req.query.url);
});

app.get("/unchecked", async (req, res) => {
  const target = new URL(req.query.url);
  if (!target.protocol.startsWith("http")) {
    return res.status(400).end();
  }
  await fetch(target); // bad: ssrf
});

app.get("/begins", async (req, res) => {
  if (req.query.url.startsWith("https://example.com/")) {
    await fetch(req.query.url);
    return res.redirect(req.query.url);
  }
  if (req.query.url.startsWith("https://")) {
    await fetch(req.query.url); // bad: ssrf
  }
});

app.get("/go", (req, res) => {
  res.redirect(req.query.next); // bad: redirect
  res.redirect(301, req.query.next); // bad: redirect
  res.redirect("/users/" + req.query.next);
  res.redirect(`/login?next=${encodeURIComponent(req.query.next)}`);
  res.redirect("https://example.com/" + req.query.next);
  res.redirect("https://example.com" + req.query.next); // bad: redirect
  res.redirect("/" + req.query.next); // bad: redirect
  res.setHeader("Location", req.query.next); // bad: redirect, header
  res.writeHead(302, { Location: req.query.next }); // bad: redirect
});

app.get("/local", (req, res) => {
  const next = req.query.next;
  if (next.startsWith("/") && !next.startsWith("//")) {
    return res.redirect(next);
  }
  const pages = { home: "/", about: "/about" };
  res.redirect(pages[next] || "/");
  if (next === "/home" || next === "/about") {
    res.redirect(next);
  }
});
