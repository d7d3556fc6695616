/** Words, numbers and dates in the visitor's language and time zone. Messages are ICU MessageFormat. */

import { IntlMessageFormat } from "intl-messageformat";
import { createContext, useContext, useEffect, useMemo, type ReactNode } from "react";
import type { FieldType, Value } from "./model";
import de from "./locales/de.json";
import en from "./locales/en.json";

export type Key = keyof typeof en;
export type Locale = "en" | "de";
type Values = Record<string, string | number>;

const MESSAGES: Record<Locale, Record<string, string>> = { en, de };

export interface I18n {
  locale: Locale;
  /** The message of that key; the key itself when nobody has written it yet. */
  t: (key: Key | (string & {}), values?: Values) => string;
  has: (key: string) => boolean;
  format: (value: Value | undefined, type: FieldType, unit?: string) => string;
  compare: (left: string, right: string) => number;
}

function duration(minutes: number, locale: Locale): string {
  const unit = (value: number, name: "hour" | "minute") =>
    new Intl.NumberFormat(locale, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
  const hours = Math.trunc(minutes / 60);
  const rest = minutes % 60;
  const parts = [hours ? unit(hours, "hour") : "", rest || !hours ? unit(rest, "minute") : ""];
  return new Intl.ListFormat(locale, { type: "unit", style: "narrow" }).format(parts.filter(Boolean));
}

/** A date has no time zone: read it as UTC so that nobody sees the day before. */
function day(value: string, locale: Locale): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(value));
}

function number(value: string | number, locale: Locale, unit = "", digits?: number): string {
  const isCurrency = /^[A-Z]{3}$/.test(unit);
  const style = isCurrency ? ({ style: "currency", currency: unit } as const) : {};
  const text = new Intl.NumberFormat(locale, {
    ...style,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits ?? 6,
  }).format(Number(value));
  return unit && !isCurrency ? `${text}\u00A0${unit}` : text;
}

export function createI18n(locale: Locale): I18n {
  const messages = MESSAGES[locale];
  const compiled = new Map<string, IntlMessageFormat>();
  const collator = new Intl.Collator(locale, { numeric: true, sensitivity: "base" });

  const t: I18n["t"] = (key, values) => {
    const text = messages[key] ?? en[key as Key] ?? key;
    const message = compiled.get(key) ?? new IntlMessageFormat(text, locale, undefined, { ignoreTag: true });
    compiled.set(key, message);
    return String(message.format(values));
  };

  const format: I18n["format"] = (value, type, unit) => {
    if (value === null || value === undefined || value === "") return t("value.none");
    if (typeof value === "boolean") return t(value ? "value.yes" : "value.no");
    const text = String(value);
    switch (type) {
      case "integer":
      case "decimal":
        return number(text, locale, unit);
      case "money":
        return number(Number(text) / 100, locale, unit, 2);
      case "duration":
        return duration(Number(value), locale);
      case "date":
        return day(text, locale);
      case "datetime":
        return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(new Date(text));
      case "time":
        return new Intl.DateTimeFormat(locale, { timeStyle: "short", timeZone: "UTC" }).format(
          new Date(`1970-01-01T${text.slice(0, 8)}Z`),
        );
      default:
        return text;
    }
  };

  return {
    locale,
    t,
    has: (key) => key in messages || key in en,
    format,
    compare: (left, right) => collator.compare(left, right),
  };
}

/** The first language of the browser that we speak. */
export function preferredLocale(languages: readonly string[] = navigator.languages): Locale {
  for (const language of languages) {
    const base = language.split("-")[0];
    if (base === "en" || base === "de") return base;
  }
  return "en";
}

const I18nContext = createContext<I18n>(createI18n("en"));

export function I18nProvider({ locale, children }: { locale: Locale; children: ReactNode }) {
  const i18n = useMemo(() => createI18n(locale), [locale]);
  useEffect(() => {
    document.documentElement.lang = locale;
  }, [locale]);
  return <I18nContext value={i18n}>{children}</I18nContext>;
}

export const useI18n = (): I18n => useContext(I18nContext);
