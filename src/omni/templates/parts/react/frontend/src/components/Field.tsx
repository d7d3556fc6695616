import { useId, type ReactNode } from "react";
import { useI18n } from "../i18n";
import type { FieldModel, FieldType } from "../model";
import type { FormValue } from "../values";

const INPUT_TYPES: Partial<Record<FieldType, string>> = {
  integer: "number",
  decimal: "number",
  money: "number",
  duration: "number",
  date: "date",
  datetime: "datetime-local",
  time: "time",
  email: "email",
  url: "url",
  phone: "tel",
  color: "color",
};

const STEPS: Partial<Record<FieldType, string>> = { decimal: "any", money: "0.01" };

function typeOf(field: FieldModel): string {
  // A colour chooser can't be left empty.
  return (field.type === "color" && !field.required ? undefined : INPUT_TYPES[field.type]) ?? "text";
}

interface FrameProps {
  id: string;
  label: string;
  required?: boolean;
  help?: string;
  error?: string;
  children: ReactNode;
}

/** Label, control, help and error of one field, tied together for assistive technology. */
export function Frame({ id, label, required, help, error, children }: FrameProps) {
  const { t } = useI18n();
  return (
    <div className={error ? "field field-invalid" : "field"}>
      <label htmlFor={id}>
        {label}
        {!required && <span className="optional"> {t("form.optional")}</span>}
      </label>
      {children}
      {help && (
        <p className="help" id={`${id}-help`}>
          {help}
        </p>
      )}
      {error && (
        <p className="error" id={`${id}-error`}>
          <span aria-hidden="true">⚠ </span>
          {error}
        </p>
      )}
    </div>
  );
}

/** Ids for `aria-describedby`, or nothing. */
export function described(id: string, help?: string, error?: string): string | undefined {
  return [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
}

interface Props {
  /** Name of the entity (or form) that the labels belong to. */
  owner: string;
  field: FieldModel;
  value: FormValue;
  error?: string;
  autoComplete?: string;
  inputType?: string;
  onChange: (value: FormValue) => void;
}

export function Field({ owner, field, value, error, autoComplete, inputType, onChange }: Props) {
  const { t } = useI18n();
  const id = useId();
  const name = t(`field.${owner}.${field.name}`);
  const label = field.unit ? t("form.with_unit", { label: name, unit: field.unit }) : name;
  const help = field.hasHelp ? t(`help.${owner}.${field.name}`) : undefined;
  const common = {
    id,
    name: field.name,
    required: field.required,
    "aria-invalid": error ? true : undefined,
    "aria-describedby": described(id, help, error),
  };
  const text = typeof value === "string" ? value : "";

  if (field.type === "boolean") {
    return (
      <div className="field field-check">
        <input {...common} required={false} type="checkbox" checked={value === true} onChange={(event) => onChange(event.target.checked)} />
        <label htmlFor={id}>{label}</label>
        {error && (
          <p className="error" id={`${id}-error`}>
            {error}
          </p>
        )}
      </div>
    );
  }

  return (
    <Frame id={id} label={label} required={field.required} help={help} error={error}>
      {field.type === "text" ? (
        <textarea {...common} rows={5} maxLength={field.maxLength} value={text} onChange={(event) => onChange(event.target.value)} />
      ) : field.type === "enum" ? (
        <select {...common} value={text} onChange={(event) => onChange(event.target.value)}>
          <option value="">{t("form.choose")}</option>
          {field.choices?.map((choice) => (
            <option key={choice} value={choice}>
              {t(`choice.${owner}.${field.name}.${choice}`)}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...common}
          type={inputType ?? typeOf(field)}
          step={STEPS[field.type]}
          min={field.min}
          max={field.max}
          maxLength={field.maxLength}
          autoComplete={autoComplete}
          value={text}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Frame>
  );
}
