const mysql = require("mysql2/promise");
const pool = mysql.createPool({});

module.exports = {
  run: (sql, values) => pool.query(sql, values), // bad: sql
};
