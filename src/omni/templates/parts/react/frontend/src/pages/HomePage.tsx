import { useCallback } from "react";
import { Link } from "react-router";
import { api } from "../api/client";
import { Title } from "../components/Title";
import { app } from "../app";
import { entities } from "../entities";
import { useI18n } from "../i18n";
import { may, type EntityModel } from "../model";
import { useRemote } from "../remote";
import { useSession } from "../session";

function Tile({ entity, path }: { entity: EntityModel; path: string }) {
  const { t, format } = useI18n();
  const load = useCallback(() => api.list(entity.path, { size: 1 }), [entity.path]);
  const { data } = useRemote(load);
  return (
    <Link className="tile" to={path}>
      <span className="tile-number">{data ? format(data.total, "integer") : "…"}</span>
      <span>{t(`entity.${entity.name}.many`)}</span>
    </Link>
  );
}

export function HomePage() {
  const { t } = useI18n();
  const { user, ready } = useSession();
  const readable = app.navigation.flatMap(({ path, entity: name, kind }) => {
    const entity = entities[name];
    return entity && kind === "list" && may(entity, "read", user) ? [{ path, entity }] : [];
  });
  const isVisitor = ready && app.auth && !user;
  return (
    <>
      <Title text={user ? t("home.welcome", { name: user.name || user.email }) : t("app.title")} />
      <p className="lead">{t("app.summary")}</p>
      {isVisitor && (
        <p className="buttons">
          {app.signUp && (
            <Link className="button primary" to="/sign-up">
              {t("session.sign_up")}
            </Link>
          )}
          <Link className="button" to="/log-in">
            {t("session.log_in")}
          </Link>
        </p>
      )}
      <div className="tiles">
        {isVisitor &&
          app.navigation
            .filter(({ kind }) => kind === "list")
            .map(({ entity }) => (
              <div key={entity} className="tile">
                <h2>{t(`entity.${entity}.many`)}</h2>
                <p>{t(`about.${entity}`)}</p>
              </div>
            ))}
        {(isVisitor ? [] : readable).map(({ path, entity }) => (
          <Tile key={path} path={path} entity={entity} />
        ))}
      </div>
    </>
  );
}
