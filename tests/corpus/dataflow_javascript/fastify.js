import Fastify from "fastify";
import { exec } from "child_process";
import { z } from "zod";

const fastify = Fastify({ logger: true });

fastify.get("/ping/:host", async (request, reply) => {
  exec("ping " + request.params.host); // bad: command
  reply.type("text/html").send("<p>" + request.query.name); // bad: xss
  return { ok: true };
});

fastify.route({
  method: "POST",
  url: "/go",
  schema: { body: {} },
  handler: async function (request, reply) {
    return reply.redirect(request.body.next); // bad: redirect
  },
});

const Query = z.object({ id: z.coerce.number(), sort: z.enum(["a", "b"]), name: z.string() });

fastify.get("/list", async (request, reply) => {
  const query = Query.parse(request.query);
  await fastify.pg.query("SELECT * FROM a WHERE id = " + query.id);
  await fastify.pg.query(`SELECT * FROM a ORDER BY ${query.sort}`);
  await fastify.pg.query(`SELECT * FROM a WHERE name = '${query.name}'`); // bad: sql
  const { data } = Query.safeParse(request.query);
  await fastify.pg.query("SELECT * FROM a WHERE id = " + data.id);
});

export async function plugin(app, options) {
  app.get("/again", async (request, reply) => {
    eval(request.query.code); // bad: code
  });
}
