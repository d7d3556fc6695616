import express from "express";
import childProcess, { exec, execFile, spawn, execSync } from "node:child_process";
import { promisify } from "util";
import { quote } from "shell-quote";
import yargs from "yargs";

const run = promisify(exec);
const router = express.Router();

router.get("/ping", async (req, res) => {
  const host = req.query.host;
  exec("ping " + host, (error, stdout) => res.json({ stdout })); // bad: command
  childProcess.exec(`ping ${host}`); // bad: command
  execSync(["ping", host].join(" ")); // bad: command
  await run(`ping -c 1 ${host}`); // bad: command
  exec("ping " + quote([host]));
  execFile("ping", ["-c", "1", host], () => {});
  spawn("ping", [host]);
  spawn("ping", [host], { shell: true }); // bad: command
  spawn("ping", [host], { shell: false });
  spawn("sh", ["-c", "ping " + host]); // bad: command
  spawn("ls", ["-c", host]);
  spawn(host, ["-v"]); // bad: command
  res.json({});
});

router.post("/convert", (req, res) => {
  const formats = { png: "png", jpeg: "jpg" };
  const format = formats[req.body.format];
  exec("convert in.svg out." + format);
  if (["png", "jpeg"].includes(req.body.format)) {
    exec("convert in.svg out." + req.body.format);
  }
  if (!/^[a-z]{3,4}$/.test(req.body.format)) {
    return res.status(400).end();
  }
  exec("convert in.svg out." + req.body.format);
  exec("convert in.svg " + req.body.name); // bad: command
  switch (req.body.size) {
    case "small":
    case "large":
      exec("resize " + req.body.size);
      break;
    default:
      exec("resize " + req.body.size); // bad: command
  }
});

router.get("/first", (req, res) => {
  const command = req.query.fast ? "fast" : "slow";
  exec(command);
  const other = req.query.command || "slow";
  exec(other); // bad: command
  const third = req.query.command ?? "slow";
  exec(third); // bad: command
  let fourth = "slow";
  if (req.query.command === "fast") fourth = req.query.command;
  exec(fourth);
});

exec("tool " + process.argv[2]); // bad: command
execFile("tool", [process.argv[2]]);
exec("tool " + process.pid);

export default router;
