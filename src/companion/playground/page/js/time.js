// Times as people read them, in the browser's own language and zone.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayName = new Intl.DateTimeFormat(undefined, {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
});
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const short = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};
const UNITS = [
  ["year", 31536000],
  ["month", 2592000],
  ["week", 604800],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

export const hourOf = (when) => clock.format(when);
export const fullOf = (when) => full.format(when);
export const sameDay = (a, b) => a.toDateString() === b.toDateString();

/** The words of a day separator. */
export function dayOf(when, now = new Date()) {
  if (sameDay(when, now)) return "Today";
  if (sameDay(when, new Date(now.getTime() - 86400000))) return "Yesterday";
  return dayName.format(when);
}

/** A moment in few words: the hour today, else the date. */
export function whenOf(when, now = new Date()) {
  return sameDay(when, now) ? hourOf(when) : short.format(when);
}

/** Discord's `<t:seconds:style>`; `null` where it names no possible moment. */
export function stamp(seconds, style, now = Date.now()) {
  const when = new Date(seconds * 1000);
  if (Number.isNaN(when.getTime())) return null;
  if (style === "R") return away(seconds - now / 1000);
  return new Intl.DateTimeFormat(undefined, STYLES[style] ?? STYLES.f).format(when);
}

function away(seconds) {
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  return relative.format(Math.round(seconds / length), unit);
}
