// One line across the page for what a person must not miss: the connection is gone, or the agent has failed.

import type { ConnectionState } from "../connection";
import { byId, el, setText } from "../dom";
import type { Model } from "../model";

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export class Notice {
  private readonly node = byId("notice");
  private readonly text = el("span");
  private readonly retry = el("button", { class: "button", attrs: { type: "button" } }, "Try now");
  private connection: ConnectionState = { kind: "connecting" };
  private lastMessage: number | null = null;
  private failure = "";

  constructor(onRetry: () => void) {
    this.retry.addEventListener("click", onRetry);
    this.node.append(this.text, this.retry);
    setInterval(() => this.render(), 500);
  }

  connectionChanged(state: ConnectionState): void {
    this.connection = state;
    this.render();
  }

  update(model: Model): void {
    this.lastMessage = Date.now();
    const status = model.status;
    this.failure = status?.state === "failed" ? `The trading loop has failed: ${status.error}` : "";
    this.render();
  }

  private render(): void {
    const lost = this.connection.kind === "waiting" || (this.connection.kind === "connecting" && this.lastMessage !== null);
    document.body.classList.toggle("stale", lost);
    this.node.hidden = !lost && this.failure === "";
    this.retry.hidden = this.connection.kind !== "waiting";
    if (lost) setText(this.text, this.lostText());
    else setText(this.text, this.failure);
  }

  private lostText(): string {
    const seen = this.lastMessage === null ? "" : ` What you see is from ${clock.format(this.lastMessage)}.`;
    if (this.connection.kind !== "waiting") return `Connecting again …${seen}`;
    const seconds = Math.max(0, Math.ceil((this.connection.retryAt - Date.now()) / 1000));
    return `The connection to the agent is lost; trying again in ${seconds} s.${seen}`;
  }
}
