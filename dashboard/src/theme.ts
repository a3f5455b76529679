// The colours of the charts, read from the same CSS custom properties as everything else.

export interface Palette {
  text: string;
  muted: string;
  grid: string;
  border: string;
  surface: string;
  accent: string;
  up: string;
  down: string;
  bull: string;
  bear: string;
  liquidity: string;
  neutral: string;
  font: string;
}

export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const canvas = document.createElement("canvas").getContext("2d");
  const of = (name: string): string => {
    const value = style.getPropertyValue(name).trim();
    if (!canvas || !value.startsWith("#")) return value;
    canvas.fillStyle = value; // reads back as #rrggbb, however the stylesheet was shortened
    return canvas.fillStyle;
  };
  return {
    text: of("--text"),
    muted: of("--muted"),
    grid: of("--grid"),
    border: of("--border"),
    surface: of("--surface"),
    accent: of("--accent"),
    up: of("--up"),
    down: of("--down"),
    bull: of("--bull"),
    bear: of("--bear"),
    liquidity: of("--liquidity"),
    neutral: of("--neutral"),
    font: of("--font"),
  };
}

/** Calls `listener` when the system changes between dark and light. */
export function onThemeChange(listener: () => void): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", listener);
}

/** `#rrggbb` with an alpha between 0 and 1. */
export function alpha(colour: string, share: number): string {
  const value = Number.parseInt(colour.slice(1), 16);
  return `rgba(${(value >> 16) & 255}, ${(value >> 8) & 255}, ${value & 255}, ${share})`;
}
