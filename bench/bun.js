// Bun's own publish, to compare with: `bun bun.js PORT`; what is posted to /pub goes to every socket.
Bun.serve({
  port: Number(process.argv[2]),
  hostname: "127.0.0.1",
  async fetch(request, self) {
    if (request.method === "POST") {
      self.publish("all", await request.text());
      return new Response("ok");
    }
    return self.upgrade(request) ? undefined : new Response("here");
  },
  websocket: {
    perMessageDeflate: false,
    open: (socket) => socket.subscribe("all"),
    message() {},
  },
});
