/** ISO 8601 with microseconds and offset, as Python writes it. */
export function isoOf(milliseconds: number): string {
  const days = Math.floor(milliseconds / 86_400_000);
  const [year, month, day] = civil(days);
  const rest = milliseconds - days * 86_400_000;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const time = `${two(rest / 3_600_000)}:${two((rest / 60_000) % 60)}:${two((rest / 1_000) % 60)}`;
  const micros = String(Math.round((rest % 1_000) * 1_000)).padStart(6, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${time}.${micros}+00:00`;
}

/** Days since 1970 to a date of the Gregorian calendar (Howard Hinnant's `civil_from_days`). */
function civil(days: number): [year: number, month: number, day: number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day];
}

const shape = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?(?:Z|([+-]\d\d):?(\d\d))?$/;

/** Milliseconds since 1970 of an ISO 8601 date; one without an offset is UTC. NaN for anything else. */
export function msOf(iso: string): number {
  const match = shape.exec(iso);
  if (match === null) return Number.NaN;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0] = match.slice(1, 6).map(Number);
  const minutes = daysOf(year, month, day) * 1_440 + hour * 60 + minute - offsetMinutes(match[7], match[8]);
  return minutes * 60_000 + Math.round(Number(match.at(6) ?? 0) * 1_000);
}

function offsetMinutes(hours = '+00', minutes = '00'): number {
  const size = Math.abs(Number(hours)) * 60 + Number(minutes);
  return hours.startsWith('-') ? -size : size;
}

function daysOf(year: number, month: number, day: number): number {
  const shiftedYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(shiftedYear / 400);
  const yearOfEra = shiftedYear - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}
