const crypto = require("crypto");
const express = require("express");
const app = express();

const digest = crypto.createHash("md5").update("a").digest("hex"); // bad: weak-hash
const fine = crypto.createHash("sha256").update("a").digest("hex");
const name = "sha1";
const other = crypto.createHash(name); // bad: weak-hash
crypto.createCipheriv("des-ede3-cbc", Buffer.alloc(24), Buffer.alloc(8)); // bad: weak-cipher
crypto.createCipheriv("aes-256-gcm", Buffer.alloc(32), Buffer.alloc(12));
crypto.createCipher("aes-256-cbc", "password"); // bad: weak-cipher
const token = Math.random().toString(36).slice(2); // bad: weak-randomness
const good = crypto.randomBytes(16).toString("hex");
const index = Math.floor(Math.random() * 10);
const session = { sessionToken: "s" + Math.random() }; // bad: weak-randomness

app.get("/", (req, res) => {
  res.cookie("id", "1"); // bad: insecure-cookie
  res.cookie("id", "1", { httpOnly: true }); // bad: insecure-cookie
  res.cookie("id", "1", { httpOnly: true, secure: true });
  res.cookie("id", "1", { httpOnly: false, secure: true }); // bad: insecure-cookie
  const options = { httpOnly: true, secure: process.env.NODE_ENV === "production" };
  res.cookie("id", "1", options);
  res.cookie("id", "1", config.cookie);
  console.log("asked for " + req.query.name); // bad: log
  console.log("asked for " + req.query.name.replace(/[\r\n]/g, ""));
  console.log("asked for %s", JSON.stringify(req.query.name));
  console.log("asked");
  res.setHeader("X-Name", req.query.name); // bad: header
  res.setHeader("X-Name", "fixed");
});
