import { useCallback, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { api } from "../api/client";
import { Problem } from "../components/Problem";
import { Title } from "../components/Title";
import { useI18n } from "../i18n";
import { may, type EntityModel, type Row } from "../model";
import { useRemote } from "../remote";
import { useSession } from "../session";

const MOST = 100;
const DAYS_OF_WEEK = 7;

/** Year and month, `2026-03`. */
function monthOf(date: Date): string {
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}`;
}

/** The first day of a month, `2026-03`. */
function firstOf(month: string): Date {
  const [year = 0, number = 1] = month.split("-").map(Number);
  return new Date(year, number - 1, 1);
}

/** The month's days with the empty places before the first one; weeks begin on Monday. */
export function daysOf(month: string): (Date | null)[] {
  const first = firstOf(month);
  const lead = (first.getDay() + DAYS_OF_WEEK - 1) % DAYS_OF_WEEK;
  const length = new Date(first.getFullYear(), first.getMonth() + 1, 0).getDate();
  return [
    ...Array.from({ length: lead }, () => null),
    ...Array.from({ length }, (_, index) => new Date(first.getFullYear(), first.getMonth(), index + 1)),
  ];
}

/** The visitor's calendar day of a date or a point in time, `2026-03-05`. */
export function dayOf(value: string): string {
  if (value.length <= 10) return value;
  const date = new Date(value);
  return `${monthOf(date)}-${String(date.getDate()).padStart(2, "0")}`;
}

export function CalendarPage({ entity }: { entity: EntityModel }) {
  const { t, locale } = useI18n();
  const { user } = useSession();
  const [parameters, setParameters] = useSearchParams();
  const [today] = useState(() => monthOf(new Date()));
  const month = parameters.get("month") ?? today;
  const field = entity.calendar ?? "created_at";
  const load = useCallback(() => api.list(entity.path, { sort: `-${field}`, size: MOST }), [entity.path, field]);
  const { data, error, reload } = useRemote(load);
  const days = daysOf(month);
  const first = firstOf(month);
  const step = (months: number) =>
    setParameters({ month: monthOf(new Date(first.getFullYear(), first.getMonth() + months, 1)) });
  const on = (day: Date): Row[] =>
    data?.items.filter((row) => row[field] && dayOf(String(row[field])) === `${monthOf(day)}-${String(day.getDate()).padStart(2, "0")}`) ?? [];
  const title = new Intl.DateTimeFormat(locale, { month: "long", year: "numeric" }).format(first);
  const weekday = new Intl.DateTimeFormat(locale, { weekday: "short" });
  const dayName = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });

  if (error) return <Problem error={error} onRetry={() => void reload()} />;
  return (
    <>
      <Title text={t(`page.${entity.name}.calendar`)}>
        {may(entity, "create", user) && (
          <Link className="button primary" to={`/${entity.path}/new`}>
            {t("list.new", { entity: t(`entity.${entity.name}.one`) })}
          </Link>
        )}
      </Title>
      <div className="calendar-head">
        <button type="button" onClick={() => step(-1)}>
          {t("calendar.previous")}
        </button>
        <h2 aria-live="polite">{title}</h2>
        <button type="button" onClick={() => step(1)}>
          {t("calendar.next")}
        </button>
      </div>
      <div className="weekdays" aria-hidden="true">
        {Array.from({ length: DAYS_OF_WEEK }, (_, index) => (
          <span key={index}>{weekday.format(new Date(2024, 0, 1 + index))}</span>
        ))}
      </div>
      <ol className="calendar">
        {days.map((day, index) =>
          day === null ? (
            // oxlint-disable-next-line react/no-array-index-key -- empty places have no other name
            <li key={`before-${index}`} className="outside" aria-hidden="true" />
          ) : (
            <li key={day.getDate()}>
              <time aria-label={dayName.format(day)}>{day.getDate()}</time>
              {on(day).map((row) => (
                <Link key={row.id} to={`/${entity.path}/${row.id}`}>
                  {String(row[entity.display] ?? row.id)}
                </Link>
              ))}
            </li>
          ),
        )}
      </ol>
    </>
  );
}
