// Fields of forms: a label, the input, what it expects, and what is wrong with it.
import { type ReactNode, useId } from 'react';

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
  /** The label is for screen readers only. */
  readonly hideLabel?: boolean;
}

interface TextFieldProps extends FieldProps {
  readonly placeholder?: string;
  readonly type?: 'text' | 'search' | 'number' | 'datetime-local' | 'date';
  readonly lines?: number;
  readonly autoFocus?: boolean;
  readonly required?: boolean;
}

export function TextField({ lines, type = 'text', placeholder, autoFocus, required, ...props }: TextFieldProps) {
  return (
    <Labelled {...props}>
      {(own) => {
        const common = { ...own, placeholder, autoFocus, required, className: 'input', autoComplete: 'off', spellCheck: false, value: props.value };
        return lines === undefined ? (
          <input {...common} type={type} onChange={({ target }) => props.onChange(target.value)} />
        ) : (
          <textarea {...common} rows={lines} onChange={({ target }) => props.onChange(target.value)} />
        );
      }}
    </Labelled>
  );
}

interface SelectFieldProps extends FieldProps {
  readonly options: readonly { readonly value: string; readonly text: string }[];
}

export function SelectField({ options, ...props }: SelectFieldProps) {
  return (
    <Labelled {...props}>
      {(own) => (
        <select {...own} className="input" value={props.value} onChange={({ target }) => props.onChange(target.value)}>
          {options.map(({ value, text }) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

interface Own {
  readonly id: string;
  readonly 'aria-invalid': boolean | undefined;
  readonly 'aria-describedby': string | undefined;
}

function Labelled({
  label,
  hint,
  error,
  hideLabel = false,
  children,
}: Omit<FieldProps, 'value' | 'onChange'> & { readonly children: (own: Own) => ReactNode }) {
  const id = useId();
  const more = [hint === undefined ? [] : `${id}-hint`, error === undefined ? [] : `${id}-error`].flat();
  return (
    <div className="field">
      <label htmlFor={id} className={hideLabel ? 'visually-hidden' : undefined}>
        {label}
      </label>
      {children({ id, 'aria-invalid': error === undefined ? undefined : true, 'aria-describedby': more.length === 0 ? undefined : more.join(' ') })}
      {hint !== undefined && (
        <span id={`${id}-hint`} className="field-hint">
          {hint}
        </span>
      )}
      {error !== undefined && (
        <span id={`${id}-error`} className="field-error" role="alert">
          {error}
        </span>
      )}
    </div>
  );
}

export function Checkbox({ label, isOn, onChange }: { readonly label: ReactNode; readonly isOn: boolean; readonly onChange: (isOn: boolean) => void }) {
  return (
    <label className="row">
      <input type="checkbox" checked={isOn} onChange={({ target }) => onChange(target.checked)} />
      {label}
    </label>
  );
}
