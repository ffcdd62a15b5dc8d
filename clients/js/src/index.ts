export { connect } from './client.js';
export { Ext } from './msgpack.js';
export * from './errors.js';
export type * from './types.js';
