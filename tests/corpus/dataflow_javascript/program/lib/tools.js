const fs = require("fs");
const path = require("path");

class Base {
  constructor(root) {
    this.root = root;
  }
}

class Store extends Base {
  remember(name) {
    this.name = name;
  }
  read() {
    return fs.readFileSync(path.join(this.root, this.name)); // bad: path
  }
}

module.exports = { Store, clean: (text) => text.replace(/[^a-z]/g, "") };
