/** What bundlers and runtimes make of an imported module: the compiled module, or with Bun its path. */
declare module '*.wasm' {
  const module: unknown
  export default module
}

declare module '*.wasm?module' {
  const module: WebAssembly.Module
  export default module
}
