import { useEffect, type ReactNode } from "react";
import { useI18n } from "../i18n";

/** The page's heading, also in the browser's title bar. */
export function Title({ text, children }: { text: string; children?: ReactNode }) {
  const { t } = useI18n();
  useEffect(() => {
    document.title = t("app.page_title", { page: text, app: t("app.title") });
  }, [text, t]);
  return (
    <div className="title">
      <h1>{text}</h1>
      {children && <div className="buttons">{children}</div>}
    </div>
  );
}
