export { connect } from './client.js';
export {
  AbortedError, CallboardError, ClosedError, ConnectionLostError, MalformedError, QueueFullError,
  ResponderError, ServerError, TimeoutError, TooLargeError,
} from './errors.js';
export type { ErrorDetails } from './errors.js';
export { Ext } from './msgpack.js';
export type * from './options.js';
export type * from './types.js';
