import { useCallback } from "react";
import { api } from "../api/client";
import { Problem } from "../components/Problem";
import { Shown } from "../components/Shown";
import { Title } from "../components/Title";
import { entities } from "../entities";
import { useI18n } from "../i18n";
import { may, type EntityModel } from "../model";
import { useRemote } from "../remote";
import { useSession } from "../session";

type Summary = NonNullable<EntityModel["summary"]>;

function Groups({ entity, summary }: { entity: EntityModel; summary: Summary }) {
  const { t, format } = useI18n();
  const load = useCallback(() => api.summary(entity.path, summary.name), [entity.path, summary.name]);
  const { data, error, reload } = useRemote(load);
  const grouped = entity.fields.find(({ name }) => name === summary.field);
  const summed = [...entity.fields, ...entity.computed].find(({ name }) => name === summary.valueField);
  const most = Math.max(1, ...(data?.groups.map(({ count }) => count) ?? []));
  const title = t(`operation.${entity.name}.${summary.name}`);
  if (error) return <Problem error={error} onRetry={() => void reload()} />;
  return (
    <section className="card" aria-label={title}>
      <h2>{title}</h2>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">{t(`field.${entity.name}.${summary.field}`)}</th>
              <th scope="col" className="number">
                {t("summary.count")}
              </th>
              {summed && (
                <th scope="col" className="number">
                  {t("summary.sum", { field: t(`field.${entity.name}.${summed.name}`) })}
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {data?.groups.map(({ key, count, total }) => (
              <tr key={key}>
                <th scope="row">
                  {grouped ? <Shown owner={entity.name} field={grouped} value={key} /> : key || t("value.none")}
                </th>
                <td className="number">
                  <meter min={0} max={most} value={count} aria-hidden="true" /> {format(count, "integer")}
                </td>
                {summed && (
                  <td className="number">
                    <Shown owner={entity.name} field={summed} value={total} />
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** Summaries: of one kind of data, or of all that have one. */
export function DashboardPage({ only }: { only?: EntityModel }) {
  const { t } = useI18n();
  const { user } = useSession();
  const shown = only ? [only] : Object.values(entities);
  return (
    <>
      <Title text={only ? t(`page.${only.name}.dashboard`) : t("dashboard.title")} />
      <div className="tiles">
        {shown.map((entity) =>
          entity.summary && may(entity, "read", user) ? (
            <Groups key={entity.name} entity={entity} summary={entity.summary} />
          ) : null,
        )}
      </div>
    </>
  );
}
