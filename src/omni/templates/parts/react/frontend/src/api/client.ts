/** The only door to the server: JSON in, JSON out, problems (RFC 9457) as `ApiError`. */

import type { Row, User, Value } from "../model";

export interface Problem {
  title: string;
  status: number;
  detail?: string;
  code?: string;
  correlation_id?: string;
  errors?: Record<string, string>;
}

export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.name = "ApiError";
    this.problem = problem;
  }

  /** Message per field of a form. */
  get fields(): Record<string, string> {
    return this.problem.errors ?? {};
  }
}

export interface PageOf<T> {
  items: T[];
  total: number;
  page: number;
  pages: number;
  size: number;
}

/** What the rows of a summary have in common; `key` is empty for those without it. */
export interface Group {
  key: string;
  count: number;
  total: number;
}

export type Query = Record<string, string | number | undefined>;

export interface Session {
  user: User | null;
  csrf_token: string;
  currency?: string;
}

const ROOT = "/api/v1";
let csrfToken = "";

function url(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text ? `${ROOT}${path}?${text}` : `${ROOT}${path}`;
}

async function problemOf(response: Response): Promise<Problem> {
  const isJson = response.headers.get("content-type")?.includes("json") ?? false;
  if (isJson) return (await response.json()) as Problem;
  return { title: response.statusText || `HTTP ${response.status}`, status: response.status };
}

async function request<T>(method: string, path: string, body?: BodyInit | object, query?: Query): Promise<T> {
  const headers = new Headers({ Accept: "application/json" });
  if (method !== "GET") headers.set("X-CSRF-Token", csrfToken);
  const isForm = body instanceof FormData;
  if (body !== undefined && !isForm) headers.set("Content-Type", "application/json");
  let response: Response;
  try {
    response = await fetch(url(path, query), {
      method,
      headers,
      credentials: "same-origin",
      body: body === undefined || isForm ? body : JSON.stringify(body),
    });
  } catch {
    throw new ApiError({ title: "offline", status: 0, code: "OFFLINE" });
  }
  if (!response.ok) throw new ApiError(await problemOf(response));
  return (response.status === 204 ? undefined : await response.json()) as T;
}

function keep(session: Session): User | null {
  csrfToken = session.csrf_token;
  return session.user && { ...session.user, currency: session.currency };
}

export const api = {
  list: (path: string, query?: Query) => request<PageOf<Row>>("GET", `/${path}`, undefined, query),
  get: (path: string, id: string) => request<Row>("GET", `/${path}/${id}`),
  create: (path: string, values: Record<string, Value>) => request<Row>("POST", `/${path}`, values),
  update: (path: string, id: string, values: Record<string, Value>) =>
    request<Row>("PATCH", `/${path}/${id}`, values),
  remove: (path: string, id: string) => request<void>("DELETE", `/${path}/${id}`),
  operate: (path: string, id: string, name: string, values?: Record<string, Value>) =>
    request<Row>("POST", `/${path}/${id}/${name.replaceAll("_", "-")}`, values),
  upload: (path: string, id: string, field: string, file: File) => {
    const form = new FormData();
    form.set("file", file);
    return request<Row>("PUT", `/${path}/${id}/${field}`, form);
  },
  importFile: (path: string, file: File) => {
    const form = new FormData();
    form.set("file", file);
    return request<{ created: number }>("POST", `/${path}/import`, form);
  },
  summary: (path: string, name: string) =>
    request<{ groups: Group[] }>(
      "GET",
      `/${path}/${name.replaceAll("_", "-")}`,
    ),
  url,

  session: async () => keep(await request<Session>("GET", "/session")),
  logIn: async (email: string, password: string) =>
    keep(await request<Session>("POST", "/session", { email, password })),
  logOut: async () => {
    await request<void>("DELETE", "/session");
    return keep(await request<Session>("GET", "/session"));
  },
  signUp: async (name: string, email: string, password: string) =>
    keep(await request<Session>("POST", "/users", { name, email, password })),
  changePassword: (current: string, replacement: string) =>
    request<void>("PUT", "/account/password", { current_password: current, new_password: replacement }),
  deleteAccount: (password: string) => request<void>("DELETE", "/account", { password }),
};
