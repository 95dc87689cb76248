// Inputs of Block Kit, in modals and in messages.

import { useContext } from "react";
import { withoutDots } from "./emoji";
import { NamesContext, plain } from "./text";
import type { Json } from "./types";

interface Props {
  element: Json;
  /** What was entered; undefined shows the initial value. */
  value: Json;
  onChange: (value: Json) => void;
  id?: string;
  invalid?: boolean;
}

/** What an element holds before anybody touches it, in the form that /sim/submit takes. */
export function initial(element: Json): Json {
  switch (element.type) {
    case "static_select":
    case "radio_buttons":
      return element.initial_option?.value ?? null;
    case "checkboxes":
    case "multi_static_select":
      return (element.initial_options ?? []).map((option: Json) => option.value);
    case "users_select":
      return element.initial_user ?? null;
    case "channels_select":
      return element.initial_channel ?? null;
    case "conversations_select":
      return element.initial_conversation ?? null;
    case "datepicker":
      return element.initial_date ?? null;
    case "timepicker":
      return element.initial_time ?? null;
    case "datetimepicker":
      return element.initial_date_time ?? null;
    default:
      return element.initial_value ?? "";
  }
}

/** Seconds since 1970 as what a datetime-local input takes: the minute on this browser's clock. */
function local(seconds: number): string {
  const there = new Date(seconds * 1000);
  return new Date(there.getTime() - there.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function Field({ element, value, onChange, id, invalid }: Props) {
  const names = useContext(NamesContext);
  const shown = value === undefined ? initial(element) : value;
  const common = { id, className: `input ${invalid ? "invalid" : ""}`, "data-testid": id ? undefined : `button-${element.action_id}` };
  const placeholder = element.placeholder ? plain(element.placeholder) : undefined;
  const options: Json[] = element.options ?? (element.option_groups ?? []).flatMap((group: Json) => group.options);
  const select = (choices: { value: string; label: string }[], fallback: string) => (
    <select {...common} value={shown ?? ""} onChange={(event) => onChange(event.target.value || null)}>
      <option value="">{placeholder ?? fallback}</option>
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>
          {withoutDots(choice.label)}
        </option>
      ))}
    </select>
  );
  switch (element.type) {
    case "plain_text_input":
      return element.multiline ? (
        <textarea {...common} rows={4} placeholder={placeholder} value={shown} onChange={(event) => onChange(event.target.value)} />
      ) : (
        <input {...common} placeholder={placeholder} value={shown} onChange={(event) => onChange(event.target.value)} />
      );
    case "static_select":
      return select(options.map((option) => ({ value: option.value, label: plain(option.text) })), "Select an option");
    case "users_select":
      return select(names.users.map((user) => ({ value: user.id, label: user.name })), "Select a user");
    case "channels_select":
    case "conversations_select":
      return select(names.channels.map((channel) => ({ value: channel.id, label: `#${channel.name}` })), "Select a channel");
    case "datepicker":
      return <input {...common} type="date" value={shown ?? ""} onChange={(event) => onChange(event.target.value || null)} />;
    case "timepicker":
      return <input {...common} type="time" value={shown ?? ""} onChange={(event) => onChange(event.target.value || null)} />;
    case "datetimepicker":
      return (
        <input
          {...common}
          type="datetime-local"
          value={shown == null ? "" : local(shown)}
          onChange={(event) => onChange(event.target.value ? Math.floor(new Date(event.target.value).getTime() / 1000) : null)}
        />
      );
    case "number_input":
      return <input {...common} type="number" placeholder={placeholder} value={shown} onChange={(event) => onChange(event.target.value)} />;
    case "radio_buttons":
    case "checkboxes":
    case "multi_static_select":
      return <Choices element={element} options={options} shown={shown} onChange={onChange} />;
    default:
      return <input {...common} placeholder={placeholder} value={shown ?? ""} onChange={(event) => onChange(event.target.value)} />;
  }
}

function Choices({ element, options, shown, onChange }: { element: Json; options: Json[]; shown: Json; onChange: (value: Json) => void }) {
  const one = element.type === "radio_buttons";
  const chosen: string[] = one ? [shown] : (shown ?? []);
  const toggle = (value: string) => onChange(one ? value : chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value]);
  return (
    <span className="choices">
      {options.map((option) => (
        <label key={option.value}>
          <input type={one ? "radio" : "checkbox"} checked={chosen.includes(option.value)} onChange={() => toggle(option.value)} data-testid={`option-${option.value}`} />
          <span>
            {plain(option.text)}
            {option.description && <small>{plain(option.description)}</small>}
          </span>
        </label>
      ))}
    </span>
  );
}
