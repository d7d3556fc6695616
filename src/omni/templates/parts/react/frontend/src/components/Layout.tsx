import { useEffect, useRef } from "react";
import { Link, NavLink, Outlet, useLocation } from "react-router";
import { app } from "../app";
import { entities } from "../entities";
import { useI18n } from "../i18n";
import { may } from "../model";
import { useNotice } from "../notice";
import { useSession } from "../session";

/** Moves focus to the new page, so that a screen reader says where we are. */
function useFocusOnNavigation() {
  const { pathname } = useLocation();
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    document.querySelector<HTMLElement>("main")?.focus();
    window.scrollTo(0, 0);
  }, [pathname]);
}

function Visitor() {
  const { t } = useI18n();
  const { user, logOut } = useSession();
  const { say } = useNotice();
  if (!app.auth) return null;
  if (!user) {
    return (
      <div className="visitor">
        <Link to="/log-in">{t("session.log_in")}</Link>
        {app.signUp && (
          <Link className="button primary" to="/sign-up">
            {t("session.sign_up")}
          </Link>
        )}
      </div>
    );
  }
  return (
    <div className="visitor">
      <NavLink to="/account">{user.name || user.email}</NavLink>
      <button
        type="button"
        onClick={() => {
          void logOut().then(() => say(t("session.logged_out")));
        }}
      >
        {t("session.log_out")}
      </button>
    </div>
  );
}

export function Layout() {
  const { t } = useI18n();
  const { user, ready } = useSession();
  useFocusOnNavigation();
  const links = app.navigation.filter(({ entity: name }) => {
    const entity = entities[name];
    return entity !== undefined && may(entity, "read", user);
  });
  return (
    <>
      <a className="skip" href="#main">
        {t("nav.skip")}
      </a>
      <header className="bar">
        <div className="inner">
          <Link className="brand" to="/">
            <img src="/favicon.svg" alt="" width="28" height="28" />
            {t("app.title")}
          </Link>
          <nav aria-label={t("nav.label")}>
            {links.map(({ path, entity, kind }) => (
              <NavLink key={path} to={path} end={links.some((other) => other.path.startsWith(`${path}/`))}>
                {kind === "list" ? t(`entity.${entity}.many`) : t(`page.${entity}.${kind}`)}
              </NavLink>
            ))}
            {app.adminRole !== undefined && user?.role === app.adminRole && (
              <NavLink to="/admin">{t("admin.title")}</NavLink>
            )}
          </nav>
          {ready && <Visitor />}
        </div>
      </header>
      <main id="main" tabIndex={-1} className="inner">
        <Outlet />
      </main>
      <footer className="inner">
        <p>{t("app.summary")}</p>
      </footer>
    </>
  );
}
