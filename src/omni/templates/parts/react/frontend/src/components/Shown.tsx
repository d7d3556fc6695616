import { Link } from "react-router";
import { useChoices } from "../choices";
import { entities } from "../entities";
import { useI18n } from "../i18n";
import { useSession } from "../session";
import type { FieldType, RelationModel, Row, Value } from "../model";

interface ShownProps {
  owner: string;
  field: { name: string; type: FieldType; unit?: string };
  value: Value | undefined;
}

/** A value as a person reads it. */
export function Shown({ owner, field, value }: ShownProps) {
  const { t, format } = useI18n();
  const { currency } = useSession();
  const isEmpty = value === null || value === undefined || value === "";
  if (isEmpty) return <span className="none">{t("value.none")}</span>;
  const text = String(value);
  switch (field.type) {
    case "enum":
      return <span className={`chip chip-${text}`}>{t(`choice.${owner}.${field.name}.${text}`)}</span>;
    case "email":
      return <a href={`mailto:${text}`}>{text}</a>;
    case "url":
      return (
        <a href={text} rel="noopener noreferrer nofollow">
          {text}
        </a>
      );
    case "phone":
      return <a href={`tel:${text}`}>{text}</a>;
    case "text":
      return <span className="prose">{text}</span>;
    case "color":
      return (
        <span className="color">
          <svg width="16" height="16" aria-hidden="true">
            <rect width="16" height="16" rx="4" fill={text} />
          </svg>
          {text}
        </span>
      );
    default:
      return <span className={field.type === "date" || field.type === "datetime" ? "when" : undefined}>{format(value, field.type, field.type === "money" ? field.unit || currency : field.unit)}</span>;
  }
}

/** The rows that a relation points to, as links. */
export function Related({ relation, row }: { relation: RelationModel; row: Row }) {
  const { t } = useI18n();
  const target = entities[relation.target];
  const value = row[relation.property];
  const ids = Array.isArray(value) ? value.map(String) : value ? [String(value)] : [];
  const { choices } = useChoices(relation.target, ids);
  if (!target || ids.length === 0) return <span className="none">{t("value.none")}</span>;
  return (
    <span className="links">
      {ids.map((id) => (
        <Link key={id} to={`/${target.path}/${id}`}>
          {choices.find((choice) => choice.id === id)?.name ?? t(`entity.${target.name}.one`)}
        </Link>
      ))}
    </span>
  );
}
