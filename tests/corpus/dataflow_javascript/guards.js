const { exec } = require("child_process");
const validator = require("validator");
const app = require("express")();
const ALLOWED = ["a", "b"];
const COMMANDS = { a: "ls", b: "pwd" };

app.get("/types", (req, res) => {
  const value = req.query.value;
  if (typeof value === "number") exec("x " + value);
  if (typeof value === "string") exec("x " + value); // bad: command
  if (!isNaN(value)) exec("x " + value);
  if (Number.isInteger(value)) exec("x " + value);
  if (validator.isInt(value)) exec("x " + value);
  if (validator.isEmail(value)) exec("x " + value); // bad: command
  if (validator.isUUID(value) && value.length > 3) exec("x " + value);
  if (validator.isUUID(value) || value.length > 3) exec("x " + value); // bad: command
});

app.get("/lists", (req, res) => {
  const value = req.query.value;
  if (ALLOWED.includes(value)) exec("x " + value);
  if (ALLOWED.indexOf(value) !== -1) exec("x " + value);
  if (ALLOWED.indexOf(value) >= 0) exec("x " + value);
  if (ALLOWED.indexOf(value) === -1) exec("x " + value); // bad: command
  if (!ALLOWED.includes(value)) exec("x " + value); // bad: command
  if (value in COMMANDS) exec("x " + value);
  if (COMMANDS.hasOwnProperty(value)) exec("x " + value);
  if (COMMANDS[value]) exec("x " + value);
  if (ALLOWED.some((each) => each === value)) exec("x " + value);
  const allowed = ALLOWED.includes(value);
  if (!allowed) {
    throw new Error("no");
  }
  exec("x " + value);
});

app.get("/patterns", (req, res) => {
  const value = req.query.value;
  if (/^[a-z0-9]+$/i.test(value)) exec("x " + value);
  if (/^.*$/.test(value)) exec("x " + value); // bad: command
  if (/[a-z]+/.test(value)) exec("x " + value); // bad: command
  if (value.match(/^\w+$/)) exec("x " + value);
  if (/[^a-z]/.test(value)) return res.end();
  exec("x " + value);
});

app.get("/loops", (req, res) => {
  for (const each of req.query.values) {
    if (!ALLOWED.includes(each)) continue;
    exec("x " + each);
  }
  for (const each of req.query.values) {
    if (each === "stop") break;
    exec("x " + each); // bad: command
  }
});

app.get("/members", (req, res) => {
  if (!ALLOWED.includes(req.query.a)) {
    return res.status(400).end();
  }
  exec("x " + req.query.a);
  exec("x " + req.query.b); // bad: command
  const given = { a: req.query.c };
  if (given.a !== "x") return;
  exec("x " + given.a);
});
