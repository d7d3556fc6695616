// A really running small model behind OpenAI's wire, for tests of the way to a model: its words have no sense.
// node small_model.mjs MODEL.gguf CONTEXT   (run where node-llama-cpp is installed; prints its address when it is ready)
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const entry = createRequire(path.join(process.cwd(), "package.json")).resolve("node-llama-cpp");
const { getLlama, LlamaChatSession } = await import(pathToFileURL(entry));
const [file, context] = [process.argv[2], Number(process.argv[3])];
const llama = await getLlama({ gpu: false, build: "never", logLevel: "error", maxThreads: 1 });
const model = await llama.loadModel({ modelPath: file });
const sequence = (await model.createContext({ contextSize: context, threads: 1 })).getSequence();
let turn = Promise.resolve();

const text = (content) => (typeof content === "string" ? content : content.map((part) => part.text ?? "").join("\n"));

async function answer(body, onText) {
  const messages = body.messages.filter((message) => message.role !== "system");
  const system = body.messages.filter((message) => message.role === "system").map((message) => text(message.content));
  const question = messages.map((message) => text(message.content)).join("\n");
  const prompt = model.tokenize(question).length;
  if (prompt > context - 64) throw Object.assign(new Error(`the prompt has ${prompt} tokens of ${context}`), { status: 400 });
  const schema = body.response_format?.json_schema?.schema;
  await sequence.clearHistory();
  const session = new LlamaChatSession({ contextSequence: sequence, systemPrompt: system.join("\n"), autoDisposeSequence: false });
  const grammar = schema && (await llama.createGrammarForJsonSchema(schema));
  const said = await session.promptWithMeta(question, {
    grammar, maxTokens: Math.min(body.max_tokens ?? 128, 128), temperature: body.temperature ?? 0, onTextChunk: onText,
  });
  session.dispose();
  const reason = said.stopReason === "maxTokens" ? "length" : "stop";
  const completion = model.tokenize(said.responseText).length;
  return { reason, content: said.responseText, usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion } };
}

async function chat(body, response) {
  const event = (delta, more = {}) =>
    response.write(`data: ${JSON.stringify({ object: "chat.completion.chunk", model: body.model, choices: [{ index: 0, delta, ...more }] })}\n\n`);
  try {
    if (body.stream) response.writeHead(200, { "content-type": "text/event-stream" });
    const done = await answer(body, (piece) => body.stream && event({ content: piece }));
    if (body.stream) {
      event({}, { finish_reason: done.reason });
      response.end(`data: ${JSON.stringify({ choices: [], usage: done.usage })}\n\ndata: [DONE]\n\n`);
    } else {
      const message = { role: "assistant", content: done.content };
      response.end(JSON.stringify({ model: body.model, choices: [{ index: 0, message, finish_reason: done.reason }], usage: done.usage }));
    }
  } catch (problem) {
    const error = JSON.stringify({ error: { message: String(problem.message) } });
    if (body.stream) response.end(`data: ${error}\n\n`);
    else response.writeHead(problem.status ?? 500).end(error);
  }
}

const server = http.createServer((request, response) => {
  if (request.url === "/v1/models") {
    response.end(JSON.stringify({ data: [{ id: "smollm2:135m", owned_by: "llamacpp" }] }));
    return;
  }
  if (request.url === "/props") {
    response.end(JSON.stringify({ default_generation_settings: { n_ctx: context } }));
    return;
  }
  let body = "";
  request.on("data", (piece) => (body += piece));
  request.on("end", () => (turn = turn.then(() => chat(JSON.parse(body), response))));
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/v1`));
