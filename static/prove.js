/**
 * Proof of work, in a worker: looks for the counter whose key begins as the challenge says (altcha's proof of work,
 * docs/protocol.md). Says how far it has come, from 0 to 1, then the proof: an empty one where it can't be found, since
 * browsers have `crypto.subtle` only on HTTPS and on localhost.
 */

const EVERY = 50; // keys between two words about it

addEventListener("message", async ({ data: challenge }) => {
  try {
    postMessage({ proof: await solve(challenge) });
  } catch {
    postMessage({ proof: "" });
  }
});

/** @param {import("./net/wire.js").Challenge} challenge */
async function solve(challenge) {
  const { nonce, salt, cost, keyLength, keyPrefix, data } = challenge.parameters;
  const password = Uint8Array.from([...bytesOf(nonce), 0, 0, 0, 0]);
  const tail = new DataView(password.buffer, password.length - 4);
  const rounds = { name: "PBKDF2", hash: "SHA-256", salt: bytesOf(salt), iterations: cost };
  for (let counter = 0; ; counter++) {
    tail.setUint32(0, counter);
    const secret = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const derivedKey = hexOf(await crypto.subtle.deriveBits(rounds, secret, keyLength * 8));
    if (derivedKey.startsWith(keyPrefix)) return btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } }));
    if (counter % EVERY === 0) postMessage({ share: counter / data.most });
  }
}

/** @param {string} hex */
function bytesOf(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** @param {ArrayBuffer} buffer */
function hexOf(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
