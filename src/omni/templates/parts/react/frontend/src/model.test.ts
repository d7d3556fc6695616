import { describe, expect, test } from "vitest";
import { available, may, offered, type EntityModel, type OperationModel } from "./model";

const notes: EntityModel = {
  name: "note",
  path: "notes",
  display: "text",
  fields: [],
  computed: [],
  relations: [],
  operations: [],
  permissions: { anyone: { read: "all" }, user: { read: "all", update: "own" }, admin: { read: "all", update: "all" } },
  owned: true,
  children: [],
  searchable: false,
  sortable: [],
  exports: [],
  imports: false,
};
const ada = { id: "1", name: "Ada", email: "ada@example.org" };
const root = { ...ada, id: "2", role: "admin" };
const hers = { id: "9", owner_id: "1" };
const his = { id: "8", owner_id: "3" };

describe("who may do what", () => {
  test("a visitor reads, and changes nothing", () => {
    expect(may(notes, "read", null)).toBe(true);
    expect(may(notes, "update", null, hers)).toBe(false);
  });

  test("people change what is their own", () => {
    expect(may(notes, "update", ada, hers)).toBe(true);
    expect(may(notes, "update", ada, his)).toBe(false);
  });

  test("an administrator changes everything", () => {
    expect(may(notes, "update", root, his)).toBe(true);
  });
});

describe("which choices a form has", () => {
  const status = { name: "status", type: "enum", choices: ["open", "solved"], reserved: { solved: ["admin"] } } as const;

  test.each([
    [ada, "open", ["open"]],
    [ada, "solved", ["open", "solved"]],
    [null, undefined, ["open"]],
    [root, "open", ["open", "solved"]],
  ])("%o, %s", (user, has, expected) => {
    expect(offered(status, has, user).choices).toEqual(expected);
  });

  test("without roles that decide, all of them", () => {
    const free = { name: "status", type: "enum", choices: ["open"] } as const;
    expect(offered(free, undefined, null)).toBe(free);
  });
});

describe("which buttons a row has", () => {
  const solve: OperationModel = {
    name: "solve",
    kind: "transition",
    field: "status",
    value: "solved",
    fromValues: ["open"],
    roles: ["admin"],
  };

  test.each([
    ["open", root, true],
    ["solved", root, false],
    ["waiting", root, false],
    ["open", ada, false],
    ["open", null, false],
  ])("%s", (status, user, expected) => {
    expect(available(solve, { id: "1", status }, user)).toBe(expected);
  });
});
