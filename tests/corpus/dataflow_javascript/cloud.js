const { exec } = require("child_process");
const fs = require("fs");

exports.handler = async (event, context) => {
  const name = event.queryStringParameters.name;
  exec("convert " + name); // bad: command
  const body = JSON.parse(event.body);
  fs.writeFileSync("/tmp/" + body.file, body.text); // bad: path
  fs.writeFileSync("/tmp/" + context.awsRequestId, body.text);
  return { statusCode: 200, body: JSON.stringify({ name }) };
};
