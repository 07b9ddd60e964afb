/** The module, gzip and base64. build.js puts it here. */
export const PACKED: string = ''
