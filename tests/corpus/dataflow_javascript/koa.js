const Koa = require("koa");
const Router = require("@koa/router");
const fs = require("fs");
const app = new Koa();
const router = new Router();

app.use(async (ctx, next) => {
  if (ctx.query.go) {
    ctx.redirect(ctx.query.go); // bad: redirect
  }
  await next();
});

router.get("/files/:name", async (ctx) => {
  ctx.body = fs.createReadStream("/srv/" + ctx.params.name); // bad: path
});

router.post("/hello", async (ctx) => {
  const { name } = ctx.request.body;
  ctx.body = `<h1>${name}</h1>`; // bad: xss
  ctx.body = { name };
  ctx.type = "text/html";
  ctx.cookies.set("id", "1", { secure: false }); // bad: insecure-cookie
  ctx.cookies.set("id", "1", { secure: true, httpOnly: true });
});

app.use(router.routes());
