/** A MessagePack extension: `type` is −128 … 127. */
export class Ext {
  constructor(readonly type: number, readonly data: Uint8Array) {}
}
