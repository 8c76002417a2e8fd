// A reader's and author's life on a thread, for any WebSocket of the WHATWG's interface: a browser's, or node's `ws`.

/**
 * What both kinds of socket have in common.
 *
 * @typedef {object} Socket
 * @property {(data: string | Uint8Array<ArrayBuffer>) => void} send
 * @property {(type: "close" | "error" | "message", hear: (event: any) => void) => void} addEventListener
 *
 * @typedef {new (url: string) => Socket} Kind
 * @typedef {{ type: string } & Record<string, any>} Message
 */

/** A socket whose messages can be awaited by type. */
class Line {
  /** @type {Message[]} */
  #heard = [];
  /** @type {{ type: string, resolve: (message: Message) => void }[]} */
  #waiting = [];

  /**
   * @param {Kind} Socket
   * @param {string} url
   */
  constructor(Socket, url) {
    this.socket = new Socket(url);
    /** @type {Promise<number>} the code with which it was closed */
    this.closed = new Promise((resolve) => {
      this.socket.addEventListener("close", (event) => resolve(event.code));
    });
    this.socket.addEventListener("error", () => {});
    this.socket.addEventListener("message", (event) => {
      const message = JSON.parse(event.data);
      const place = this.#waiting.findIndex((each) => each.type === message.type);
      if (place < 0) this.#heard.push(message);
      else this.#waiting.splice(place, 1)[0].resolve(message);
    });
  }

  /**
   * @param {string} type
   * @returns {Promise<Message>}
   */
  next(type) {
    const place = this.#heard.findIndex((each) => each.type === type);
    if (place >= 0) return Promise.resolve(this.#heard.splice(place, 1)[0]);
    return new Promise((resolve) => this.#waiting.push({ type, resolve }));
  }

  /** @param {Message} message */
  send(message) {
    this.socket.send(JSON.stringify(message));
  }
}

/**
 * Join, write, read, take back, come back; and the codes with which bad manners are answered.
 *
 * @param {Kind} Socket
 * @param {string} url
 */
export async function live(Socket, url) {
  const author = new Line(Socket, url);
  const reader = new Line(Socket, url);
  const { mode } = await author.next("joined");
  const start = await reader.next("joined");
  const text = "😀".repeat(5000);
  const op = crypto.randomUUID();
  author.send({ type: "post", op, text });
  author.send({ type: "post", op, text });
  const accepted = [await author.next("accepted"), await author.next("accepted")];
  const shown = await reader.next("changes");
  const { no, key } = accepted[0];
  author.send({ type: "retract", op: crypto.randomUUID(), no, key });
  await author.next("accepted");
  const vanished = await reader.next("changes");
  const back = new Line(Socket, `${url}?epoch=${start.epoch}&after=${start.version}`);
  const missed = await back.next("joined");
  return {
    mode,
    once: accepted[0].no === accepted[1].no,
    whole: shown.comments[0].html.includes(text),
    gone: vanished.comments[0].gone,
    missed: [missed.mode, missed.comments.map((/** @type {{ no: number }} */ comment) => comment.no === no)],
    binary: await manners(Socket, url, [new Uint8Array(8)]),
    large: await manners(Socket, url, ["x".repeat(70_000)]),
    junk: await manners(Socket, url, Array(10).fill("junk")),
  };
}

/**
 * The code with which a socket is closed that says such things.
 *
 * @param {Kind} Socket
 * @param {string} url
 * @param {(string | Uint8Array<ArrayBuffer>)[]} messages
 */
async function manners(Socket, url, messages) {
  const line = new Line(Socket, url);
  await line.next("joined");
  for (const message of messages) line.socket.send(message);
  return line.closed;
}

/**
 * Stay until one is sent away: `there()` is called once joined.
 *
 * @param {Kind} Socket
 * @param {string} url
 * @param {() => void} there
 */
export async function stay(Socket, url, there) {
  const line = new Line(Socket, url);
  await line.next("joined");
  there();
  const { retry } = await line.next("bye");
  return { asked: Number.isInteger(retry), code: await line.closed };
}
