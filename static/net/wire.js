/**
 * The messages of the wire, as types only: nothing imports this file at run time. docs/protocol.md tells what they mean.
 *
 * @typedef {{ epoch: string, version: number }} Position
 * @typedef {{ state: "open" | "closed" | "held", slow: number, surge?: boolean, pinned?: number }} ThreadState
 * @typedef {{ no: number, version: number, at: string, by?: string, tag?: string, html?: string, gone?: string }} Comment
 *
 * @typedef {{ type: "joined", epoch: string, version: number, count: number, mode: "live" | "catchup" | "reset",
 *   comments: Comment[], thread: ThreadState, readers: number }} Joined
 * @typedef {{ type: "changes", from: number, to: number, count: number, comments: Comment[], thread?: ThreadState }} Changes
 * @typedef {{ type: "accepted", op: string, no: number, version: number | null, state: string, key?: string }} Accepted
 * @typedef {{ parameters: { nonce: string, salt: string, cost: number, keyLength: number, keyPrefix: string,
 *   data: { most: number } }, signature: string }} Challenge
 * @typedef {{ type: "refused", op: string | null, code: string, message: string, retry_after?: number,
 *   until?: string, reason?: string, challenge?: Challenge }} Refused
 * @typedef {{ type: "readers", readers: number }} Readers
 * @typedef {{ type: "ping", epoch: string, version: number }} Ping
 * @typedef {{ type: "bye", retry: number }} Bye
 * @typedef {Joined | Changes | Accepted | Refused | Readers | Ping | Bye} Inbound
 *
 * @typedef {{ type: "post", op: string, text: string, proof?: string }} Post
 * @typedef {{ type: "retract", op: string, no: number, key: string }} Retract
 * @typedef {Post | Retract | { type: "pong" }} Outbound
 *
 * @typedef {{ epoch: string, version: number, count: number, thread: ThreadState, comments: Comment[],
 *   earlier: boolean, later: boolean }} Window
 */

export {};
