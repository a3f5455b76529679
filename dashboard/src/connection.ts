// The websocket to the agent: it acknowledges each message, notices silence, and comes back by itself.

import type { ViewState } from "./wire";

export type ConnectionState =
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "waiting"; retryAt: number };

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8_000;
const SILENCE_MS = 6_000; // the agent speaks at least once a second

export class Connection {
  private socket: WebSocket | null = null;
  private delay = FIRST_DELAY_MS;
  private retryTimer = 0;
  private silenceTimer = 0;

  constructor(
    private readonly onMessage: (state: ViewState) => void,
    private readonly onState: (state: ConnectionState) => void,
  ) {
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.retryNow();
    });
  }

  /** Opens the socket; afterwards it is opened again whenever it drops. */
  open(): void {
    clearTimeout(this.retryTimer);
    this.onState({ kind: "connecting" });
    const socket = new WebSocket(new URL("api/stream", location.href.replace(/^http/, "ws")));
    this.socket = socket;
    this.watchSilence(socket);
    socket.addEventListener("message", (event: MessageEvent<string>) => this.receive(socket, event.data));
    socket.addEventListener("close", () => this.dropped(socket));
  }

  /** Tries at once if the socket is down, without waiting for the next attempt. */
  retryNow(): void {
    if (this.socket === null) this.open();
  }

  private receive(socket: WebSocket, text: string): void {
    if (socket !== this.socket) return;
    const state = JSON.parse(text) as ViewState;
    this.delay = FIRST_DELAY_MS;
    this.watchSilence(socket);
    this.onState({ kind: "live" });
    this.onMessage(state);
    socket.send(String(state.revision));
  }

  private watchSilence(socket: WebSocket): void {
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => {
      socket.close();
      this.dropped(socket);
    }, SILENCE_MS);
  }

  private dropped(socket: WebSocket): void {
    if (socket !== this.socket) return;
    clearTimeout(this.silenceTimer);
    this.socket = null;
    const wait = this.delay * (0.75 + Math.random() / 2); // spread, so that many pages don't come back at once
    this.delay = Math.min(this.delay * 2, LONGEST_DELAY_MS);
    this.onState({ kind: "waiting", retryAt: Date.now() + wait });
    this.retryTimer = setTimeout(() => this.open(), wait);
  }
}
