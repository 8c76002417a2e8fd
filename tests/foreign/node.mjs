// node's `ws` as a client: `node node.mjs URL` prints what it saw; then "there", and how it was sent away.

import WebSocket from "ws";

import { live, stay } from "./life.js";

/** The code with which a socket is closed that sends these bytes, or sends by these acts. */
function rude(url, act) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.on("close", resolve);
    socket.on("error", () => {});
    socket.on("open", () => act(socket));
  });
}

/** The type of the answer to a message in fragments, with a ping between them that has to be answered, too. */
function fragments(url) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    const heard = [];
    socket.on("pong", (data) => heard.push(String(data)));
    socket.on("message", (data) => {
      const { type } = JSON.parse(data);
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

const url = process.argv[2];
const seen = await live(WebSocket, url);
const raw = {
  fragments: await fragments(url),
  unmasked: await rude(url, (socket) => socket.send("bare", { mask: false })),
  compressed: await rude(url, (socket) => socket._socket.write(Buffer.from([0xc1, 0x80, 0, 0, 0, 0]))),
  opcode: await rude(url, (socket) => socket._socket.write(Buffer.from([0x83, 0x80, 0, 0, 0, 0]))),
  bytes: await rude(url, (socket) => socket._socket.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]))),
};
console.log(JSON.stringify({ ...seen, ...raw }));
console.log(JSON.stringify(await stay(WebSocket, url, () => console.log("there"))));
process.exit(0);
