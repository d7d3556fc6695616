/** The API in memory, in the place of `fetch`: what it keeps and refuses is decided by each test. */

import { vi } from "vitest";
import { entities } from "../entities";
import type { EntityModel, FieldModel, Row, User, Value } from "../model";

export const ADA: User = { id: "u1", name: "Ada", email: "ada@example.org" };

const SAMPLES: Record<FieldModel["type"], Value> = {
  string: "Words",
  text: "Several words",
  integer: 3,
  decimal: 1.5,
  money: 1250,
  boolean: false,
  date: "2026-03-05",
  datetime: "2026-03-05T09:30:00Z",
  time: "09:30:00",
  duration: 90,
  email: "ada@example.org",
  url: "https://example.org/",
  phone: "+49 30 123456",
  slug: "first-steps",
  color: "#336699",
  enum: "",
  file: null,
};

export function sample(entity: EntityModel, n: number): Row {
  const row: Record<string, Value> = { created_at: "2026-03-01T08:00:00Z", updated_at: "2026-03-01T08:00:00Z" };
  for (const field of entity.fields) {
    row[field.name] = field.type === "enum" ? (field.choices?.[0] ?? null) : SAMPLES[field.type];
  }
  for (const { name, type } of entity.computed) row[name] = SAMPLES[type];
  for (const { property, many } of entity.relations) row[property] = many ? [] : "missing";
  if (entity.owned) row.owner_id = ADA.id;
  const shown = entity.fields.find(({ name }) => name === entity.display);
  if (shown?.type === "string" || shown?.type === "text") row[entity.display] = `${entity.name} ${n}`;
  return { ...row, id: `${entity.path}-${n}` };
}

interface Sent {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, Value>;
  headers: Headers;
}

interface Refusal {
  status: number;
  code: string;
  title: string;
  errors?: Record<string, string>;
}

const json = (value: unknown, status = 200) =>
  new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json" } });

export class FakeServer {
  user: User | null;
  readonly sent: Sent[] = [];
  readonly tables = new Map<string, Row[]>();
  /** `POST /todos` → how it is refused, until it is taken out. */
  readonly refusals = new Map<string, Refusal>();

  constructor(user: User | null = ADA, rows = 2) {
    this.user = user;
    for (const entity of Object.values(entities)) {
      this.tables.set(
        entity.path,
        Array.from({ length: rows }, (_, index) => sample(entity, index + 1)),
      );
    }
    vi.stubGlobal("fetch", (input: string, init?: RequestInit) => Promise.resolve(this.answer(input, init)));
  }

  last(method: string): Sent | undefined {
    return this.sent.findLast((request) => request.method === method);
  }

  private answer(input: string, init: RequestInit = {}): Response {
    const url = new URL(input, "http://localhost");
    const method = init.method ?? "GET";
    const path = url.pathname.replace("/api/v1/", "");
    const body = typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, Value>) : {};
    this.sent.push({ method, path, query: url.searchParams, body, headers: new Headers(init.headers) });
    const refusal = this.refusals.get(`${method} /${path}`);
    if (refusal) return json(refusal, refusal.status);
    if (path === "users" && method === "GET") {
      const items = this.user ? [this.user] : [];
      return json({ items, total: items.length, page: 1, pages: 1, size: 100 });
    }
    if (path === "session" || path === "users") return this.session(method);
    return this.entity(method, path, url.searchParams, body);
  }

  private session(method: string): Response {
    if (method === "POST") this.user = ADA;
    if (method === "DELETE") this.user = null;
    return json({ user: this.user, csrf_token: "secret" });
  }

  private entity(method: string, path: string, query: URLSearchParams, body: Record<string, Value>): Response {
    const [table = "", id = "", operation] = path.split("/");
    const rows = this.tables.get(table);
    if (!rows) return json({ title: "Not found", status: 404, code: "E404" }, 404);
    const row = rows.find((candidate) => candidate.id === id);
    if (id === "" && method === "GET") {
      const text = query.get("q")?.toLowerCase() ?? "";
      const items = rows.filter((candidate) => JSON.stringify(candidate).toLowerCase().includes(text));
      const page = Number(query.get("page") ?? 1);
      const size = Number(query.get("size") ?? 20);
      const pages = Math.max(1, Math.ceil(items.length / size));
      return json({ items: items.slice((page - 1) * size, page * size), total: items.length, page, pages, size });
    }
    if (id === "" && method === "POST") {
      const made = { ...body, id: `${table}-new` };
      rows.push(made);
      return json(made, 201);
    }
    if (!row) return json(operation === undefined && id !== "" ? { groups: [] } : {}, 404);
    if (method === "DELETE") {
      this.tables.set(
        table,
        rows.filter((candidate) => candidate !== row),
      );
      return new Response(null, { status: 204 });
    }
    if (method === "PATCH") Object.assign(row, body);
    if (method === "POST") this.operate(table, row, operation);
    return json(row);
  }

  private operate(table: string, row: Row, name: string | undefined): void {
    const entity = Object.values(entities).find(({ path }) => path === table);
    const operation = entity?.operations.find((candidate) => candidate.name.replaceAll("_", "-") === name);
    if (!operation?.field) return;
    if (operation.kind === "toggle") row[operation.field] = !row[operation.field];
    if (operation.kind === "transition") row[operation.field] = operation.value;
    if (operation.kind === "increment") row[operation.field] = Number(row[operation.field] ?? 0) + 1;
  }
}
