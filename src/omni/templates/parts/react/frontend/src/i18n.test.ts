import { describe, expect, test } from "vitest";
import { createI18n, preferredLocale } from "./i18n";
import de from "./locales/de.json";
import en from "./locales/en.json";

test("every language has every message", () => {
  expect(Object.keys(de).toSorted()).toEqual(Object.keys(en).toSorted());
});

test("the first language of the browser that we speak", () => {
  expect(preferredLocale(["fr", "de-AT", "en"])).toBe("de");
  expect(preferredLocale(["fr"])).toBe("en");
});

describe("values as people write them", () => {
  const english = createI18n("en");
  const german = createI18n("de");

  test.each([
    ["integer", 1234567, "1,234,567", "1.234.567"],
    ["decimal", 1.5, "1.5", "1,5"],
    ["money", 123456, "1,234.56", "1.234,56"],
    ["date", "2026-03-05", "Mar 5, 2026", "05.03.2026"],
    ["boolean", true, "Yes", "Ja"],
  ] as const)("%s", (type, value, inEnglish, inGerman) => {
    expect(english.format(value, type)).toBe(inEnglish);
    expect(german.format(value, type)).toBe(inGerman);
  });

  test("a currency goes with its amount, another unit after it", () => {
    expect(english.format(1250, "money", "EUR")).toBe("€12.50");
    expect(english.format(3, "integer", "kg")).toBe("3\u00A0kg");
  });

  test("a duration in hours and minutes", () => {
    expect(english.format(90, "duration")).toBe("1 hr 30 min");
    expect(english.format(0, "duration")).toBe("0 min");
  });

  test("plurals follow the language's rules", () => {
    expect(english.t("pagination.position", { total: 1, page: 1, pages: 1 })).toBe("1 entry, page 1 of 1");
    expect(german.t("pagination.position", { total: 2, page: 1, pages: 1 })).toBe("2 Einträge, Seite 1 von 1");
  });

  test("names are compared as the language does", () => {
    expect(["Zebra", "äpfel", "apfel 10", "apfel 9"].toSorted(german.compare)).toEqual([
      "äpfel",
      "apfel 9",
      "apfel 10",
      "Zebra",
    ]);
  });
});

test("a message that nobody wrote shows its key, so that it is found", () => {
  expect(createI18n("de").t("no.such.message")).toBe("no.such.message");
});
