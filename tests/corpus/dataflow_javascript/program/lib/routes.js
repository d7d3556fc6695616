module.exports = function (app, store) {
  app.get("/late", (req, res) => {
    const { exec } = require("child_process");
    exec(req.query.command); // bad: command
  });
};
