const db = require("./db");

exports.find = async function find(name) {
  return db.run("SELECT * FROM users WHERE name = '" + name + "'");
};
