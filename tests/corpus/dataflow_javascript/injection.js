const express = require("express");
const mysql = require("mysql");
const { Pool, Client } = require("pg");
const sqlite3 = require("sqlite3").verbose();
const knex = require("knex")({ client: "pg" });
const { Sequelize, QueryTypes } = require("sequelize");
const { PrismaClient, Prisma } = require("@prisma/client");

const app = express();
const connection = mysql.createConnection({});
const pool = new Pool();
const lite = new sqlite3.Database(":memory:");
const sequelize = new Sequelize("sqlite::memory:");
const prisma = new PrismaClient();

app.get("/mysql", (req, res) => {
  const id = req.query.id;
  connection.query("SELECT * FROM users WHERE id = " + id, () => {}); // bad: sql
  connection.query(`SELECT * FROM users WHERE id = ${id}`); // bad: sql
  connection.query({ sql: "SELECT * FROM users WHERE id = " + id }); // bad: sql
  connection.query("SELECT * FROM users WHERE id = ?", [id]);
  connection.query({ sql: "SELECT * FROM users WHERE id = ?", values: [id] });
  connection.query("SELECT * FROM users WHERE id = " + mysql.escape(id));
  connection.query("SELECT * FROM users WHERE id = " + connection.escape(id));
  connection.query("SELECT * FROM users WHERE id = " + Number(id));
  connection.query("SELECT * FROM users WHERE id = " + parseInt(id, 10));
  res.json({});
});

app.post("/pg", async (req, res) => {
  const { name, sort = "name" } = req.body;
  await pool.query(`SELECT * FROM users WHERE name = '${name}'`); // bad: sql
  await pool.query({ text: "SELECT * FROM users WHERE name = " + name }); // bad: sql
  await pool.query("SELECT * FROM users WHERE name = $1", [name]);
  await pool.query({ text: "SELECT * FROM users WHERE name = $1", values: [name] });
  const column = ["name", "age"].includes(sort) ? sort : "name";
  await pool.query(`SELECT * FROM users ORDER BY ${column}`);
  await pool.query(`SELECT * FROM users ORDER BY ${sort}`); // bad: sql
  const client = await pool.connect();
  const { rows } = await client.query("DELETE FROM users WHERE name = '" + name + "'"); // bad: sql
  res.json(rows);
});

app.get("/sqlite/:id", (req, res) => {
  lite.all("SELECT * FROM a WHERE id = " + req.params.id, (err, rows) => res.json(rows)); // bad: sql
  lite.get("SELECT * FROM a WHERE id = ?", req.params.id, (err, row) => res.json(row));
  lite.serialize(() => {
    lite.run("DELETE FROM a WHERE id = '" + req.params.id + "'"); // bad: sql
  });
});

app.get("/builders", async (req, res) => {
  const name = req.query.name;
  await knex.raw("select * from users where name = '" + name + "'"); // bad: sql
  await knex.raw("select * from users where name = ?", [name]);
  await knex("users").where("name", name).select("*");
  await knex("users").whereRaw("name = '" + name + "'");
  await sequelize.query("SELECT * FROM users WHERE name = '" + name + "'"); // bad: sql
  await sequelize.query("SELECT * FROM users WHERE name = :name", { replacements: { name }, type: QueryTypes.SELECT });
  await prisma.$queryRawUnsafe("SELECT * FROM users WHERE name = '" + name + "'"); // bad: sql
  await prisma.$queryRawUnsafe("SELECT * FROM users WHERE name = $1", name);
  await prisma.$queryRaw`SELECT * FROM users WHERE name = ${name}`;
  await prisma.$queryRaw(Prisma.sql`SELECT * FROM users WHERE name = ${name}`);
  res.json({});
});

app.get("/built", (req, res) => {
  let sql = "SELECT * FROM users";
  const parts = [];
  const values = [];
  if (req.query.name) {
    parts.push("name = ?");
    values.push(req.query.name);
  }
  if (req.query.order) {
    sql += " ORDER BY " + req.query.order;
  }
  connection.query(sql); // bad: sql
  connection.query("SELECT * FROM users WHERE " + parts.join(" AND "), values);
  const ids = req.query.ids.split(",");
  connection.query("SELECT * FROM users WHERE id IN (" + ids.join(",") + ")"); // bad: sql
  connection.query("SELECT * FROM users WHERE id IN (" + ids.map(() => "?").join(",") + ")", ids);
  connection.query("SELECT * FROM users WHERE id IN (" + ids.map(Number).join(",") + ")");
  connection.query("SELECT * FROM users WHERE id IN (" + ids.map((each) => parseInt(each)).join(",") + ")");
});

app.post("/code", (req, res) => {
  eval(req.body.code); // bad: code
  eval("1 + 1");
  new Function("a", req.body.code)(1); // bad: code
  setTimeout(req.body.code, 100); // bad: code
  setTimeout(() => res.end(), Number(req.body.wait));
  require("vm").runInNewContext(req.body.code); // bad: code
  const parsed = JSON.parse(req.body.code);
  res.json(parsed);
});

app.post("/templates", (req, res) => {
  const ejs = require("ejs");
  const handlebars = require("handlebars");
  res.json(ejs.render(req.body.page, {})); // bad: template
  res.json(ejs.render("<%= name %>", { name: req.body.name }));
  handlebars.compile(req.body.page)({}); // bad: template
  handlebars.compile("{{name}}")({ name: req.body.name });
});

app.post("/loading", (req, res) => {
  require("node-serialize").unserialize(req.body.data); // bad: deserialization
  const yaml = require("js-yaml");
  yaml.unsafeLoad(req.body.data); // bad: deserialization
  yaml.load(req.body.data);
  const libxmljs = require("libxmljs");
  libxmljs.parseXml(req.body.xml, { noent: true }); // bad: xxe
  libxmljs.parseXml(req.body.xml, { noent: false });
  libxmljs.parseXml(req.body.xml);
  res.json({});
});
