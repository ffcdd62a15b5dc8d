// A TCP proxy that delays, splits, truncates and drops what goes through it, as
// a seed says (chaos_plan.mjs). Bytes are never changed, left out in between or
// put in another order: TCP does not do that either.

import net from 'node:net';
import { connectionPlan, gentle } from './chaos_plan.mjs';

/// Bytes that may wait in one direction; beyond them the sender waits. One read
/// of Node's (64 KiB) may go over it.
export const waitingBytesMax = 64 * 1024;

/// Ends a connection with a RST. (resetAndDestroy() sends a FIN before it.)
function reset(socket) {
  socket.resetAndClosing = true;
  socket.destroy();
}

/// One direction: what comes from one socket goes to the other, in pieces.
class Direction {
  waiting = 0;
  #queue = [];
  #busy = false;
  #ended = false;
  #stopped = false;
  #piece = null;

  /// @param onLifeOver is called when plan.lifeBytes were forwarded; nothing
  ///                   goes this way after that.
  constructor(from, to, { lifeBytes, pieces }, onLifeOver) {
    this.from = from;
    this.to = to;
    this.left = lifeBytes;
    this.pieces = pieces;
    this.onLifeOver = onLifeOver;
    from.on('data', (data) => this.#take(data));
    from.on('end', () => {
      this.#ended = true;
      this.#pump();
    });
  }

  /// Forwards nothing more: what still comes is swallowed.
  stop() {
    this.#stopped = true;
    this.waiting = 0;
    this.#queue = [];
    this.from.resume();
  }

  #take(data) {
    if (this.#stopped) return;
    this.#queue.push(data);
    this.waiting += data.length;
    if (this.waiting > waitingBytesMax) this.from.pause();
    this.#pump();
  }

  #pump() {
    if (this.#busy || this.#stopped || this.to.destroyed) return;
    if (this.waiting === 0) {
      if (this.#ended) this.to.end();
      return;
    }
    this.#busy = true;
    if (this.#piece) {
      this.#send();
      return;
    }
    this.#piece = this.pieces();
    if (this.#piece.delayMs > 0) setTimeout(() => this.#send(), this.#piece.delayMs);
    else this.#send();
  }

  #send() {
    if (this.#stopped || this.to.destroyed) return;
    const bytes = this.#cut(Math.min(this.#piece.bytes, this.left));
    this.left -= bytes.length;
    this.#piece.bytes -= bytes.length;
    if (this.#piece.bytes === 0) this.#piece = null;
    this.to.write(bytes, (error) => {
      if (error || this.#stopped) return;
      if (this.left === 0) {
        this.onLifeOver();
        return;
      }
      // In a turn of its own, or pieces would be read together.
      setImmediate(() => {
        this.#busy = false;
        if (this.waiting <= waitingBytesMax / 2) this.from.resume();
        this.#pump();
      });
    });
  }

  /// Takes up to `count` bytes, of one buffer.
  #cut(count) {
    const [first] = this.#queue;
    const result = first.subarray(0, count);
    if (result.length === first.length) this.#queue.shift();
    else this.#queue[0] = first.subarray(count);
    this.waiting -= result.length;
    return result;
  }
}

/// A client's socket, one to the server, and what lies between.
class Connection {
  #over = false;
  #isStalled = false;
  #timer;

  constructor(client, port, plan, onEnd) {
    this.plan = plan;
    this.onEnd = onEnd;
    const server = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.sockets = [client, server];
    for (const socket of this.sockets) {
      socket.setNoDelay(true);
      socket.on('end', () => this.#left(socket));
      socket.on('error', () => this.#left(socket, true));
      socket.on('close', () => this.#closed());
    }
    const end = () => this.#end();
    this.directions = [
      new Direction(client, server, plan.up, end),
      new Direction(server, client, plan.down, end),
    ];
    if (plan.end) this.#timer = setTimeout(end, plan.lifeMs);
  }

  get waiting() { return Math.max(...this.directions.map(({ waiting }) => waiting)); }

  destroy() {
    for (const socket of this.sockets) socket.destroy();
  }

  /// Lets it live, whatever was planned.
  spare() {
    if (this.#over) return;
    clearTimeout(this.#timer);
    for (const direction of this.directions) direction.left = Infinity;
  }

  /// One side has ended. In a stall the server's end does not get through, and
  /// the client's is the end of it.
  #left(socket, isBroken = false) {
    if (this.#isStalled) {
      if (socket === this.sockets[0]) this.#reset();
      else socket.destroy();
    } else if (isBroken) {
      this.destroy();
    }
  }

  /// Ends it as planned. What waits is lost.
  #end() {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    for (const direction of this.directions) direction.stop();
    if (this.plan.end === 'close') {
      for (const socket of this.sockets) socket.destroySoon();
    } else if (this.plan.end === 'reset') {
      this.#reset();
    } else {
      this.#isStalled = true;
      this.#timer = setTimeout(() => this.#reset(), this.plan.stallMs);
    }
    this.onEnd(this.plan.end);
  }

  #reset() {
    this.sockets.forEach(reset);
  }

  #closed() {
    if (!this.sockets.every(({ destroyed }) => destroyed)) return;
    clearTimeout(this.#timer);
    this.onEnd(null);
  }
}

/// Starts a proxy on a port that the system chooses.
/// @param port of the server, on this machine.
/// @param options seed; settings: see `gentle`; connectionsMax: beyond them one
///   is refused.
/// Returns {port, counts, calm(), stop()}: how many connections there were, were
/// refused, and were ended in which way; `waitingMax` is the most that ever
/// waited in a direction.
export async function startChaosProxy(port,
  { seed = 1, settings = gentle, connectionsMax = 1024 } = {}) {
  const counts = { connections: 0, refused: 0, close: 0, reset: 0, stall: 0, waitingMax: 0 };
  const connections = new Set();
  let isCalm = false;

  const listener = net.createServer({ allowHalfOpen: true }, (client) => {
    const plan = connectionPlan(seed, counts.connections++, isCalm ? gentle : settings);
    if (plan.refused || connections.size >= connectionsMax) {
      counts.refused += 1;
      client.on('error', () => {});
      reset(client);
      return;
    }
    const connection = new Connection(client, port, plan, (end) => {
      if (end) counts[end] += 1;
      else connections.delete(connection);
    });
    connections.add(connection);
    const measure = () => { counts.waitingMax = Math.max(counts.waitingMax, connection.waiting); };
    for (const socket of connection.sockets) socket.on('data', measure);
  });
  await new Promise((resolve, reject) => {
    listener.on('error', reject);
    listener.listen(0, '127.0.0.1', resolve);
  });

  return {
    port: listener.address().port,
    counts,
    /// From now on nobody is refused or ended; pieces and delays remain.
    calm() {
      isCalm = true;
      for (const connection of connections) connection.spare();
    },
    /// Ends everything.
    async stop() {
      for (const connection of connections) connection.destroy();
      await new Promise((resolve) => { listener.close(resolve); });
    },
  };
}
