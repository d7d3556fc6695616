const fs = require("fs");
const fsp = require("fs/promises");
const path = require("path");
const sanitize = require("sanitize-filename");
const express = require("express");
const app = express();
const ROOT = path.join(__dirname, "public");

app.get("/file", (req, res) => {
  const name = req.query.name;
  fs.readFile(name, () => {}); // bad: path
  fs.readFileSync(path.join(ROOT, name)); // bad: path
  fs.readFileSync(ROOT + "/" + name); // bad: path
  fs.readFileSync(path.join(ROOT, path.basename(name)));
  fs.readFileSync(path.join(ROOT, sanitize(name)));
  res.sendFile(name); // bad: path
  res.sendFile(path.join(ROOT, name)); // bad: path
  res.sendFile(name, { root: ROOT });
  res.sendFile("/srv/" + name);
  fs.readFileSync(ROOT + path.normalize(name).replace(/^(\.\.(\/|\\|$))+/, ""));
  fs.readFileSync(ROOT + name.replace(/^(\.\.(\/|\\|$))+/, "")); // bad: path
  fs.readFileSync(ROOT + name.replace(/[./]/g, ""));
  res.download("/srv/" + name); // bad: path
  fs.createReadStream(`${ROOT}/${Number(name)}.txt`);
});

app.get("/resolved", async (req, res) => {
  const full = path.resolve(ROOT, req.query.name);
  await fsp.readFile(full); // bad: path
  if (!full.startsWith(ROOT + path.sep)) {
    return res.status(403).end();
  }
  await fsp.readFile(full);
});

app.get("/unresolved", async (req, res) => {
  const full = ROOT + "/" + req.query.name;
  if (!full.startsWith(ROOT)) {
    return res.status(403).end();
  }
  await fsp.readFile(full); // bad: path
});

app.get("/dots", (req, res) => {
  if (req.query.name.includes("..")) return res.status(400).end();
  fs.readFileSync(path.join(ROOT, req.query.name));
});

app.get("/index", (req, res) => {
  const full = path.normalize(ROOT + "/" + req.query.name);
  if (full.indexOf(ROOT) !== 0) {
    res.status(403).end();
    return;
  }
  fs.readFileSync(full);
});

app.get("/clean", (req, res) => {
  const clean = req.query.name.replace(/[^a-z0-9_-]/gi, "");
  fs.readFileSync(path.join(ROOT, clean));
  const once = req.query.name.replace(/[^a-z0-9_-]/i, "");
  fs.readFileSync(path.join(ROOT, once)); // bad: path
});

app.get("/listed", (req, res) => {
  const files = fs.readdirSync(ROOT);
  if (files.includes(req.query.name)) {
    fs.readFileSync(path.join(ROOT, req.query.name));
  }
  const found = files.find((each) => each === req.query.name);
  fs.readFileSync(path.join(ROOT, found));
});

app.post("/upload", (req, res) => {
  const upload = req.files.image;
  upload.mv("/srv/uploads/" + upload.name); // bad: path
  fs.writeFileSync("/srv/log.txt", upload.data);
  fs.rename("/tmp/a", "/srv/" + req.body.to, () => {}); // bad: path
});

const config = fs.readFileSync(process.env.CONFIG || "config.json");

const tools = require("some-tools");
const { z } = require("zod");
const Asked = z.object({ file: z.object({ name: z.string(), number: z.number() }) });

app.get("/named", (req, res) => {
  fs.readFileSync(ROOT + "/" + tools.sanitize(req.query.name));
  fs.readFileSync(ROOT + "/" + tools.escapeHtml(req.query.name)); // bad: path
});

app.post("/schema", (req, res) => {
  const asked = Asked.parse(req.body);
  fs.readFileSync(ROOT + "/" + asked.file.name); // bad: path
  fs.readFileSync(`${ROOT}/${asked.file.number}.txt`);
});
