import { Hono } from "hono";
import { readFile } from "node:fs/promises";

type Bindings = { BASE: string };
const app = new Hono<{ Bindings: Bindings }>();

app.get("/file/:name", async (c) => {
  const name = c.req.param("name");
  const text: string = await readFile(`/srv/${name}`, "utf-8"); // bad: path
  return c.json({ text });
});

app.post("/page", async (c) => {
  const body = await c.req.json<{ name: string }>();
  await fetch(`${c.env.BASE}/users/${body.name}`);
  await fetch(body.name as string); // bad: ssrf
  if (body.name === "a") {
    return c.redirect(body.name);
  }
  return c.html(`<h1>${body.name}</h1>`); // bad: xss
});

export default app;
