// node's `ws` as a client: `node node.mjs URL` prints what it saw; then "there", and how it was sent away.

import WebSocket from "ws";

import { live, stay } from "./life.js";

const [, , url] = process.argv;

/**
 * The code with which a socket is closed that sends these bytes, or sends by these acts.
 *
 * @param {(socket: WebSocket) => void} act
 */
function rude(act) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.on("close", resolve);
    socket.on("error", () => {});
    socket.on("open", () => act(socket));
  });
}

/** The type of the answer to a message in fragments, with a ping between them that has to be answered, too. */
function fragments() {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    /** @type {string[]} */
    const heard = [];
    socket.on("pong", (data) => heard.push(String(data)));
    socket.on("message", (data) => {
      const { type } = JSON.parse(String(data));
      if (type !== "accepted") return;
      resolve([...heard, type]);
      socket.close();
    });
    socket.on("open", () => {
      const text = JSON.stringify({ type: "post", op: crypto.randomUUID(), text: "In pieces" });
      socket.send(text.slice(0, 9), { fin: false });
      socket.ping("between");
      socket.send(text.slice(9, 20), { fin: false });
      socket.send(text.slice(20));
    });
  });
}

/**
 * Send bytes below the library, which would refuse to.
 *
 * @param {WebSocket} socket
 * @param {number[]} bytes
 */
function raw(socket, ...bytes) {
  // @ts-expect-error -- not part of its interface
  socket._socket.write(Buffer.from(bytes));
}

const seen = {
  ...(await live(WebSocket, url)),
  fragments: await fragments(),
  unmasked: await rude((socket) => socket.send("bare", { mask: false })),
  compressed: await rude((socket) => raw(socket, 0xc1, 0x80, 0, 0, 0, 0)),
  opcode: await rude((socket) => raw(socket, 0x83, 0x80, 0, 0, 0, 0)),
  bytes: await rude((socket) => raw(socket, 0x81, 0x81, 0, 0, 0, 0, 0xff)),
};
console.log(JSON.stringify(seen));
console.log(JSON.stringify(await stay(WebSocket, url, () => console.log("there"))));
process.exit(0);
