// What is known of the thing under the pointer.

import { windowName } from "../chart/names";
import { definition, el } from "../dom";
import { count, decimalsOf, fullMoment, priceNumber, title } from "../format";
import type { Scene, Seen } from "./scene";
import type { Pointed } from "./view";

const OFF = 14; // pixels from the pointer

export class Tooltip {
  readonly element = el("div", { class: "tip", attrs: { role: "tooltip" } });
  private shown = "";

  constructor(private readonly scene: Scene) {
    this.element.hidden = true;
  }

  show(pointed: Pointed | null): void {
    const seen = pointed?.seen;
    this.element.hidden = !seen;
    if (!pointed || !seen) return;
    const version = `${seen.key} ${seen.changes.length}`;
    if (version !== this.shown) this.element.replaceChildren(...this.content(seen));
    this.shown = version;
    const frame = this.element.parentElement;
    if (!frame) return;
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const left = pointed.x + OFF + width > frame.clientWidth ? pointed.x - OFF - width : pointed.x + OFF;
    const top = Math.min(pointed.y + OFF, frame.clientHeight - height - 4);
    this.element.style.transform = `translate(${Math.max(2, left)}px, ${Math.max(2, top)}px)`;
  }

  private content(seen: Seen): HTMLElement[] {
    const { thing } = seen;
    const decimals = decimalsOf(this.scene.document.tick_size);
    const [low, high] = [priceNumber(seen.low, decimals), priceNumber(seen.high, decimals)];
    const source = thing.source ? `${title(thing.source)} #${thing.source_id}` : `#${thing.source_id}`;
    const pairs = [
      definition("Price", low === high ? low : `${low} – ${high}`),
      definition("Formed", fullMoment(thing.formed_at)),
      definition("Known", `${fullMoment(thing.confirmed_at)}${this.later(thing.formed_at, thing.confirmed_at)}`),
      ...seen.changes.map((change) =>
        definition(title(change.name), `${fullMoment(change.at)}${change.ambiguous ? ", order within the bar unknown" : ""}`),
      ),
      definition("Id", `#${thing.id}`),
      ...(thing.source_id ? [definition("From", source)] : []),
    ];
    return [
      el("div", "tip-head", el("b", "", title(thing.kind)), el("span", tone(thing.direction), words(seen))),
      el("dl", "", ...pairs),
    ];
  }

  /** How many bars after its anchor a thing became known. */
  private later(formed: number, known: number): string {
    const bars = this.scene.barOfMoment(known) - this.scene.barAtOrAfter(formed);
    if (bars <= 0 || this.scene.bars.time[0] === undefined || formed < this.scene.bars.time[0]) return "";
    return `, ${count(bars)} ${bars === 1 ? "bar" : "bars"} later`;
  }
}

/** "bullish · internal · half filled". */
function words(seen: Seen): string {
  const { direction, side, scope, shape } = seen;
  const way = direction > 0 ? "bullish" : direction < 0 ? "bearish" : "";
  const upper = side > 0 ? "upper side" : side < 0 ? "lower side" : "";
  const state = shape === "zone" || shape === "level" ? seen.state.replaceAll("_", " ") : "";
  return [way || upper, scope ? windowName(scope).toLowerCase() : "", state].filter(Boolean).join(" · ");
}

function tone(direction: number): string {
  return direction > 0 ? "bull" : direction < 0 ? "bear" : "";
}
