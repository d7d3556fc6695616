import { Link } from "react-router";
import { Title } from "../components/Title";
import { useI18n } from "../i18n";

export function NotFoundPage() {
  const { t } = useI18n();
  return (
    <div className="narrow">
      <Title text={t("not_found.title")} />
      <p className="lead">{t("not_found.text")}</p>
      <Link className="button" to="/">
        {t("not_found.home")}
      </Link>
    </div>
  );
}
