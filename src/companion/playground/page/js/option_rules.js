// What may be entered for a command option: Discord's own checks, before anything is sent. No DOM.

export const STRING = 3;
export const INTEGER = 4;
export const BOOLEAN = 5;
export const NUMBER = 10;
export const ATTACHMENT = 11;
const STRING_MAX = 6000;

const WORDS = {
  3: "text",
  4: "a whole number",
  5: "True or False",
  6: "a person",
  7: "a channel",
  8: "a role",
  9: "a person or role",
  10: "a number",
  11: "a file",
};

/** Say in words what an option takes. */
export function takes(option) {
  const words = WORDS[option.type] ?? "a value";
  if (option.type === STRING && (option.min_length > 1 || option.max_length))
    return `${words}, ${range(option.min_length, option.max_length, "characters")}`;
  if (option.min_value !== undefined || option.max_value !== undefined)
    return `${words}, ${range(option.min_value, option.max_value)}`;
  return words;
}

function range(low, high, unit = "") {
  const tail = unit ? ` ${unit}` : "";
  if (low !== undefined && high !== undefined && low !== 1) return `${low} to ${high}${tail}`;
  if (high !== undefined) return unit ? `up to ${high}${tail}` : `${low ?? ""} to ${high}`;
  return `at least ${low}${tail}`;
}

/** Check typed text; returns {value} or {error}, and {} for an empty optional option. */
export function checked(option, text) {
  if (!text.trim())
    return option.required ? { error: "This option is required. Specify a value." } : {};
  if (option.type === INTEGER || option.type === NUMBER) return checkedNumber(option, text.trim());
  if (option.type === STRING) return checkedLength(option, text);
  return { value: text };
}

function checkedNumber(option, text) {
  const whole = option.type === INTEGER;
  const value = Number(text.replace(",", "."));
  if (!Number.isFinite(value) || (whole && !/^[-+]?\d+$/u.test(text)))
    return { error: `Enter ${WORDS[option.type]}.` };
  if (whole && Math.abs(value) > Number.MAX_SAFE_INTEGER)
    return { error: "This number is too large." };
  if (option.min_value !== undefined && value < option.min_value)
    return { error: `Enter ${option.min_value} or more.` };
  if (option.max_value !== undefined && value > option.max_value)
    return { error: `Enter ${option.max_value} or less.` };
  return { value };
}

function checkedLength(option, text) {
  const length = [...text].length;
  const most = option.max_length ?? STRING_MAX;
  if (length > most) return { error: `Enter at most ${most} characters (now ${length}).` };
  if (option.min_length && length < option.min_length)
    return { error: `Enter at least ${option.min_length} characters.` };
  return { value: text };
}
