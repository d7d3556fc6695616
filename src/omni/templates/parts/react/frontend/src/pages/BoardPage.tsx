import { useCallback } from "react";
import { Link } from "react-router";
import { ApiError, api } from "../api/client";
import { Problem, describe } from "../components/Problem";
import { Title } from "../components/Title";
import { useI18n } from "../i18n";
import { available, may, type EntityModel, type Row } from "../model";
import { useNotice } from "../notice";
import { useRemote } from "../remote";
import { useSession } from "../session";

const CARDS_SHOWN = 100;

/** Rows in columns by an enum field. A card moves by the operations that set that field, else by editing it. */
export function BoardPage({ entity }: { entity: EntityModel }) {
  const i18n = useI18n();
  const { t } = i18n;
  const { user } = useSession();
  const { say } = useNotice();
  const load = useCallback(() => api.list(entity.path, { size: CARDS_SHOWN }), [entity.path]);
  const { data, error, reload, set } = useRemote(load);
  const column = entity.fields.find(({ name }) => name === entity.board);
  if (error) return <Problem error={error} onRetry={() => void reload()} />;
  if (!column?.choices || !data) return <p className="loading">{t("list.loading")}</p>;

  const moves = entity.operations.filter(({ kind, field }) => kind === "transition" && field === column.name);
  const targets = (row: Row) =>
    column.choices?.filter((choice) => {
      if (choice === row[column.name]) return true;
      const move = moves.find(({ value }) => value === choice);
      return move ? available(move, row, user) : moves.length === 0 && may(entity, "update", user, row);
    }) ?? [];

  const put = (row: Row) => set({ ...data, items: data.items.map((other) => (other.id === row.id ? row : other)) });

  const move = async (row: Row, value: string) => {
    const operation = moves.find((candidate) => candidate.value === value);
    put({ ...row, [column.name]: value });
    try {
      put(
        operation
          ? await api.operate(entity.path, row.id, operation.name)
          : await api.update(entity.path, row.id, { [column.name]: value }),
      );
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught;
      put(row);
      say(Object.values(caught.fields)[0] ?? describe(caught, i18n), "bad");
    }
  };

  return (
    <>
      <Title text={t(`page.${entity.name}.board`)}>
        {may(entity, "create", user) && (
          <Link className="button primary" to={`/${entity.path}/new`}>
            {t("list.new", { entity: t(`entity.${entity.name}.one`) })}
          </Link>
        )}
      </Title>
      {data.total > data.items.length && (
        <p className="help">
          {t("list.partial", { shown: data.items.length, total: data.total })} <Link to={`/${entity.path}`}>{t("list.all")}</Link>
        </p>
      )}
      <div className="board">
        {column.choices.map((choice) => {
          const cards = data.items.filter((row) => row[column.name] === choice);
          const label = t(`choice.${entity.name}.${column.name}.${choice}`);
          return (
            <section key={choice} className="column" aria-label={label}>
              <h2>
                {label} <span className="count">{i18n.format(cards.length, "integer")}</span>
              </h2>
              <ul>
                {cards.map((row) => {
                  const name = String(row[entity.display] ?? row.id);
                  return (
                    <li key={row.id} className="card">
                      <Link to={`/${entity.path}/${row.id}`}>{name}</Link>
                      {targets(row).length > 1 && (
                        <select
                          aria-label={t("board.move", { name })}
                          value={String(row[column.name])}
                          onChange={(event) => void move(row, event.target.value)}
                        >
                          {targets(row).map((target) => (
                            <option key={target} value={target}>
                              {t(`choice.${entity.name}.${column.name}.${target}`)}
                            </option>
                          ))}
                        </select>
                      )}
                    </li>
                  );
                })}
              </ul>
            </section>
          );
        })}
      </div>
    </>
  );
}
