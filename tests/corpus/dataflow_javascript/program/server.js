const express = require("express");
const users = require("./lib/users");
const { clean, Store } = require("./lib/tools");
const handlers = require("./lib/handlers");
const routes = require("./lib/routes");

const app = express();
const store = new Store("/srv");

app.get("/users", async (req, res) => {
  res.json(await users.find(req.query.name));
});
app.get("/clean", async (req, res) => {
  res.json(await users.find(clean(req.query.name)));
});
app.get("/store", (req, res) => {
  store.remember(req.query.name);
  res.send(store.read());
});
app.get("/named", handlers.named);
routes(app, store);
module.exports = app;
