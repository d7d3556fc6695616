import { useState, type FormEvent } from "react";
import { ApiError } from "../api/client";
import { useI18n } from "../i18n";
import type { FieldModel } from "../model";
import { Field } from "./Field";
import { describe } from "./Problem";

interface PlainField extends FieldModel {
  inputType?: string;
  autoComplete?: string;
}

interface Props {
  owner: string;
  fields: readonly PlainField[];
  submit: string;
  danger?: boolean;
  onSubmit: (values: Record<string, string>) => Promise<void>;
}

/** A few text fields and one button: log-in, sign-up, password. */
export function PlainForm({ owner, fields, submit, danger, onSubmit }: Props) {
  const i18n = useI18n();
  const empty = Object.fromEntries(fields.map(({ name }) => [name, ""]));
  const [values, setValues] = useState<Record<string, string>>(empty);
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);

  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await onSubmit(values);
      setValues(empty);
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught;
      setError(caught);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form className="card form" onSubmit={(event) => void send(event)}>
      {error && (
        <p className="problem" role="alert">
          {error.fields[""] ?? (Object.keys(error.fields).length ? i18n.t("form.please_correct") : describe(error, i18n))}
        </p>
      )}
      {fields.map((field) => (
        <Field
          key={field.name}
          owner={owner}
          field={field}
          inputType={field.inputType}
          autoComplete={field.autoComplete}
          value={values[field.name] ?? ""}
          error={error?.fields[field.name]}
          onChange={(value) => setValues((old) => ({ ...old, [field.name]: String(value) }))}
        />
      ))}
      <div className="buttons">
        <button type="submit" className={danger ? "danger" : "primary"} disabled={busy}>
          {submit}
        </button>
      </div>
    </form>
  );
}
