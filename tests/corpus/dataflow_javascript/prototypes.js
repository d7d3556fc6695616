const express = require("express");
const _ = require("lodash");
const app = express();
const settings = {};

app.post("/settings", (req, res) => {
  settings[req.body.group][req.body.key] = req.body.value; // bad: prototype
  settings[req.body.group] = req.body.value;
  settings.fixed[req.body.key] = req.body.value;
  const group = settings[req.body.group];
  group[req.body.key] = req.body.value; // bad: prototype
  _.merge(settings, req.body); // bad: prototype
  _.merge({}, { a: 1 });
  _.set(settings, req.body.path, 1); // bad: prototype
  Object.assign(settings, req.body);
  const bare = Object.create(null);
  bare[req.body.group][req.body.key] = 1;
  res.json({});
});

app.post("/refused", (req, res) => {
  const { group, key, value } = req.body;
  if (group === "__proto__" || group === "constructor") {
    return res.status(400).end();
  }
  settings[group][key] = value;
});

function merge(target, source) {
  for (const key in source) {
    if (typeof source[key] === "object") {
      merge(target[key], source[key]);
    } else {
      target[key] = source[key]; // bad: prototype
    }
  }
  return target;
}

function careful(target, source) {
  for (const key of Object.keys(source)) {
    if (key === "__proto__" || key === "constructor") continue;
    if (typeof source[key] === "object") {
      careful(target[key], source[key]);
    } else {
      target[key] = source[key];
    }
  }
  return target;
}

app.post("/merged", (req, res) => {
  merge({}, JSON.parse(req.body.text));
  careful({}, JSON.parse(req.body.text));
});

app.get("/search", (req, res) => {
  new RegExp(req.query.pattern); // bad: regex
  new RegExp(_.escapeRegExp(req.query.pattern));
  new RegExp("^a+$").test(req.query.pattern);
});
