const express = require("express");
const mongoose = require("mongoose");
const { MongoClient, ObjectId } = require("mongodb");
const User = mongoose.model("User", new mongoose.Schema({ name: String }));
const app = express();

app.post("/login", async (req, res) => {
  const { name, password } = req.body;
  await User.findOne({ name, password }); // bad: nosql
  await User.findOne({ name: String(name), password: `${password}` });
  await User.findOne({ name: { $eq: name } });
  await User.findOne({ name: name.toString() });
  await User.find(req.body); // bad: nosql
  await User.findById(req.params.id);
  await User.findOne({ _id: new ObjectId(req.body.id) });
  await User.deleteMany({ name: req.query.name }); // bad: nosql
  await User.findOne({ name: req.params.name });
  if (typeof name !== "string") {
    return res.status(400).end();
  }
  await User.findOne({ name });
});

app.post("/where", async (req, res) => {
  const db = (await MongoClient.connect("mongodb://localhost")).db("shop");
  const users = db.collection("users");
  const found = await users.findOne({ name: req.body.name }); // bad: nosql
  await users.updateOne({ name: req.body.name }, { $set: { seen: true } }); // bad: nosql
  await users.find({ $where: "this.name == '" + req.body.name + "'" }).toArray(); // bad: code
  await users.insertOne({ name: req.body.name });
  res.json(found);
});

app.get("/sql", async (req, res) => {
  await Account.findOne({ where: { name: req.query.name } });
  const first = [1, 2].find((each) => each === req.query.id);
  res.json(first);
});
