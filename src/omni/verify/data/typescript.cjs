// What the compiler of TypeScript says of a project, as JSON. Run by checks/typescript.py, in the sandbox:
//   node -e "$(cat typescript.cjs)" FOLDER_OF_THE_COMPILER ROOT TSCONFIG… [-- FILE…]
// FILEs are those that no TSCONFIG says anything of; they are looked at with `strict`.
// The compiler stops at the first thing missing when it is asked on the command line, and then says nothing of the code;
// here each file is asked about by itself.
const [folder, root, ...rest] = process.argv.slice(1);
const ts = require(folder);
const path = require("path");

const MOST = 200; // projects
const relative = (name) => path.relative(root, name).split(path.sep).join("/");
const cut = rest.indexOf("--");
const configs = (cut < 0 ? rest : rest.slice(0, cut)).map((name) => path.join(root, name));
const loose = cut < 0 ? [] : rest.slice(cut + 1).map((name) => path.join(root, name));

const parsedFiles = new Map(); // of the library and of packages too, which many projects share

function hostOf(options) {
  const host = ts.createCompilerHost(options, true);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, settings, ...more) => {
    const target = typeof settings === "object" ? [settings.languageVersion, settings.impliedNodeFormat] : [settings];
    const key = [name, ...target].join("\0");
    if (!parsedFiles.has(key)) parsedFiles.set(key, read(name, settings, ...more));
    return parsedFiles.get(key);
  };
  return host;
}

function shown(diagnostic, options) {
  const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
  const named = /(?:module|declaration file for module|type definition file for|module name in augmentation, module) '([^']+)'/.exec(message);
  const module = named ? named[1] : "";
  const aliases = Object.keys((options && options.paths) || {}).map((each) => each.split("*")[0]);
  const local = module.startsWith(".") || aliases.some((each) => each !== "" && module.startsWith(each));
  const place = diagnostic.file && diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start || 0);
  return {
    code: diagnostic.code,
    message: message.split("\n", 2).join(" ").slice(0, 400),
    path: diagnostic.file ? relative(diagnostic.file.fileName) : "",
    line: place ? place.line + 1 : 0,
    column: place ? place.character + 1 : 0,
    module,
    local,
  };
}

function examined(names, options) {
  const program = ts.createProgram(names, options, hostOf(options));
  const own = program.getSourceFiles().filter(
    (file) => file.fileName.startsWith(root + "/") && !file.fileName.includes("/node_modules/"),
  );
  const said = own.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]);
  return {
    files: own.map((file) => relative(file.fileName)),
    errors: said.filter((each) => each.category === ts.DiagnosticCategory.Error).map((each) => shown(each, options)),
    missing: program.getOptionsDiagnostics().map((each) => shown(each, options)),
  };
}

function ofConfig(name) {
  const problems = [];
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (each) => problems.push(shown(each)) };
  const parsed = ts.getParsedCommandLineOfConfigFile(name, {}, host);
  if (!parsed) return { config: relative(name), problems, strict: true, references: [], files: [], errors: [], missing: [] };
  const options = { ...parsed.options, noEmit: true, composite: false, incremental: false, declaration: false };
  for (const each of ["tsBuildInfoFile", "declarationMap", "emitDeclarationOnly", "declarationDir", "isolatedDeclarations"]) {
    delete options[each];
  }
  problems.push(...parsed.errors.map((each) => shown(each)));
  const looked = examined(parsed.fileNames, options);
  const result = { config: relative(name), problems, strict: true, ...looked, stricter: [] };
  if (options.strict === undefined && parsed.fileNames.length) {
    result.strict = false;
    result.stricter = examined(parsed.fileNames, { ...options, strict: true }).errors;
  }
  const references = (parsed.projectReferences || []).map((each) => ts.resolveProjectReferencePath(each));
  return { ...result, references };
}

const done = new Map();
const queue = [...configs];
while (queue.length && done.size < MOST) {
  const name = path.normalize(queue.shift());
  if (done.has(name) || !name.startsWith(root + "/") || !ts.sys.fileExists(name)) continue;
  const { references, ...result } = ofConfig(name);
  done.set(name, result);
  queue.push(...references);
}
const LOOSE = {
  strict: true, noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true, jsx: ts.JsxEmit.Preserve,
  target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler,
};
if (loose.length) done.set("", { config: "", problems: [], strict: true, ...examined(loose, LOOSE), stricter: [] });
process.stdout.write(JSON.stringify({ projects: [...done.values()], left: queue.length }));
