import { useId, type ChangeEvent } from "react";
import { Link } from "react-router";
import { useChoices } from "../choices";
import { entities } from "../entities";
import { useI18n } from "../i18n";
import type { RelationModel } from "../model";
import type { FormValue } from "../values";
import { Frame, described } from "./Field";

interface Props {
  owner: string;
  relation: RelationModel;
  value: FormValue;
  error?: string;
  onChange: (value: FormValue) => void;
}

/** One row of another entity (a list to choose from) or several (ticks). */
export function Reference({ owner, relation, value, error, onChange }: Props) {
  const { t } = useI18n();
  const id = useId();
  const chosen = Array.isArray(value) ? value.map(String) : [];
  const { choices, hidden } = useChoices(relation.target, relation.many ? chosen : [String(value)]);
  const label = t(`field.${owner}.${relation.name}`);
  const more = hidden > 0 && (
    <p className="help">
      {t("list.partial", { shown: choices.length, total: choices.length + hidden })}{" "}
      <Link to={`/${entities[relation.target]?.path ?? ""}`}>{t("list.all")}</Link>
    </p>
  );

  if (!relation.many) {
    return (
      <Frame id={id} label={label} required={relation.required} error={error}>
        <select
          id={id}
          name={relation.property}
          required={relation.required}
          aria-invalid={error ? true : undefined}
          aria-describedby={described(id, undefined, error)}
          value={typeof value === "string" ? value : ""}
          onChange={(event) => onChange(event.target.value)}
        >
          <option value="">{t("form.choose")}</option>
          {choices.map((choice) => (
            <option key={choice.id} value={choice.id}>
              {choice.name}
            </option>
          ))}
        </select>
        {more}
      </Frame>
    );
  }

  const toggle = (event: ChangeEvent<HTMLInputElement>) => {
    const { value: changed, checked } = event.target;
    onChange(checked ? [...chosen, changed] : chosen.filter((other) => other !== changed));
  };
  return (
    <fieldset className="field">
      <legend>{label}</legend>
      {choices.length === 0 && <p className="help">{t("form.nothing_to_choose")}</p>}
      <div className="ticks">
        {choices.map((choice) => (
          <label key={choice.id} className="tick">
            <input type="checkbox" value={choice.id} checked={chosen.includes(choice.id)} onChange={toggle} />
            {choice.name}
          </label>
        ))}
      </div>
      {more}
      {error && <p className="error">{error}</p>}
    </fieldset>
  );
}
