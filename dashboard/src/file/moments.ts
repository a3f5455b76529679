// Moments as short as the span of a chart allows.

import type { Scene } from "./scene";

const DAY = 86_400;

function format(options: Intl.DateTimeFormatOptions): (seconds: number) => string {
  const formatter = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
  return (seconds) => formatter.format(seconds * 1000);
}

const clock = format({ hour: "2-digit", minute: "2-digit" });
const day = format({ day: "numeric", month: "short" });
const date = format({ day: "numeric", month: "short", year: "numeric" });

const month = format({ month: "short", year: "numeric" });
const dayOfMonth = format({ day: "numeric" });

/**
 * "14:15" within a day and a half; beyond, "5 14:15" in the month of the last bar and "5 Mar 14:15" in others; on daily
 * bars "5 Mar", with the year where there are several.
 */
export function shortMoment(scene: Scene): (seconds: number) => string {
  const { bars, document } = scene;
  const [first, last] = [bars.time[0] ?? 0, scene.closeOf(bars.time.length - 1)];
  const daily = document.bar_seconds >= DAY;
  const brief = !daily && last - first <= 1.5 * DAY;
  const years = new Date(first * 1000).getUTCFullYear() !== new Date(last * 1000).getUTCFullYear();
  return (seconds) => {
    if (daily) return years || last - seconds > 300 * DAY ? date(seconds) : day(seconds);
    if (brief && seconds >= first) return clock(seconds);
    const brieflyDated = month(seconds) === month(last - 1) ? dayOfMonth : day;
    return `${brieflyDated(seconds)} ${clock(seconds)}`;
  };
}

/** "1 Mar 2024, 00:00" to "13 Mar 2024, 12:00", on intraday bars; dates alone on others. */
export function spanText(scene: Scene): string {
  const { bars, document } = scene;
  const ends = [bars.time[0] ?? 0, scene.closeOf(bars.time.length - 1)];
  const text = ends.map((moment) => (document.bar_seconds >= DAY ? date(moment) : `${date(moment)}, ${clock(moment)}`));
  return text.join(" – ");
}

export function dateText(seconds: number): string {
  return date(seconds);
}
