const { exec } = require("child_process");
const app = require("express")();

app.get("/taken-apart", (req, res) => {
  const { a, b: { c } = {}, ...rest } = req.query;
  exec(a); // bad: command
  exec(c); // bad: command
  exec(rest.d); // bad: command
  const [first, , third = "x"] = req.query.list;
  exec(first); // bad: command
  exec(third); // bad: command
  const pair = [req.query.a, "fixed"];
  const [one, two] = pair;
  exec(one); // bad: command
  exec(two);
  const made = { bad: req.query.a, good: "fixed" };
  exec(made.bad); // bad: command
  exec(made.good);
  const copy = { ...made, more: 1 };
  exec(copy.bad); // bad: command
  exec(copy.good);
  made.bad = "fixed";
  exec(made.bad);
});

app.get("/branches", (req, res) => {
  let command = "ls";
  if (req.query.fast) {
    command = req.query.a;
  }
  exec(command); // bad: command
  command = "ls";
  exec(command);
  let other = req.query.a;
  try {
    other = JSON.parse(other).x;
  } catch (error) {
    other = "ls";
  }
  exec(other); // bad: command
  let third = "";
  for (const each of ["a", "b"]) {
    exec(third); // bad: command
    third += req.query[each];
  }
  while (third.length > 3) {
    third = third.slice(1);
  }
  exec(third); // bad: command
});

app.get("/collections", (req, res) => {
  const list = [];
  list.push("ls");
  exec(list.join(" "));
  list.push(req.query.a);
  exec(list.join(" ")); // bad: command
  const map = new Map();
  map.set("bad", req.query.a);
  map.set("good", "ls");
  exec(map.get("bad")); // bad: command
  exec(map.get("good"));
  const set = new Set();
  set.add(req.query.a);
  set.forEach((each) => exec(each)); // bad: command
  const items = req.query.a.split(",");
  items.map((item) => item.trim()).filter(Boolean).forEach((item) => {
    exec(item); // bad: command
  });
  exec(items.reduce((all, item) => all + item, "")); // bad: command
  Object.entries(req.body).forEach(([key, value]) => exec(value)); // bad: command
  for (const key in req.body) exec(key); // bad: command
  for (const [key, value] of Object.entries({ a: "ls" })) exec(value);
  exec(Object.values({ a: "ls", b: req.query.b })[0]); // bad: command
});

app.get("/later", async (req, res) => {
  const wait = (value) => new Promise((resolve) => setTimeout(() => resolve(value), 1));
  exec(await wait(req.query.a)); // bad: command
  wait(req.query.a).then((value) => value.trim()).then((value) => exec(value)); // bad: command
  const [one, two] = await Promise.all([wait(req.query.a), wait("ls")]);
  exec(one); // bad: command
  exec(two);
  wait("ls").then((value) => exec(value));
});

function Counter(start) {
  this.value = start;
}
Counter.prototype.run = function () {
  exec(this.value); // bad: command
};

class Runner {
  #command = "ls";
  static make(command) {
    return new Runner(command);
  }
  constructor(command, options = {}) {
    this.command = command;
    this.options = options;
  }
  get line() {
    return this.command + " -l";
  }
  run() {
    exec(this.line); // bad: command
    exec(this.#command);
    return this;
  }
}

app.get("/objects", (req, res) => {
  new Counter(req.query.a).run();
  Runner.make(req.query.a).run();
  new Runner("ls").run();
});

app.get("/functions", (req, res) => {
  const prefix = (text, start = req.query.start) => start + text;
  exec(prefix("a")); // bad: command
  exec(prefix("a", "b"));
  const apply = (f, x) => f(x);
  exec(apply((x) => x + "", req.query.a)); // bad: command
  exec(apply((x) => "ls", req.query.a));
  const bound = prefix.bind(null, req.query.a);
  exec(bound("c")); // bad: command
  exec(prefix.call(null, "a", req.query.b)); // bad: command
  (function (given) {
    exec(given); // bad: command
  })(req.query.a);
  const compose = (...all) => all.join(" ");
  exec(compose("ls", req.query.a)); // bad: command
  exec(compose("ls", "-l"));
});

app.use((req, res, next) => {
  req.wanted = req.query.command;
  res.locals.text = "fixed";
  exec(req.wanted); // bad: command
  exec(res.locals.text);
  next();
});
