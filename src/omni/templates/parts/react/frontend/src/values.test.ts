import { describe, expect, test } from "vitest";
import type { FieldModel, FieldType, Value } from "./model";
import { fieldToForm, fieldToJson, toForm, toJson } from "./values";

const CASES: [FieldType, Value, string | boolean][] = [
  ["string", "Milk", "Milk"],
  ["integer", 42, "42"],
  ["decimal", 1.5, "1.5"],
  ["money", 1999, "19.99"],
  ["money", 5, "0.05"],
  ["duration", 90, "90"],
  ["boolean", true, true],
  ["date", "2026-03-05", "2026-03-05"],
  ["email", "ada@example.org", "ada@example.org"],
];

describe("a form holds what the API sent", () => {
  test.each(CASES)("%s %s ⇄ %s", (type, value, shown) => {
    const field: FieldModel = { name: "value", type };
    expect(fieldToForm(field, value)).toBe(shown);
    expect(fieldToJson(field, shown)).toBe(value);
  });

  test("a moment survives the way through the visitor's time zone", () => {
    const field: FieldModel = { name: "at", type: "datetime" };
    const moment = "2026-07-01T21:45:00.000Z";
    expect(fieldToJson(field, fieldToForm(field, moment))).toBe(moment);
  });

  test("cents are never off by a rounding", () => {
    const field: FieldModel = { name: "price", type: "money" };
    for (let cents = 0; cents < 2000; cents += 1) {
      expect(fieldToJson(field, fieldToForm(field, cents))).toBe(cents);
    }
  });

  test("an empty field is nothing, but a required text stays empty for the server to refuse", () => {
    expect(fieldToJson({ name: "due", type: "date" }, "")).toBeNull();
    expect(fieldToJson({ name: "title", type: "string", required: true }, "  ")).toBe("");
  });
});

test("relations travel as ids", () => {
  const shape = {
    fields: [],
    relations: [
      { name: "list", property: "list_id", target: "list", many: false, required: false },
      { name: "tags", property: "tag_ids", target: "tag", many: true, required: false },
    ],
  };
  const row = { id: "1", list_id: "7", tag_ids: ["8", "9"] };
  expect(toJson(shape, toForm(shape, row))).toEqual({ list_id: "7", tag_ids: ["8", "9"] });
  expect(toJson(shape, toForm(shape))).toEqual({ list_id: null, tag_ids: [] });
});
