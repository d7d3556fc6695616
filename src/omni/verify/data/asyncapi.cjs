// What AsyncAPI's own parser says of documents, as JSON: one list a document. Run by checks/asyncapi_parser.py, in the
// sandbox:
//   node -e "$(cat asyncapi.cjs)" FOLDER_OF_THE_PARSER DOCUMENT…
const [folder, ...documents] = process.argv.slice(1);
const { Parser } = require(folder);
const fs = require("fs");

(async () => {
  const parser = new Parser();
  const said = [];
  for (const source of documents) {
    said.push(await parser.validate(fs.readFileSync(source, "utf8"), { source }));
  }
  process.stdout.write(JSON.stringify(said));
})();
