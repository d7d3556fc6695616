import { exec as run } from "child_process";

const ALLOWED = ["a", "b"];
const known = (name) => ALLOWED.includes(name);

export function named(req, res) {
  if (known(req.query.name)) {
    run("tool " + req.query.name);
  }
  run("tool " + req.query.name); // bad: command
}
